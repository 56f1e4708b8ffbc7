import {chmod} from 'node:fs/promises';
import {arch, platform, release} from 'node:os';
import {resolve} from 'node:path';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {writeFileAtomic} from '../kernel/files.ts';
import {stateFolder} from '../kernel/folders.ts';
import {scrub} from '../kernel/scrub.ts';
import {tarEnd, tarEntry} from '../kernel/tar.ts';
import type {AgentScope} from '../modes/agent/scope.ts';
import type {SupportEntry} from '../modes/agent/support.ts';
import {formatBytes} from '../output/table.ts';
import {listRuns, readRun} from '../plan/ledger.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from './base-flags.ts';
import type {ResultOf} from './base-results.ts';
import {TargetCommand} from './base-target.ts';

const result = z.strictObject({
  cluster: z.string(),
  path: z.string(),
  size: z.int(),
  entries: z.array(z.strictObject({name: z.string(), size: z.int()})),
  /** What could not be had, and why. */
  missed: z.array(z.strictObject({what: z.string(), why: z.string()})),
});

/** Of a cluster's runs the latest. */
const runsKept = 5;

export default class Support extends TargetCommand<ResultOf<typeof result>> {
  static override summary = 'Make a bundle for a bug report, without secrets.';
  static override description =
    "Versions, the file as it was read, the last runs and, in agent mode, of every host: facts, the agent's state and events, logs. Known secrets, and whatever looks like one, are taken out; files and manifests are told by digest. A host that does not answer is left out, and said so. Look into it before you give it away: tar tzf FILE.";
  static override examples = ['<%= config.bin %> support', '<%= config.bin %> support berth --out berth-support.tar.gz --lines 2000'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    out: Flags.string({summary: 'Where to write; default: trireme-support-CLUSTER-TIME.tar.gz here.', env: 'TRIREME_OUT', helpValue: 'FILE'}),
    lines: Flags.integer({summary: "Lines of each service's log.", env: 'TRIREME_LINES', min: 0, default: 500}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(Support);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    const name = target.kind === 'file' ? target.cluster.document.metadata.name : target.name;
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const missed: {what: string; why: string}[] = [];
    const entries: SupportEntry[] = [];
    if (target.kind === 'file') {
      entries.push(json('file.json', target.cluster.document));
      if (target.cluster.document.spec.mode === 'agent')
        entries.push(...(await this.#fromHosts(target.cluster, flags, (what, why) => missed.push({what, why: this.#clean(why)}))));
    }
    entries.push(...(await this.#runs(name, (what, why) => missed.push({what, why}))));
    const about = {
      at,
      cluster: name,
      program: this.config.version,
      node: process.versions.node,
      system: `${platform()} ${release()} ${arch()}`,
      settings: this.settings,
      missed,
    };
    const all = [json('about.json', about), ...entries].map((entry) => ({name: entry.name, content: Buffer.from(this.#clean(entry.text))}));
    const path = resolve(flags.out ?? `trireme-support-${name}-${at.replaceAll(/[-:]/g, '')}.tar.gz`);
    const archive = await promisify(gzip)(Buffer.concat([...all.flatMap((entry) => [...tarEntry(entry.name, entry.content, 0o600)]), tarEnd()]));
    await writeFileAtomic(path, archive, {mode: 0o600});
    await chmod(path, 0o600);
    for (const {what, why} of missed) this.out.warn({code: 'facts.incomplete', message: `Not in it: ${what}: ${why}`});
    this.out.print(this.out.format === 'name' ? path : `${path}\n  ${formatBytes(archive.length)}, ${all.length} files`);
    this.out.note('Secrets were taken out. Look into it before you give it away.');
    return {cluster: name, path, size: archive.length, entries: all.map((entry) => ({name: entry.name, size: entry.content.length})), missed};
  }

  /** What is known as a secret, and what looks like one. */
  #clean(text: string): string {
    return scrub(this.redactor.text(text));
  }

  async #fromHosts(
    cluster: Parameters<Support['withScope']>[0],
    flags: {readonly lines: number; readonly concurrency?: number},
    missed: (what: string, why: string) => void,
  ) {
    const {collectFromHosts} = await import('../modes/agent/support.ts');
    return this.withScope(cluster, flags, (_mode, scope) => collectFromHosts(cluster, scope as AgentScope, {lines: flags.lines, signal: this.signal, missed}));
  }

  async #runs(name: string, missed: (what: string, why: string) => void): Promise<readonly SupportEntry[]> {
    const found: SupportEntry[] = [];
    for (const run of await listRuns(stateFolder())) {
      if (found.length >= runsKept) break;
      try {
        const record = await readRun(stateFolder(), run);
        if (record.header.cluster !== name) continue;
        found.push({name: `runs/${run}.ndjson`, text: [record.header, ...record.events].map((line) => `${JSON.stringify(line)}\n`).join('')});
      } catch (error) {
        missed(`run ${run}`, (error as Error).message);
      }
    }
    return found;
  }
}

const json = (name: string, value: unknown): SupportEntry => ({name, text: `${JSON.stringify(value, null, 2)}\n`});
