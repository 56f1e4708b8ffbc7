// Simulated Kubernetes for the sandbox and for tests: the same reconcilers by name and order as the real one, nothing real behind them.
import {stringify} from 'yaml';
import {digestOf} from '../../kernel/digest.ts';
import {sleep} from '../../kernel/cancel.ts';
import {TriremeError} from '../../kernel/errors.ts';
import {controlPlaneTaint, type EndpointState, type EtcdMemberState, type NodeState, type WantedLayer} from '../../hostcluster/protocol.ts';
import type {ClusterApi} from '../cluster-api.ts';
import {fileStep} from '../file-step.ts';
import {registryFolder, registrySteps} from '../registry-files.ts';
import {serviceStep} from '../service-step.ts';
import {content} from '../reconcilers/content.ts';
import {files} from '../reconcilers/files.ts';
import {modules} from '../reconcilers/modules.ts';
import {nodeReconciler, setNode} from '../reconcilers/node.ts';
import {sysctls} from '../reconcilers/sysctls.ts';
import type {AgentStep, Distribution, Reconciler, Target} from '../reconciler.ts';
import {isVersionChange, memberOf, type Member} from './kubeadm/member.ts';
import {memberNeeds} from './kubeadm/names.ts';
import {nodeStatesOf} from './kubeadm/observe.ts';
import {certificates, simulatedCertificates} from './simulated/certificates.ts';
import {missingBackup} from '../snapshot-files.ts';
import {unitMark} from './simulated/host.ts';
import {joinEtcdId, SimulatedMember} from './simulated/member.ts';
import {tokens} from './simulated/server.ts';

export {simulatedHost} from './simulated/host.ts';

/** How long a simulated piece of work takes, in ms: long enough to be seen. */
const pace = Number(process.env['TRIREME_SIMULATED_PACE'] ?? 150);

export function simulatedDistribution(): Distribution {
  const member = new SimulatedMember();
  const node = nodeReconciler({admin: async (target) => member.admin(target), own: async (target) => member.own(target)}, memberNeeds);
  const everywhere = [content, files, modules, sysctls, runtime, images, kubelet];
  return {
    name: 'simulated',
    simulated: true,
    reconcilers: ({role}) => {
      const members = [kubeletService(member), node, upgrade, certificates];
      return role === 'control-plane'
        ? [...everywhere, controlPlane(member), ...members, components(member), token(member), addons(member)]
        : [...everywhere, join(member), ...members];
    },
    isMember: async (target) => memberOf(target) !== undefined,
    running: (target) => memberOf(target)?.kubernetesVersion,
    observe: async (target, signal) => {
      const api = member.admin(target);
      try {
        const nodes = nodeStatesOf((await api?.get<{items: Parameters<typeof nodeStatesOf>[0]}>('/api/v1/nodes', signal))?.items ?? []);
        const layers = (await api?.get<{layers: Record<string, string>}>('/simulated/v1/state', signal))?.layers ?? {};
        const etcdMembers = await member.etcdMembers(target, signal);
        // whoever holds the port on loopback serves it: that is the simulated address going from one control plane to another
        const {host, vip} = target.wanted.endpoint;
        const held = vip === undefined ? undefined : await api?.get<Pick<EndpointState, 'holder' | 'since'>>('/simulated/v1/holder', signal);
        const isReady = nodes.some((one) => one.ready);
        return {
          nodes,
          etcd: simulatedEtcd(target, nodes),
          ...(etcdMembers === undefined ? {} : {etcdMembers}),
          ...(vip === undefined ? {} : {endpoint: {address: host, ...held}}),
          conditions: [
            {type: 'ApiReady', ready: true},
            isReady ? {type: 'DnsReady', ready: true} : {type: 'DnsReady', ready: false, message: 'no node is ready to run CoreDNS'},
            ...target.wanted.layers.map((layer) =>
              layers[layer.name] === digestOf(layer.manifest)
                ? {type: `Layer/${layer.name}`, ready: true}
                : {type: `Layer/${layer.name}`, ready: false, message: 'not applied yet'},
            ),
          ],
        };
      } catch (error) {
        signal.throwIfAborted();
        return {nodes: [], conditions: [{type: 'ApiReady', ready: false, message: (error as Error).message}]};
      }
    },
    certificates: simulatedCertificates,
    // the simulated API reports nothing
    events: async () => [],
    saveSnapshot: async (target, path) => {
      await target.host.write(path, await member.snapshot(target), '0600');
      return {version: 'SIMULATED'};
    },
    kubeconfig: async ({wanted, secrets}) => {
      if (secrets === null) return undefined;
      const {name} = wanted.cluster;
      const user = `${name}-admin`;
      return stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{name, cluster: {server: `http://${wanted.endpoint.host}:${wanted.endpoint.port}`}}],
        contexts: [{name: `${user}@${name}`, context: {cluster: name, user}}],
        'current-context': `${user}@${name}`,
        users: [{name: user, user: {token: tokens.admin(secrets.bootstrapToken)}}],
      });
    },
    setNode: async (target, name, wish, signal) => setNode(requireAdmin(member, target), name, wish, signal),
    adminApi: async (target) => member.admin(target),
    etcdMembers: (target, signal) => member.etcdMembers(target, signal),
    removeEtcdMember: (target, {name}, signal) => member.removeEtcdMember(target, name, signal),
    close: () => member.close(),
  };
}

/** Every control plane holds a copy of the state; whose node is ready counts as a healthy member. The one that serves isn't known: the starter is called leader. */
function simulatedEtcd({wanted}: Target, nodes: readonly NodeState[]): readonly EtcdMemberState[] {
  return nodes
    .filter((node) => node.roles.includes('control-plane'))
    .map((node) => ({
      name: node.name,
      id: digestOf(node.name).slice(7, 23),
      peerUrls: [],
      learner: false,
      leader: wanted.bootstrap && node.name === wanted.node.name,
      healthy: node.ready,
      version: 'SIMULATED',
    }));
}

function requireAdmin(member: SimulatedMember, target: Target): ClusterApi {
  const api = member.admin(target);
  if (api === undefined) throw new TriremeError('cluster.not-made', `${target.host.name} isn't a member of its cluster yet.`, {host: target.host.name});
  return api;
}

/** A step that takes its time and leaves a record. */
function recordStep(
  id: string,
  title: string,
  value: (target: Target) => unknown,
  work: (target: Target, signal: AbortSignal) => Promise<string | void> = async () => {},
): AgentStep {
  return {
    id,
    title,
    effect: 'none',
    check: async ({scope}) => (JSON.stringify(scope.records.get(id)) === JSON.stringify(value(scope)) ? 'satisfied' : 'needed'),
    apply: async ({scope, signal}) => {
      await sleep(pace, signal);
      const said = await work(scope, signal);
      await scope.records.set(id, value(scope));
      return said;
    },
  };
}

const runtime: Reconciler = {
  name: 'runtime',
  needs: ['content', 'modules'],
  inputs: ['content', 'configuration.containerd', 'proxy', 'registries'],
  outputs: ['/etc/containerd/config.toml', registryFolder],
  area: 'runtime',
  steps: async (target) => [
    fileStep({
      path: '/etc/containerd/config.toml',
      content: `# SIMULATED\n${JSON.stringify({...target.wanted.configuration.containerd, proxy: target.wanted.proxy})}\n`,
    }),
    ...(await registrySteps(target)),
    serviceStep({unit: 'containerd.service', files: ['/etc/containerd/config.toml']}),
  ],
};

const images: Reconciler = {
  name: 'images',
  needs: ['content', 'runtime'],
  inputs: ['content'],
  outputs: ['containerd images'],
  area: 'runtime',
  steps: ({wanted}) =>
    wanted.content
      .filter((item) => item.kind === 'image')
      .map((item) => recordStep(`image:${item.reference ?? item.name}`, `Import ${item.reference ?? item.name}`, () => item.digest)),
};

const kubelet: Reconciler = {
  name: 'kubelet',
  needs: ['content'],
  inputs: ['content', 'proxy'],
  outputs: ['/etc/systemd/system/kubelet.service'],
  area: 'kubelet',
  steps: ({wanted}) => [fileStep({path: '/etc/systemd/system/kubelet.service', content: `# SIMULATED\n${JSON.stringify(wanted.proxy)}\n`})],
};

const upgrade: Reconciler = {
  name: 'upgrade',
  needs: [...memberNeeds, 'files', 'sysctls', 'runtime', 'images', 'kubelet'],
  inputs: ['kubernetesVersion'],
  outputs: ['kubernetes version'],
  steps: (target) =>
    isVersionChange(target)
      ? [
          recordStep('upgrade', `Upgrade to ${target.wanted.kubernetesVersion}`, ({wanted}) => wanted.kubernetesVersion),
          {
            id: 'upgrade:done',
            title: 'Note the version',
            effect: 'none',
            check: async ({scope}) => (isVersionChange({...scope}) ? 'needed' : 'satisfied'),
            apply: async ({scope}) =>
              scope.records.set('member', {kubernetesVersion: scope.wanted.kubernetesVersion, at: new Date().toISOString()} satisfies Member),
          },
        ]
      : [],
};

function kubeletService(member: SimulatedMember): Reconciler {
  const path = '/var/lib/kubelet/config.yaml';
  return {
    name: 'kubelet-service',
    needs: [...memberNeeds, 'upgrade'],
    inputs: ['configuration.kubelet', 'network', 'proxy'],
    outputs: [path],
    area: 'kubelet',
    watches: () => [path, unitMark('kubelet.service')],
    steps: (target) => {
      // the kubelet's process is a loop of the agent's
      member.attend(target);
      return [
        fileStep({path, content: `# SIMULATED\n${stringify({kind: 'KubeletConfiguration', ...target.wanted.configuration.kubelet})}`}),
        serviceStep({unit: 'kubelet.service', files: [path, '/etc/systemd/system/kubelet.service']}),
      ];
    },
  };
}

const needs = ['files', 'sysctls', 'runtime', 'images', 'kubelet'];
const inputs = ['cluster', 'kubernetesVersion', 'role', 'bootstrap', 'node.name', 'endpoint', 'secrets'];

function memberStep(): AgentStep {
  return {
    id: 'member',
    title: 'Note that the host is a member',
    effect: 'none',
    check: async ({scope}) => (memberOf(scope) === undefined ? 'needed' : 'satisfied'),
    apply: async ({scope}) => scope.records.set('member', {kubernetesVersion: scope.wanted.kubernetesVersion, at: new Date().toISOString()} satisfies Member),
  };
}

function registerStep(member: SimulatedMember): AgentStep {
  return recordStep(
    'register',
    'Register the node',
    ({wanted}) => wanted.node.name,
    async (target, signal) => {
      const {wanted} = target;
      const isControlPlane = wanted.role === 'control-plane';
      const api = isControlPlane ? member.admin(target) : member.api(target, (secret) => secret);
      const labels = isControlPlane ? {'node-role.kubernetes.io/control-plane': ''} : {};
      await api?.change({
        method: 'POST',
        path: '/api/v1/nodes',
        body: {name: wanted.node.name, version: wanted.kubernetesVersion, labels, taints: wanted.node.taints ?? (isControlPlane ? [controlPlaneTaint] : [])},
        signal,
      });
    },
  );
}

async function waitsForEndpoint(member: SimulatedMember, target: Target): Promise<string | undefined> {
  if (memberOf(target) !== undefined) return undefined;
  if (target.secrets === null) return "the cluster's keys from the operator";
  const {host, port} = target.wanted.endpoint;
  return (await member.answers(target)) ? undefined : `the API at http://${host}:${port}, which doesn't answer yet`;
}

function controlPlane(member: SimulatedMember): Reconciler {
  return {
    name: 'control-plane',
    needs,
    inputs,
    outputs: ['membership'],
    waitsFor: async (target) => {
      if (!target.wanted.bootstrap) return waitsForEndpoint(member, target);
      return target.secrets === null ? "the cluster's keys from the operator" : missingBackup(target.host);
    },
    steps: (target) => {
      if (memberOf(target) !== undefined) return [];
      // etcd has a process of its own: an agent that starts anew in the middle of a join must not leave the others without its voice
      if (target.records.get(joinEtcdId) !== undefined) member.attend(target);
      const start = recordStep(
        'init',
        'Start the cluster',
        ({wanted}) => wanted.cluster.id,
        async (scope) => {
          await member.restore(scope);
          if (!(await member.answers(scope))) await member.serve(scope);
        },
      );
      const joinEtcd = recordStep(
        joinEtcdId,
        'Join etcd',
        () => true,
        (scope, signal) => member.joinEtcd(scope, signal),
      );
      return [...(target.wanted.bootstrap ? [start, serveStep(member), joinEtcd] : [joinEtcd]), registerStep(member), memberStep()];
    },
  };
}

function join(member: SimulatedMember): Reconciler {
  return {
    name: 'join',
    needs,
    inputs,
    outputs: ['node'],
    waitsFor: (target) => waitsForEndpoint(member, target),
    steps: (target) => (memberOf(target) === undefined ? [registerStep(member), memberStep()] : []),
  };
}

/** Someone serves the endpoint; this control plane does when nobody else does. */
function serveStep(member: SimulatedMember): AgentStep {
  return {
    id: 'serve',
    title: 'Serve the API',
    effect: 'none',
    check: async ({scope}) => ((await member.answers(scope)) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => member.serve(scope),
  };
}

function components(member: SimulatedMember): Reconciler {
  return {
    name: 'components',
    needs: ['control-plane', 'upgrade'],
    inputs: ['configuration.apiServer', 'configuration.controllerManager', 'configuration.scheduler', 'configuration.etcd'],
    outputs: ['/etc/kubernetes/manifests', '/var/lib/etcd'],
    interval: 2000,
    steps: ({wanted}) => [
      serveStep(member),
      {
        id: 'replicate',
        title: "Copy the cluster's state",
        effect: 'none',
        check: async ({scope}) => {
          if (!member.isAttending && (await member.answers(scope))) await member.replicate(scope);
          return 'satisfied';
        },
        apply: async () => {},
      },
      fileStep({
        path: '/etc/kubernetes/manifests/simulated.json',
        content: `${JSON.stringify({apiServer: wanted.configuration.apiServer, controllerManager: wanted.configuration.controllerManager, scheduler: wanted.configuration.scheduler, etcd: wanted.configuration.etcd}, null, 2)}\n`,
      }),
    ],
  };
}

function token(member: SimulatedMember): Reconciler {
  return {
    name: 'token',
    needs: ['control-plane'],
    inputs: ['secrets'],
    outputs: ['bootstrap token'],
    interval: 60_000,
    // the simulated API knows the token by itself; what is left is that it answers to it
    waitsFor: async (target) => ((await member.answers(target)) ? undefined : 'the API to answer'),
    steps: () => [],
  };
}

function addons(member: SimulatedMember): Reconciler {
  return {
    name: 'addons',
    needs: ['control-plane'],
    inputs: ['layers', 'bootstrap'],
    outputs: ['objects of the profile'],
    waitsFor: async (target) => ((await member.answers(target)) ? undefined : 'the API to answer'),
    steps: ({wanted}) =>
      (wanted.layers.some((layer) => layer.kind === 'cni') ? wanted.layers : [{name: 'no-network', kind: 'none', manifest: ''} as const, ...wanted.layers]).map(
        (layer) => layerStep(member, layer),
      ),
  };
}

function layerStep(member: SimulatedMember, layer: WantedLayer | {readonly name: string; readonly kind: 'none'; readonly manifest: string}): AgentStep {
  const digest = digestOf(layer.manifest);
  const ask = async <T>(target: Target, work: (api: NonNullable<ReturnType<SimulatedMember['admin']>>) => Promise<T>) => {
    const api = member.admin(target);
    if (api === undefined) throw new TriremeError('agent.failed', `${target.host.name} has no secrets of its cluster.`, {host: target.host.name});
    return work(api);
  };
  return {
    id: `layer:${layer.name}`,
    title: layer.kind === 'none' ? 'Go on without a network layer' : `Apply ${layer.name}`,
    effect: 'none',
    check: async ({scope}) =>
      (await ask(scope, (api) => api.get<{layers: Record<string, string>}>('/simulated/v1/state')))?.layers[layer.name] === digest ? 'satisfied' : 'needed',
    apply: async ({scope, signal}) => {
      await sleep(pace, signal);
      await ask(scope, (api) => api.change({method: 'PUT', path: `/simulated/v1/layers/${layer.name}`, body: {digest, kind: layer.kind}, signal}));
    },
  };
}
