// The files of this computer that a cluster's file names: their content for the hosts, and whether they are there.
import {access} from 'node:fs/promises';
import {homedir} from 'node:os';
import {dirname, isAbsolute, join} from 'node:path';
import type {DesiredCluster, DesiredFile, DesiredRegistry} from './desired.ts';
import type {Report} from './lint/report.ts';
import type {AgentHost, ClusterDocument, SshSettings} from './schema.ts';
import {readSource, type SourceResult} from './source.ts';
import type {Path} from './yaml-text.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A path as written in a file, absolute: `~` is the home folder, else it starts from the file's folder. */
export function resolvePath(path: string, folder: string, env: Environment): string {
  if (path === '~' || path.startsWith('~/')) return join(env['HOME'] || homedir(), path.slice(1));
  return isAbsolute(path) ? path : join(folder, path);
}

/** How a file that another file names is called in complaints: seen from where the person stands. */
export function labelOf(path: string, source: {readonly file: string}): string {
  return isAbsolute(path) || path.startsWith('~') || source.file === '<stdin>' ? path : join(dirname(source.file), path);
}

export interface HostContent {
  readonly hostFiles: DesiredCluster['hostFiles'];
  readonly hostHooks: DesiredCluster['hostHooks'];
}

/** Reads the content of every host's files and hooks; what is missing is reported at its line. */
export async function readHostFiles(cluster: ClusterDocument, report: Report, env: Environment): Promise<HostContent> {
  const {folder} = report.document.source;
  const cache = new Map<string, SourceResult>();
  const read = async (path: string, at: Path, what: string): Promise<string | undefined> => {
    const absolute = resolvePath(path, folder, env);
    const result = cache.get(absolute) ?? (await readSource(labelOf(path, report.document.source), absolute));
    cache.set(absolute, result);
    if ('source' in result) return result.source.text;
    report.error({
      path: at,
      rule: result.complaint.rule === 'file.not-found' ? 'files.missing' : 'files.content',
      message: `${what}: ${result.complaint.message}`,
    });
    return undefined;
  };
  const hostFiles: Record<string, DesiredFile[]> = {};
  const hostHooks: Record<string, {beforeApply?: string; afterApply?: string}> = {};
  for (const [index, host] of (cluster.spec.agent?.hosts ?? []).entries()) {
    const at = ['spec', 'agent', 'hosts', index];
    const files: DesiredFile[] = [];
    for (const [position, file] of (host.files ?? []).entries()) {
      const content = await read(file.source, [...at, 'files', position, 'source'], `A file for ${host.name}`);
      if (content !== undefined) files.push({path: file.path, content, mode: file.mode, owner: file.owner});
    }
    if (files.length > 0) hostFiles[host.name] = files;
    const hooks: {beforeApply?: string; afterApply?: string} = {};
    for (const moment of ['beforeApply', 'afterApply'] as const) {
      const path = host.hooks?.[moment];
      const text = path === undefined ? undefined : await read(path, [...at, 'hooks', moment], `A hook for ${host.name}`);
      if (text !== undefined) hooks[moment] = text;
    }
    if (Object.keys(hooks).length > 0) hostHooks[host.name] = hooks;
  }
  await lintLocalFiles(cluster, report, env);
  return {hostFiles, hostHooks};
}

/** The mirrors of `spec.agent.registries`, their certificates read; what is wrong is reported at its line. */
export async function readRegistries(cluster: ClusterDocument, report: Report, env: Environment): Promise<readonly DesiredRegistry[]> {
  const {folder} = report.document.source;
  const registries: DesiredRegistry[] = [];
  for (const [index, {name, mirrors, fallback}] of (cluster.spec.agent?.registries ?? []).entries()) {
    const path = ['spec', 'agent', 'registries', index];
    if (registries.some((one) => one.name === name)) report.error({path: [...path, 'name'], rule: 'registry.duplicate', message: `${name} is there twice.`});
    const read = [];
    for (const [position, {url, capabilities, authority}] of mirrors.entries()) {
      const at = [...path, 'mirrors', position, 'authority'];
      if (authority === undefined) read.push({url, capabilities});
      else {
        const found = await readSource(labelOf(authority, report.document.source), resolvePath(authority, folder, env));
        if ('complaint' in found) report.error({path: at, rule: 'files.missing', message: `The certificates of ${url}: ${found.complaint.message}`});
        else if (!found.source.text.includes('-----BEGIN CERTIFICATE-----') || found.source.text.includes('PRIVATE KEY-----'))
          report.error({path: at, rule: 'files.content', message: `${authority} isn't a file of certificates in PEM, and of nothing else.`});
        else read.push({url, capabilities, authority: found.source.text});
      }
    }
    registries.push({name, mirrors: read, fallback});
  }
  return registries;
}

/** Files that are only used later: a missing runtime is an error, a missing key may be on the computer that applies. */
async function lintLocalFiles(cluster: ClusterDocument, report: Report, env: Environment): Promise<void> {
  const {folder} = report.document.source;
  const {agent} = cluster.spec;
  const exists = (path: string) =>
    access(resolvePath(path, folder, env)).then(
      () => true,
      () => false,
    );
  for (const [architecture, path] of Object.entries(agent?.runtime ?? {})) {
    if (!(await exists(path)))
      report.error({
        path: ['spec', 'agent', 'runtime', architecture],
        rule: 'files.missing',
        message: `The Node runtime for ${architecture}, ${path}, doesn't exist.`,
      });
  }
  const settings: {readonly at: Path; readonly ssh: SshSettings | undefined}[] = [{at: ['spec', 'agent', 'ssh'], ssh: agent?.ssh}];
  for (const [index, host] of (agent?.hosts ?? ([] as AgentHost[])).entries()) settings.push({at: ['spec', 'agent', 'hosts', index, 'ssh'], ssh: host.ssh});
  for (const {at, ssh} of settings) {
    const secrets = [ssh?.passphrase, ssh?.sudo?.password].flatMap((source) => (source !== undefined && 'fromFile' in source ? [source.fromFile] : []));
    for (const path of [...(ssh?.identityFile === undefined ? [] : [ssh.identityFile]), ...secrets]) {
      if (!(await exists(path)))
        report.warn({
          path: [...at, path === ssh?.identityFile ? 'identityFile' : 'sudo'],
          rule: 'files.missing-later',
          message: `${path} doesn't exist on this computer; connecting will need it.`,
        });
    }
  }
  for (const scheme of ['http', 'https'] as const) {
    if (/\/\/[^/@\s]+:[^/@\s]+@/.test(agent?.proxy?.[scheme] ?? '')) {
      report.warn({
        path: ['spec', 'agent', 'proxy', scheme],
        rule: 'secret.proxy',
        message: "The proxy's password stands in the file itself.",
        hint: 'Let the proxy know the hosts by their addresses.',
      });
    }
  }
}
