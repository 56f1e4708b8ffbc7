// The steps of a restoration that come before what every new cluster needs: the backup's keys instead of new ones, and its data to the host that starts.
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostClusterFacts} from '../facts.ts';
import {reachedHosts} from '../facts.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {agentPaths} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {clusterIdOf} from '../secrets.ts';
import {rootedPath} from '../shell.ts';
import type {OpenedBackup} from './file.ts';

/** Throws `cluster.foreign` when a host belongs to a cluster, `backup.incompatible` when file and backup are not of one kind. */
export function refuseRestoration(cluster: DesiredCluster, facts: HostClusterFacts, {manifest}: OpenedBackup): void {
  const {spec} = cluster.document;
  if (manifest.distribution !== spec.kubernetes.distribution)
    throw new TriremeError(
      'backup.incompatible',
      `The backup is of a ${manifest.distribution} cluster, and the file describes a ${spec.kubernetes.distribution} cluster.`,
    );
  if (minorOf(manifest.kubernetesVersion) !== minorOf(spec.kubernetes.version))
    throw new TriremeError(
      'backup.incompatible',
      `The backup was taken with Kubernetes ${manifest.kubernetesVersion}, and the file wants ${spec.kubernetes.version}: data goes into the minor version that wrote it.`,
      {hints: [`Set spec.kubernetes.version to ${manifest.kubernetesVersion}, restore, and upgrade afterwards.`]},
    );
  const taken = reachedHosts(facts).find((host) => host.seen?.wanted != null && !isOurHalf(host.seen.wanted.cluster.id, host.seen.member, manifest.cluster.id));
  if (taken !== undefined)
    throw new TriremeError(
      'cluster.foreign',
      `${taken.host} belongs to the cluster ${taken.seen?.wanted?.cluster.name ?? ''} (${taken.seen?.wanted?.cluster.id ?? ''}); a backup is restored onto hosts that belong to none.`,
      {host: taken.host, hints: [`Take it out of its cluster: trireme host reset ${taken.host}`, 'Or name other hosts in the file.']},
    );
}

/** A host of this very restoration, which was interrupted: it is on its way, and no member yet. */
function isOurHalf(id: string, isMember: boolean, wanted: string): boolean {
  return id === wanted && !isMember;
}

const minorOf = (version: string) => version.replace(/^v/, '').split('.').slice(0, 2).join('.');

/** The backup's keys, with a new token, to the host that starts the cluster, before anything else is done with them. */
export function restoreSecretsStep(backup: OpenedBackup, host: string): Step<HostClusterScope> {
  return {
    id: 'restore:secrets',
    title: "Bring the backup's keys",
    effect: 'none',
    check: async ({scope}) => {
      const found = await scope.secrets.read([host]);
      if (found === undefined) return 'needed';
      if (clusterIdOf(found) === backup.manifest.cluster.id) return 'satisfied';
      throw new TriremeError('cluster.foreign', `${host} has the keys of another cluster (${clusterIdOf(found)}).`, {
        host,
        hints: [`Take it out of that cluster: trireme host reset ${host}`],
      });
    },
    apply: async ({scope}) => {
      await scope.secrets.restore(host, backup.secrets);
      return `kept on ${host}, readable for root only`;
    },
  };
}

/** The backup's data to the host that starts the cluster; its agent puts it in place. */
export function restoreDataStep(backup: OpenedBackup, host: string): Step<HostClusterScope> {
  return {
    id: `restore:${host}`,
    title: "Bring the backup's data",
    host,
    effect: 'none',
    check: async ({scope}) => {
      const runner = await scope.runner(host);
      const at = (name: string) => rootedPath(`${agentPaths.restore}/${name}`);
      const script = `if [ -e ${at('expected')} ] && [ ! -e ${at('snapshot.db')} ]; then echo needed; fi`;
      const {stdout} = await runner.run(script, {root: true, deadline: 30_000, repeatable: true});
      return stdout.includes('needed') ? 'needed' : 'satisfied';
    },
    apply: async ({scope, signal, emit}) => {
      let sent = 0;
      const source = async function* () {
        for await (const chunk of backup.data()) {
          sent += chunk.length;
          emit({type: 'transfer.progressed', host, name: 'backup', sent, total: backup.dataSize});
          yield chunk;
        }
      };
      await (await scope.link(host)).putSnapshot({size: backup.dataSize, digest: backup.dataDigest, chunks: source()}, {signal});
      return `${(backup.dataSize / 1024 / 1024).toFixed(1)} MiB, taken ${backup.manifest.takenAt} from ${backup.manifest.takenFrom}`;
    },
  };
}
