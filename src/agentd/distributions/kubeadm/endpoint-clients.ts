// Where the endpoint has moved: those who reach the API through it are told the new one, as soon as it answers with this cluster's certificate. First the
// kubeconfigs of each host, then what all share in the cluster.
import {parse} from 'yaml';
import {isTriremeError} from '../../../kernel/errors.ts';
import {ClusterApi} from '../../cluster-api.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {adminApi, adminKubeconfig, kubeletKubeconfig, ownServer, superAdminKubeconfig} from './access.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {memberOf} from './member.ts';
import {memberNeeds} from './names.ts';
import {endpointOf, renderInit} from './render-kubeadm.ts';
import {traitsOf} from './traits.ts';

const serverLine = /^(\s*server:\s*)(\S+)\s*$/m;
const restartKey = 'endpoint.kubelet-restart';

export const endpointClients: Reconciler = {
  name: 'endpoint-clients',
  needs: memberNeeds,
  inputs: ['endpoint', 'role', 'node.addresses'],
  outputs: ['server of kubeconfigs'],
  interval: 60_000,
  waitsFor: async (target, signal) => (memberOf(target) === undefined || (await staleFiles(target)).length === 0 ? undefined : whyNotThere(target, signal)),
  steps: () => [kubeconfigsStep()],
};

const serverOf = ({wanted}: Pick<Target, 'wanted'>) => `https://${endpointOf(wanted)}`;

/** A control plane's kubelet may speak to the API server beside it instead: newer versions of kubeadm have it so. */
async function staleFiles(target: Target): Promise<readonly string[]> {
  const {host, wanted} = target;
  const isControlPlane = wanted.role === 'control-plane';
  const own = wanted.node.addresses.slice(0, 1).map(ownServer);
  const stale: string[] = [];
  for (const path of isControlPlane ? [adminKubeconfig, superAdminKubeconfig, kubeletKubeconfig] : [kubeletKubeconfig]) {
    const server = serverLine.exec((await host.read(path)) ?? '')?.[2];
    const isFine = server === undefined || server === serverOf(target) || (path === kubeletKubeconfig && isControlPlane && own.includes(server));
    if (!isFine) stale.push(path);
  }
  return stale;
}

/** What keeps the new endpoint from being used; undefined when it answers as this cluster's. What it answers doesn't matter: its certificate does. */
async function whyNotThere(target: Target, signal: AbortSignal): Promise<string | undefined> {
  const config = parse((await target.host.read(kubeletKubeconfig)) ?? '') as {clusters?: readonly {cluster?: Readonly<Record<string, string>>}[]} | null;
  const data = config?.clusters?.[0]?.cluster?.['certificate-authority-data'];
  if (data === undefined) return undefined;
  const api = new ClusterApi({server: serverOf(target), ca: Buffer.from(data, 'base64').toString('utf8')});
  try {
    await api.send({path: '/livez', signal, deadline: 5000});
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!isTriremeError(error)) throw error;
    return `the new endpoint ${serverOf(target)}: ${error.message}`;
  } finally {
    api.close();
  }
}

function kubeconfigsStep(): AgentStep {
  return {
    id: 'endpoint:kubeconfigs',
    title: 'Use the new endpoint',
    effect: 'restart',
    check: async ({scope}) => ((await staleFiles(scope)).length > 0 || scope.records.get(restartKey) === true ? 'needed' : 'satisfied'),
    apply: async ({scope}) => {
      const {host, records} = scope;
      const stale = await staleFiles(scope);
      // noted before it is written: whatever happens then, the kubelet is started anew
      if (stale.includes(kubeletKubeconfig)) await records.set(restartKey, true);
      for (const path of stale) {
        const text = (await host.read(path)) ?? '';
        await host.write(
          path,
          text.replace(serverLine, (_line, before: string) => `${before}${serverOf(scope)}`),
          '0600',
        );
      }
      if (records.get(restartKey) === true) {
        await host.services.restart('kubelet.service');
        await records.set(restartKey, false);
      }
      return serverOf(scope);
    },
  };
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

const proxyMap = '/api/v1/namespaces/kube-system/configmaps/kube-proxy';
const infoMap = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/** What the cluster itself says of its endpoint: for later joins, and for kube-proxy on every node. */
export function sharedEndpointStep(): AgentStep {
  return {
    id: 'shared:endpoint',
    title: 'Tell the cluster its new endpoint',
    effect: 'none',
    check: async (context) => ((await staleMaps(context)).length > 0 ? 'needed' : 'satisfied'),
    apply: async (context) => {
      for (const stale of await staleMaps(context)) await stale.renew();
    },
  };
}

async function staleMaps(context: AgentStepContext): Promise<readonly {readonly renew: () => Promise<void>}[]> {
  const {scope, signal} = context;
  const api = await adminApi(scope);
  if (api === undefined) return [];
  const {host, wanted} = scope;
  const server = serverOf(scope);
  const read = async (path: string) => (await api.get<ConfigMap>(path, signal))?.data;
  const [kubeadm, proxy, info] = [await read('/api/v1/namespaces/kube-system/configmaps/kubeadm-config'), await read(proxyMap), await read(infoMap)];
  const phase = async (...args: readonly string[]) =>
    void (await runKubeadm(context, {
      args: ['init', 'phase', ...args],
      config: renderInit({wanted, traits: await traitsOf(host)}),
      purpose: 'tell the cluster its new endpoint',
      step: 'shared:endpoint',
    }));
  const known = parse(kubeadm?.['ClusterConfiguration'] ?? '') as {controlPlaneEndpoint?: string} | null;
  const isStale = (text: string | undefined) => text !== undefined && (serverLine.exec(text)?.[2] ?? server) !== server;
  return [
    ...(known === null || known.controlPlaneEndpoint === endpointOf(wanted) ? [] : [{renew: () => phase('upload-config', 'kubeadm')}]),
    ...(isStale(proxy?.['kubeconfig.conf'])
      ? [
          {
            renew: async () => {
              await phase('addon', 'kube-proxy');
              // kube-proxy reads it only when it starts
              const annotations = {'trireme.dev/endpoint': endpointOf(wanted)};
              const body = {spec: {template: {metadata: {annotations}}}};
              await api.change({method: 'PATCH', path: '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy', body, signal});
            },
          },
        ]
      : []),
    ...(isStale(info?.['kubeconfig'])
      ? [
          {
            renew: async () => {
              const kubeconfig = info?.['kubeconfig']?.replace(serverLine, (_line, before: string) => `${before}${server}`);
              await api.change({method: 'PATCH', path: infoMap, body: {data: {kubeconfig}}, signal});
            },
          },
        ]
      : []),
  ];
}
