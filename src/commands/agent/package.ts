import {access} from 'node:fs/promises';
import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {z} from 'zod';
import type {Architecture} from '../../hostcluster/facts.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import {count, formatBytes} from '../../output/table.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {ClusterCommand} from '../base-cluster.ts';
import {clusterFlags} from '../base-flags.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  out: z.string(),
  form: z.enum(['script', 'tar']),
  architecture: z.enum(['amd64', 'arm64']),
  version: z.string(),
  host: z.string().optional(),
  size: z.int(),
  digest: z.string(),
  blobs: z.int(),
  secret: z.boolean(),
});

export default class AgentPackage extends ClusterCommand<ResultOf<typeof result>> {
  static override summary = 'Make the agent into an install script, or into a tar for an image of your own.';
  static override description =
    'For hosts that nobody can log in to, and for images that have the agent inside. The script checks what it carries and changes nothing when it is run again; the tar is laid over a root file system. With --host the package also carries the content that this host needs, what it shall be and the secrets to join the running cluster: keep it like a password. The host joins as one does that was pushed to.';
  static override examples = [
    '<%= config.bin %> agent package --script install-agent.sh',
    '<%= config.bin %> agent package --tar agent.tar --arch arm64',
    '<%= config.bin %> agent package -f trireme.yaml --host h5 --script h5.sh',
  ];
  static override flags = {
    ...clusterFlags,
    script: Flags.string({summary: 'Write an install script to this file.', env: 'TRIREME_SCRIPT', helpValue: 'FILE', exactlyOne: ['script', 'tar']}),
    tar: Flags.string({summary: 'Write a tar for a root file system to this file.', env: 'TRIREME_TAR', helpValue: 'FILE', exactlyOne: ['script', 'tar']}),
    host: Flags.string({summary: 'Enrol this host of the file: content, what it shall be, and secrets go along.', env: 'TRIREME_HOST', helpValue: 'NAME'}),
    arch: Flags.string({summary: 'Architecture of the host.', env: 'TRIREME_ARCH', options: ['amd64', 'arm64'], default: 'amd64'}),
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(AgentPackage);
    const architecture = flags.arch as Architecture;
    const {host} = flags;
    const cluster = await this.#cluster(flags, host !== undefined);
    const [{agentPart, hostPart}, {writeImageTar, writeInstallScript}] = await Promise.all([
      import('../../modes/agent/package.ts'),
      import('../../hostcluster/package.ts'),
    ]);
    const agent = await agentPart(architecture, cluster);
    const onProgress = (name: string, received: number, total: number) => void (received === total && this.out.detail(`${name}: ${formatBytes(total)}`));
    const own =
      host === undefined || cluster === undefined
        ? {content: []}
        : await this.withScope(cluster, {}, (_mode, scope) => hostPart(cluster, scope as AgentScope, {host, architecture, signal: this.signal, onProgress}));
    const out = resolve(flags.script ?? flags.tar ?? '');
    const written = await (flags.script === undefined ? writeImageTar : writeInstallScript)(out, {...agent, ...own});
    this.out.print(
      this.out.format === 'name'
        ? out
        : `${out}: agent ${agent.version} for ${architecture}, ${count(own.content.length, 'blob')} of content, ${formatBytes(written.size)}`,
    );
    if (host !== undefined) this.out.note(`${out} holds secrets of the cluster: bring it to ${host}, then remove it here.`);
    return {
      ...written,
      form: flags.script === undefined ? ('tar' as const) : ('script' as const),
      architecture,
      version: agent.version,
      ...(host === undefined ? {} : {host}),
      blobs: own.content.length,
      secret: host !== undefined,
    };
  }

  /** A host needs its file; the agent alone only takes its folder and runtime from one, where there is one. */
  async #cluster(flags: {readonly file?: readonly string[]; readonly cluster?: string}, isNeeded: boolean): Promise<DesiredCluster | undefined> {
    const isGiven = flags.file !== undefined || flags.cluster !== undefined;
    const isHere = await access('trireme.yaml').then(
      () => true,
      () => false,
    );
    if (!isNeeded && !isGiven && !isHere) return undefined;
    const cluster = isNeeded ? await this.readRendered(flags) : await this.readCluster(flags);
    if (cluster.document.spec.mode !== 'agent')
      throw new TriremeError(
        'mode.unsupported',
        `${cluster.document.metadata.name} is in ${cluster.document.spec.mode} mode, which has no agents that you install.`,
      );
    return cluster;
  }
}
