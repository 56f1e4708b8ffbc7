// Taking a backup: a control plane's copy of the data, and the cluster's keys, straight into an encrypted file here.
import {isAbortError, TriremeError} from '../../kernel/errors.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {HostClusterScope} from '../scope.ts';
import {hostsOf} from '../wanted.ts';
import {writeBackup, type BackupManifest, type WrittenBackup} from './file.ts';
import type {Locks} from './lock-box.ts';

export interface TakeOptions {
  readonly path: string;
  readonly locks: Locks;
  readonly program: string;
  readonly at: string;
  readonly signal: AbortSignal;
  /** Told of a control plane that could not give its copy. */
  warn(message: string): void;
}

export interface TakenBackup extends WrittenBackup {
  readonly from: string;
  readonly about: Omit<BackupManifest, 'format' | 'version' | 'parts'>;
  /** Bytes of the data within. */
  readonly dataSize: number;
}

/** From a control plane whose etcd is well, else from any that can give one: where the majority is lost a backup matters most. Throws `cluster.not-made` when nobody is a member, else what the last one said. */
export async function takeBackup(cluster: DesiredCluster, scope: HostClusterScope, options: TakeOptions): Promise<TakenBackup> {
  const controlPlanes = hostsOf(cluster).filter((host) => host.role === 'control-plane');
  const names = await healthiestFirst(
    controlPlanes.map((host) => host.name),
    scope,
    options.signal,
  );
  let failure: unknown;
  for (const host of names) {
    try {
      return await takeFrom(host, cluster, scope, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (isAbortError(error)) throw error;
      failure = error;
      if (host !== names.at(-1)) options.warn(`${host} gives no backup: ${(error as Error).message}`);
    }
  }
  throw failure;
}

async function healthiestFirst(names: readonly string[], scope: HostClusterScope, signal: AbortSignal): Promise<readonly string[]> {
  const ranks = await Promise.all(
    names.map(async (name) => {
      // who doesn't answer is asked last, and says why then
      const state = await scope
        .link(name)
        .then((link) => link.state({signal}))
        .catch(() => undefined);
      if (state === undefined || !state.member) return 2;
      return state.etcd?.find((member) => member.name === name)?.healthy === false ? 1 : 0;
    }),
  );
  signal.throwIfAborted();
  return names.toSorted((a, b) => (ranks[names.indexOf(a)] ?? 0) - (ranks[names.indexOf(b)] ?? 0));
}

async function takeFrom(host: string, cluster: DesiredCluster, scope: HostClusterScope, options: TakeOptions): Promise<TakenBackup> {
  const {signal} = options;
  const link = await scope.link(host);
  const state = await link.state({signal});
  if (state.wanted === null || !state.member) throw new TriremeError('cluster.not-made', `${host} isn't a member of its cluster yet.`, {host});
  const {bootstrapToken: _token, ...secrets} = await secretsOf(host, scope);
  const about = {
    simulated: state.simulated,
    cluster: {name: state.wanted.cluster.name, id: state.wanted.cluster.id},
    distribution: state.wanted.distribution,
    kubernetesVersion: state.wanted.kubernetesVersion,
    takenAt: options.at,
    takenFrom: host,
    program: options.program,
    hosts: hostsOf(cluster).map(({name, role}) => ({name, role})),
  };
  const snapshot = await link.snapshot({signal});
  const complete = {...about, dataVersion: snapshot.version};
  const written = await writeBackup(options.path, {about: complete, secrets, data: snapshot}, options.locks);
  return {...written, from: host, about: complete, dataSize: snapshot.size};
}

async function secretsOf(host: string, scope: HostClusterScope) {
  const secrets = await scope.secrets.read([host]);
  if (secrets === undefined) throw new TriremeError('cluster.not-made', `${host} has no secrets of its cluster.`, {host});
  return secrets;
}
