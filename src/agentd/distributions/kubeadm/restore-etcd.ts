// A cluster comes back from a backup: its data is put in place before kubeadm starts the cluster, and what the old hosts left in it is taken out afterwards.
import {chmod, mkdir, readdir, rename} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {TriremeError} from '../../../kernel/errors.ts';
import {syncFolder, syncTree} from '../../../kernel/files.ts';
import {agentPaths} from '../../../hostcluster/protocol.ts';
import {lastLine, type HostSystem} from '../../host-system.ts';
import type {AgentStep, AgentStepContext, Target} from '../../reconciler.ts';
import {blobPath} from '../../reconcilers/content.ts';
import {noteRestored, restoredSnapshot} from '../../snapshot-files.ts';
import {adminApi} from './access.ts';
import {imageNamed} from './images.ts';

const data = '/var/lib/etcd';
const work = agentPaths.restore;
/** Revisions are raised by so much: whoever watches must not see the counter go back over what it has seen. */
const bump = 1_000_000_000;
/** In ms. */
const deadline = 30 * 60_000;

const keys = {data: 'restore.data', cleaned: 'restore.cleaned'};

/** True while a backup's data waits to become this cluster's. */
export async function isRestoring({host, records}: Pick<Target, 'host' | 'records'>): Promise<boolean> {
  return records.get(keys.data) === true || (await host.exists(restoredSnapshot));
}

/** Before `kubeadm init`. */
export function restoreDataStep(): AgentStep {
  return {
    id: 'restore:data',
    title: "Put the backup's data in place",
    effect: 'none',
    check: async ({scope}) => (scope.records.get(keys.data) === true ? 'satisfied' : 'needed'),
    apply: async ({scope, signal}) => {
      const {host, wanted, records} = scope;
      const [address] = wanted.node.addresses;
      if (address === undefined) throw new TriremeError('agent.failed', `The node's address isn't known on ${host.name}.`, {host: host.name});
      const peer = `https://${address.includes(':') ? `[${address}]` : address}:2380`;
      // etcd's folder may be a file system of its own, and a rename stays within one
      const part = `${data}/.trireme-restore`;
      await host.remove(part);
      await mkdir(host.path(data), {recursive: true, mode: 0o700});
      await chmod(host.path(data), 0o700);
      const program = await extractTool(scope);
      const args = [
        'snapshot',
        'restore',
        restoredSnapshot,
        '--data-dir',
        part,
        '--name',
        wanted.node.name,
        '--initial-cluster',
        `${wanted.node.name}=${peer}`,
      ];
      const result = await host.run(program, [...args, '--initial-advertise-peer-urls', peer, '--bump-revision', String(bump), '--mark-compacted'], {
        deadline,
        signal,
      });
      if (result.code !== 0)
        throw new TriremeError('agent.failed', `etcd's tool can't restore the backup on ${host.name}: ${lastLine(result)}`, {host: host.name});
      await place(host, part);
      await records.set(keys.data, true);
      await noteRestored(host);
    },
  };
}

async function place(host: HostSystem, part: string): Promise<void> {
  if (await host.exists(`${data}/member`))
    throw new TriremeError('agent.failed', `${data} on ${host.name} holds another cluster's data; it isn't replaced.`, {
      host: host.name,
      hints: [`Take the host out of its cluster first: trireme host reset ${host.name}`],
    });
  await syncTree(host.path(part));
  await rename(host.path(`${part}/member`), host.path(`${data}/member`));
  await syncFolder(host.path(data));
  await host.remove(part);
}

/** etcdutl comes in etcd's own image, whose layers lie on this host. */
async function extractTool({host, wanted}: Target): Promise<string> {
  const item = imageNamed(wanted, 'etcd')?.item;
  const {x} = await import('tar');
  const to = `${work}/bin`;
  await mkdir(host.path(to), {recursive: true, mode: 0o700});
  for (const {digest, mediaType} of item?.blobs ?? []) {
    if (!/layer|diff\.tar/.test(mediaType ?? '')) continue;
    await x({
      file: host.path(blobPath(digest)),
      cwd: host.path(to),
      filter: (path, entry) => basename(path) === 'etcdutl' && 'type' in entry && entry.type === 'File',
      preserveOwner: false,
    });
    const found = (await readdir(host.path(to), {recursive: true, withFileTypes: true})).find((entry) => entry.isFile() && entry.name === 'etcdutl');
    if (found !== undefined) return join(found.parentPath, found.name);
  }
  throw new TriremeError('bundle.incomplete', `etcd's image on ${host.name} has no etcdutl in it, which restores a backup.`, {
    host: host.name,
    hints: [`Looked into the layers of ${item?.reference ?? 'no image'} below ${join(work, '..', 'content')}.`],
  });
}

/** After `kubeadm init`: nodes, and mirrors of static pods, of hosts that are no more. Those that come will register anew. */
export function forgetOldHostsStep(): AgentStep {
  return {
    id: 'restore:forget',
    title: "Forget the backup's hosts",
    effect: 'none',
    check: async ({scope}) => (scope.records.get(keys.cleaned) === true ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const names = await forgetOldHosts(context);
      await context.scope.records.set(keys.cleaned, true);
      await context.scope.host.remove(work);
      return names.length === 0 ? undefined : names.join(', ');
    },
  };
}

async function forgetOldHosts({scope, signal}: AgentStepContext): Promise<readonly string[]> {
  const {host, wanted} = scope;
  const api = await adminApi(scope);
  if (api === undefined) throw new TriremeError('agent.failed', `${host.name} has no administrator's kubeconfig.`, {host: host.name});
  const nodes = await api.get<{items: readonly {metadata: {name: string}}[]}>('/api/v1/nodes', signal);
  const old = (nodes?.items ?? []).map((node) => node.metadata.name).filter((name) => name !== wanted.node.name);
  const pods = await api.get<{items: readonly {metadata: {name: string; namespace: string}; spec: {nodeName?: string}}[]}>('/api/v1/pods', signal);
  for (const {metadata, spec} of pods?.items ?? []) {
    if (spec.nodeName === undefined || !old.includes(spec.nodeName)) continue;
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}?gracePeriodSeconds=0`;
    await api.send({method: 'DELETE', path, signal});
  }
  for (const name of old) await api.send({method: 'DELETE', path: `/api/v1/nodes/${name}`, signal});
  return old;
}
