// Makes this host a control plane: the first one starts the cluster, the others join it.
//
// A power cut may come at any moment. `kubeadm init` is run again as a whole: it uses the keys and files that it finds, and only its preflight
// objects to them, so those complaints are ignored once our own mark says that we had begun. A join runs phase by phase, each a step
// whose check looks at what the phase leaves behind. Nothing is reset: half of a control plane holds half of etcd.
import {TriremeError} from '../../../kernel/errors.ts';
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {fileStep} from '../../file-step.ts';
import {withLease} from '../../lease.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {adminApi, adminKubeconfig, kubeletKubeconfig, whyNotJoinable} from './access.ts';
import {certificatesStep} from './certificates.ts';
import {removeLostMember} from './etcd.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {memberOf, type Member} from './member.ts';
import {patchFolder, renderDiscovery, renderInit, renderJoin} from './render-kubeadm.ts';
import {renderKubelet} from './render-kubelet.ts';
import {traitsOf} from './traits.ts';

const discoveryFile = '/etc/kubernetes/trireme-discovery.conf';
const manifests = '/etc/kubernetes/manifests';
/** What an unfinished run of ours leaves, by the names of kubeadm's checks. */
const ownLeftovers = [
  ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'].map((name) => `FileAvailable--etc-kubernetes-manifests-${name}.yaml`),
  'FileAvailable--etc-kubernetes-kubelet.conf',
  'FileAvailable--etc-kubernetes-bootstrap-kubelet.conf',
  'FileAvailable--etc-kubernetes-pki-ca.crt',
  'DirAvailable--etc-kubernetes-manifests',
  'DirAvailable--var-lib-etcd',
  ...[6443, 10250, 10257, 10259, 2379, 2380].map((port) => `Port-${port}`),
];

const inputs = ['cluster', 'kubernetesVersion', 'role', 'bootstrap', 'node.name', 'node.addresses', 'endpoint', 'network', 'secrets'];
const outputs = ['/etc/kubernetes/pki', '/etc/kubernetes/*.conf', '/var/lib/etcd', patchFolder, discoveryFile];

/** Only a host that isn't a member yet has anything to wait for. */
async function waitsFor(target: Target, signal: AbortSignal): Promise<string | undefined> {
  if (memberOf(target) !== undefined) return undefined;
  if (target.secrets === null) return "the cluster's keys from the operator";
  if (await starts(target, signal)) return undefined;
  // a join that has begun may need no token any more
  return (await target.host.exists(kubeletKubeconfig)) ? undefined : whyNotJoinable(target, signal);
}

/**
 * Whether this host starts the cluster. One that shall, but was set up anew while the cluster lives behind its endpoint, joins instead:
 * a second cluster with the same keys must never come to be.
 */
async function starts(target: Target, signal: AbortSignal): Promise<boolean> {
  if (!target.wanted.bootstrap) return false;
  if (target.records.get('init.begun') === true) return true;
  return (await whyNotJoinable(target, signal)) !== undefined;
}

export const controlPlane: Reconciler = {
  name: 'control-plane',
  needs: ['files', 'sysctls', 'runtime', 'images', 'kubelet'],
  inputs,
  outputs,
  waitsFor,
  steps: async (target) => {
    if (memberOf(target) !== undefined) return [];
    const begin = await starts(target, AbortSignal.timeout(15_000));
    return [certificatesStep(), await patchStep(target), ...(begin ? [initStep()] : joinSteps(target.wanted)), memberStep()];
  },
};

/** Makes this host a worker. */
export const join: Reconciler = {
  name: 'join',
  needs: ['files', 'sysctls', 'runtime', 'images', 'kubelet'],
  inputs,
  outputs,
  waitsFor,
  steps: async (target) => (memberOf(target) === undefined ? [await patchStep(target), ...joinSteps(target.wanted), memberStep()] : []),
};

async function patchStep({wanted, host}: Target): Promise<AgentStep> {
  return fileStep({path: `${patchFolder}/kubeletconfiguration+merge.json`, content: `${JSON.stringify(renderKubelet(wanted, await traitsOf(host)), null, 2)}\n`}, "Write the kubelet's settings of this host");
}

function requireSecrets({host, secrets}: Target) {
  if (secrets === null) throw new TriremeError('agent.failed', `${host.name} has no secrets of its cluster.`, {host: host.name});
  return secrets;
}

function initStep(): AgentStep {
  return {
    id: 'kubeadm-init',
    title: 'Start the cluster',
    effect: 'none',
    check: async ({scope}) => (scope.records.get('init.done') === true ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope} = context;
      const {wanted, records, host} = scope;
      const secrets = requireSecrets(scope);
      const hasBegun = records.get('init.begun') === true;
      await records.set('init.begun', true);
      const config = renderInit({wanted, traits: await traitsOf(host), secrets, ...(hasBegun ? {ignored: ownLeftovers} : {})});
      await runKubeadm(context, {args: ['init', '--skip-token-print'], config, purpose: 'start the cluster', step: 'kubeadm-init'});
      await records.set('init.done', true);
    },
  };
}

interface JoinPhase {
  readonly phase: readonly string[];
  readonly title: string;
  readonly purpose: string;
  isDone(target: Target): Promise<boolean>;
  /** Runs around the phase. */
  around?(context: AgentStepContext, work: () => Promise<void>): Promise<void>;
}

function joinSteps(wanted: Wanted): readonly AgentStep[] {
  const isControlPlane = wanted.role === 'control-plane';
  const hasLocalEtcd = wanted.configuration.etcd['external'] === undefined;
  const marked = (name: string) => async ({records}: Target) => records.get<string[]>('join.phases')?.includes(name) === true;
  const phases: (JoinPhase | false)[] = [
    {phase: ['preflight'], title: "Run kubeadm's own checks", purpose: 'join', isDone: marked('preflight')},
    isControlPlane && {phase: ['control-plane-prepare', 'all'], title: 'Prepare certificates and components', purpose: 'prepare the control plane', isDone: marked('control-plane-prepare')},
    {
      phase: ['kubelet-start'],
      title: 'Start the kubelet',
      purpose: 'start the kubelet',
      isDone: async (target) => (await target.host.exists(kubeletKubeconfig)) || (await marked('kubelet-start')(target)),
    },
    isControlPlane && hasLocalEtcd && {
      phase: ['etcd-join'],
      title: 'Join etcd',
      purpose: 'join etcd',
      isDone: marked('etcd-join'),
      around: joinEtcd,
    },
    {phase: ['kubelet-wait-bootstrap'], title: 'Get credentials for the kubelet', purpose: 'get credentials for the kubelet', isDone: async ({host}) => (await host.exists(kubeletKubeconfig)) && !(await host.exists('/etc/kubernetes/bootstrap-kubelet.conf'))},
    isControlPlane && {phase: ['control-plane-join', 'all'], title: 'Mark the node as control plane', purpose: 'mark the node as control plane', isDone: marked('control-plane-join')},
    isControlPlane && {phase: ['wait-control-plane'], title: 'Wait for the components', purpose: 'see all components healthy', isDone: marked('wait-control-plane')},
  ];
  return [
    {
      id: 'discovery',
      title: "Write the endpoint's address and CA",
      effect: 'none',
      check: async ({scope}) => ((await scope.host.read(discoveryFile)) === renderDiscovery(scope.wanted, requireSecrets(scope).ca.certificate) ? 'satisfied' : 'needed'),
      apply: async ({scope}) => scope.host.write(discoveryFile, renderDiscovery(scope.wanted, requireSecrets(scope).ca.certificate)),
    },
    ...phases.filter((phase) => phase !== false).map(phaseStep),
  ];
}

function phaseStep({phase, title, purpose, isDone, around}: JoinPhase): AgentStep {
  const [name = ''] = phase;
  const id = `join:${name}`;
  return {
    id,
    title,
    effect: 'none',
    check: async ({scope}) => ((await isDone(scope)) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope} = context;
      const run = async () => {
        const begun = scope.records.get<readonly string[]>('join.phases') ?? [];
        const config = renderJoin({wanted: scope.wanted, secrets: requireSecrets(scope), discoveryFile, ...(begun.length > 0 || scope.records.get('join.begun') === true ? {ignored: ownLeftovers} : {})});
        await scope.records.set('join.begun', true);
        await runKubeadm(context, {args: ['join', 'phase', ...phase], config, purpose, step: id});
      };
      await (around === undefined ? run() : around(context, run));
      await scope.records.set('join.phases', [...(scope.records.get<readonly string[]>('join.phases') ?? []), name]);
    },
  };
}

/** etcd takes one learner at a time: the agents take turns, and only for this. */
async function joinEtcd(context: AgentStepContext, work: () => Promise<void>): Promise<void> {
  const {scope, signal, emit} = context;
  const api = await adminApi(scope);
  if (api === undefined) throw new TriremeError('agent.failed', `${adminKubeconfig} is missing on ${scope.host.name}.`, {host: scope.host.name});
  const onWait = (holder: string) => emit({type: 'step.output', step: 'join:etcd-join', host: scope.host.name, stream: 'stdout', line: `waits for its turn: ${holder} is joining etcd`});
  await withLease(api, {name: 'trireme-etcd-join', self: scope.host.name, signal, onWait}, async () => {
    await removeLostMember(api, context);
    await work();
  });
}

/** The last step: from now on this host is looked after as a member. */
function memberStep(): AgentStep {
  return {
    id: 'member',
    title: 'Note that the host is a member',
    effect: 'none',
    check: async ({scope}) => (memberOf(scope) === undefined ? 'needed' : 'satisfied'),
    apply: async ({scope}) => {
      if (!(await scope.host.exists(kubeletKubeconfig))) throw new TriremeError('agent.failed', `The kubelet on ${scope.host.name} has no credentials after joining.`, {host: scope.host.name});
      await scope.host.remove(discoveryFile);
      await scope.records.set('member', {kubernetesVersion: scope.wanted.kubernetesVersion, at: new Date().toISOString()} satisfies Member);
    },
  };
}

/** Whether this control plane's manifests are written, which is what a running one has. */
export async function hasManifests({host}: Target): Promise<boolean> {
  return host.exists(`${manifests}/kube-apiserver.yaml`);
}
