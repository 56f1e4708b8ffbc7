// The endpoint's address, where the control planes serve it themselves: kube-vip as a static pod on each of them, with a Lease that says whose it is.
//
// The first control plane needs the address before anything else: `kubeadm init` speaks to the API at the endpoint. So its manifest lies there before
// init begins, and the rights to the Lease are given as soon as the new API server answers on the host's own address, while init is still waiting.
import {mkdir} from 'node:fs/promises';
import {networkInterfaces} from 'node:os';
import {sleep} from '../../../kernel/cancel.ts';
import {digestOfValue} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {EndpointState, Wanted, WantedVip} from '../../../hostcluster/protocol.ts';
import type {ClusterApi} from '../../cluster-api.ts';
import {absentStep} from '../../file-step.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {ownAdminApi, ownSuperAdminApi} from './access.ts';
import {clientOf} from './certificate-files.ts';
import {endContainers} from './containers.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {
  endpointContainer,
  endpointKubeconfig,
  endpointLease,
  endpointNamespace,
  endpointPod,
  endpointRights,
  endpointUser,
  renderEndpoint,
} from './render-endpoint.ts';
import {renderInit} from './render-kubeadm.ts';
import {manifestOf, placeManifest} from './static-pod.ts';
import {traitsOf} from './traits.ts';

/** In ms: with others there it takes one or two seconds; alone there's nobody to wait for. */
const handOverPatience = 10_000;
const manifest = manifestOf(endpointPod);
const leases = `/apis/coordination.k8s.io/v1/namespaces/${endpointNamespace}/leases`;

/** On control planes that are members. Without a vip nothing of it stays. */
export const endpoint: Reconciler = {
  name: 'endpoint',
  needs: ['control-plane'],
  inputs: ['endpoint', 'node.name', 'node.addresses'],
  outputs: [manifest, endpointKubeconfig],
  interval: 60_000,
  watches: () => [manifest, endpointKubeconfig],
  steps: ({wanted}) => (wanted.endpoint.vip === undefined ? [absentStep(manifest), absentStep(endpointKubeconfig)] : [rightsStep(), ...podSteps(wanted)]),
};

/** What has to lie on a host so that its kubelet serves the address; nothing where somebody else does. */
export function podSteps({endpoint: {vip}}: Wanted): readonly AgentStep[] {
  return vip === undefined ? [] : [kubeconfigStep(), manifestStep(vip)];
}

function kubeconfigStep(): AgentStep {
  return {
    id: 'endpoint:kubeconfig',
    title: 'Sign credentials for the endpoint',
    subject: endpointKubeconfig,
    effect: 'none',
    // that it ends in time is watched over with the other certificates
    check: async ({scope: {host}}) => (clientOf((await host.read(endpointKubeconfig)) ?? '') === undefined ? 'needed' : 'satisfied'),
    apply: async (context) => signEndpointKubeconfig(context, 'endpoint:kubeconfig'),
  };
}

/** Makes them anew, too. */
export async function signEndpointKubeconfig(context: AgentStepContext, step: string): Promise<void> {
  const {host, wanted} = context.scope;
  const validity = wanted.configuration.kubeadm['certificateValidityPeriod'];
  const text = await runKubeadm(context, {
    args: ['kubeconfig', 'user', `--client-name=${endpointUser}`, ...(typeof validity === 'string' ? [`--validity-period=${validity}`] : [])],
    config: renderInit({wanted, traits: await traitsOf(host)}),
    purpose: 'sign credentials for the endpoint',
    step,
    isQuiet: true,
  });
  if (clientOf(text) === undefined) throw new TriremeError('agent.failed', `kubeadm wrote no credentials for the endpoint on ${host.name}.`, {host: host.name});
  await host.write(endpointKubeconfig, text, '0600');
}

function manifestStep(vip: WantedVip): AgentStep {
  const render = (target: Target) => renderEndpoint(target.wanted, {image: vip.image, interface: vip.interface ?? interfaceOf(target)});
  return {
    id: 'endpoint:manifest',
    title: "Serve the endpoint's address",
    subject: manifest,
    effect: 'none',
    check: async ({scope}) => ((await scope.host.read(manifest)) === render(scope) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      await mkdir(scope.host.path('/etc/kubernetes/manifests'), {recursive: true, mode: 0o755});
      await placeManifest(scope.host, endpointPod, render(scope));
      return `${scope.wanted.endpoint.host} by ${vip.image}`;
    },
    found: async ({host}) => ((await host.exists(manifest)) ? 'other settings' : 'missing'),
  };
}

/** The interface that has the node's address: where the others look for it, the endpoint's is as well. Undefined: the default route's. */
function interfaceOf({host, wanted: {node}}: Target): string | undefined {
  const [address] = node.addresses;
  if (address === undefined) return undefined;
  const found = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some((one) => one.address === address));
  if (found !== undefined) return found[0];
  throw new TriremeError('agent.failed', `No interface of ${host.name} has the node's address ${address}, so it isn't known where to serve the endpoint.`, {
    host: host.name,
    hints: ['Name it in the file: spec.endpoint.interface'],
  });
}

function rightsStep(): AgentStep {
  return {
    id: 'endpoint:rights',
    title: 'Give the right to hold the endpoint',
    effect: 'none',
    check: async ({scope, signal}) => {
      const api = await requireOwnApi(scope);
      for (const {path, body} of endpointRights) {
        const found = await api.get<Record<string, unknown>>(path, signal);
        if (found === undefined || rightsIn(found) !== rightsIn(body)) return 'needed';
      }
      return 'satisfied';
    },
    apply: async ({scope, signal}) => grant(await requireOwnApi(scope), signal),
  };
}

const rightsIn = ({rules, roleRef, subjects}: Readonly<Record<string, unknown>>) => digestOfValue([rules ?? null, roleRef ?? null, subjects ?? null]);

async function requireOwnApi(target: Target): Promise<ClusterApi> {
  const api = await ownAdminApi(target);
  if (api === undefined) throw new TriremeError('agent.failed', `${target.host.name} has no administrator's kubeconfig.`, {host: target.host.name});
  return api;
}

async function grant(api: ClusterApi, signal: AbortSignal): Promise<void> {
  for (const {path, body} of endpointRights)
    await api.change({method: 'PATCH', path: `${path}?fieldManager=trireme&force=true`, type: 'application/apply-patch+yaml', body, signal});
}

/** Runs `work`, which waits for the endpoint, and gives the right to hold it as soon as this host's own API server answers. */
export async function whileGranting(context: AgentStepContext, work: () => Promise<unknown>): Promise<void> {
  const {scope, signal, emit} = context;
  if (scope.wanted.endpoint.vip === undefined) {
    await work();
    return;
  }
  const ended = new AbortController();
  const granting = grantWhenServed(scope, AbortSignal.any([signal, ended.signal]), (line) =>
    emit({type: 'step.output', step: 'kubeadm-init', host: scope.host.name, stream: 'stdout', line}),
  );
  try {
    await work();
  } finally {
    ended.abort();
    await granting;
  }
}

/** Until it's done or the signal aborts: what keeps it from that is what keeps the API server from serving, and kubeadm tells. */
async function grantWhenServed(target: Target, signal: AbortSignal, tell: (line: string) => void): Promise<void> {
  while (!signal.aborted) {
    try {
      const api = await ownSuperAdminApi(target);
      if (api !== undefined) {
        await grant(api, signal);
        tell(`[trireme] ${target.host.name} may hold the endpoint's address ${target.wanted.endpoint.host}`);
        return;
      }
    } catch {
      // it doesn't serve yet, or not all of it
    }
    await sleep(500, signal).catch(() => {});
  }
}

interface LeaseObject {
  readonly spec?: {readonly holderIdentity?: string; readonly acquireTime?: string};
}

/** Who has the address, as the API tells; undefined where the control planes don't serve it. */
export async function observeEndpoint(api: ClusterApi, {wanted}: Pick<Target, 'wanted'>, signal: AbortSignal): Promise<EndpointState | undefined> {
  if (wanted.endpoint.vip === undefined) return undefined;
  const lease = await api.get<LeaseObject>(`${leases}/${endpointLease(wanted)}`, signal);
  const {holderIdentity = '', acquireTime} = lease?.spec ?? {};
  return {
    address: wanted.endpoint.host,
    ...(holderIdentity === '' ? {} : {holder: holderIdentity}),
    ...(holderIdentity === '' || acquireTime === undefined ? {} : {since: acquireTime.replace(/\.\d+Z$/, 'Z')}),
  };
}

/** Before this host's API server goes away for a while: another control plane gets the address at once, not only when it is missed. */
export async function handOverEndpoint(context: AgentStepContext, step: string): Promise<void> {
  const {scope, signal, emit} = context;
  const api = await ownAdminApi(scope);
  if (scope.wanted.endpoint.vip === undefined || api === undefined) return;
  const held = await observeEndpoint(api, scope, signal).catch(() => undefined);
  if (held?.holder !== scope.wanted.node.name || !(await hasOthers(api, signal))) return;
  // asked to end, it gives the Lease back; started again by the kubelet, it waits for its turn
  await endContainers(scope.host, endpointContainer);
  const other = async () => {
    const now = await observeEndpoint(api, scope, signal).catch(() => undefined);
    return now?.holder === scope.wanted.node.name ? undefined : now?.holder;
  };
  const holder = await waitFor(other, {timeout: handOverPatience, interval: 250, signal});
  const line =
    holder === undefined ? `no other control plane takes the endpoint's address from ${scope.host.name}` : `${holder} has the endpoint's address now`;
  emit({type: 'step.output', step, host: scope.host.name, stream: 'stdout', line});
}

async function hasOthers(api: ClusterApi, signal: AbortSignal): Promise<boolean> {
  const path = '/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fcontrol-plane&limit=2';
  const nodes = await api.get<{items: readonly unknown[]}>(path, signal).catch(() => undefined);
  return (nodes?.items.length ?? 0) > 1;
}
