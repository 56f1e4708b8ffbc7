// Makes this host a control plane: the first one starts the cluster, the others join it.
//
// A power cut may come at any moment. `kubeadm init` is run again as a whole: it uses the keys and files that it finds, and only its preflight
// objects to them, so those complaints are ignored once our own mark says that we had begun. A join runs phase by phase, each a step
// whose check looks at what the phase leaves behind. Nothing is reset: half of a control plane holds half of etcd.
import {deadlineOf} from '../../../kernel/cancel.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {fileStep} from '../../file-step.ts';
import {withLease} from '../../lease.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {missingBackup} from '../../snapshot-files.ts';
import {adminApi, adminKubeconfig, kubeletKubeconfig, whoStillServes, whyNotJoinable} from './access.ts';
import {certificatesStep} from './certificates.ts';
import {waitAllHealthy} from './components.ts';
import {podSteps, whileGranting} from './endpoint.ts';
import {removeLostMember} from './etcd.ts';
import {keepWritten, runKubeadm} from './kubeadm-run.ts';
import {memberOf, type Member} from './member.ts';
import {patchFolder, renderDiscovery, renderInit, renderJoin} from './render-kubeadm.ts';
import {renderKubelet} from './render-kubelet.ts';
import {forgetOldHostsStep, isRestoring, restoreDataStep} from './restore-etcd.ts';
import {traitsOf} from './traits.ts';

const discoveryFile = '/etc/kubernetes/trireme-discovery.conf';
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
  if (await starts(target, signal)) {
    const awaited = await missingBackup(target.host);
    if (awaited !== undefined) return awaited;
    const isFresh = target.records.get('init.begun') !== true;
    return isFresh && (await isRestoring(target)) ? whoStillServes(target, signal) : undefined;
  }
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
    const begin = await starts(target, deadlineOf(15_000));
    const restores = begin && (await isRestoring(target));
    const start = restores ? [restoreDataStep(), initStep({restores}), forgetOldHostsStep()] : [initStep()];
    // the others serve the address when they are members: kubeadm's join wants their folder of manifests empty
    const serve = begin ? podSteps(target.wanted) : [];
    return [certificatesStep(), await patchStep(target), ...serve, ...(begin ? start : joinSteps(target.wanted)), memberStep()];
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

/** The kubelet's fields of this host, where kubeadm merges them from. */
export async function patchStep({wanted, host}: Target): Promise<AgentStep> {
  return fileStep(
    {path: `${patchFolder}/kubeletconfiguration+merge.json`, content: `${JSON.stringify(renderKubelet(wanted, await traitsOf(host)), null, 2)}\n`},
    "Write the kubelet's settings of this host",
  );
}

function requireSecrets({host, secrets}: Target) {
  if (secrets === null) throw new TriremeError('agent.failed', `${host.name} has no secrets of its cluster.`, {host: host.name});
  return secrets;
}

/** With `restores` the data is a backup's: the token that lets others join comes only when the old hosts are forgotten (token.ts makes it). */
function initStep({restores = false}: {readonly restores?: boolean} = {}): AgentStep {
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
      const ignored = hasBegun ? ownLeftovers : restores ? ['DirAvailable--var-lib-etcd'] : [];
      const config = renderInit({wanted, traits: await traitsOf(host), secrets, ignored});
      // the last one only prints the token, and wants it made
      const skipped = restores ? ['--skip-phases=bootstrap-token,show-join-command'] : [];
      const run = {args: ['init', '--skip-token-print', ...skipped], config, purpose: 'start the cluster', step: 'kubeadm-init'};
      await whileGranting(context, () => runKubeadm(context, run));
      await records.set('init.done', true);
    },
  };
}

interface JoinStep {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  /** kubeadm's phases, in order; each is noted when it's done. */
  readonly phases: readonly (readonly string[])[];
  /** Runs around the phases. */
  around?(context: AgentStepContext, work: () => Promise<void>): Promise<void>;
}

function joinSteps(wanted: Wanted): readonly AgentStep[] {
  const isControlPlane = wanted.role === 'control-plane';
  const hasLocalEtcd = isControlPlane && wanted.configuration.etcd['external'] === undefined;
  const steps: (JoinStep | false)[] = [
    {id: 'join:preflight', title: "Run kubeadm's own checks", purpose: 'join', phases: [['preflight']]},
    isControlPlane && {
      id: 'join:prepare',
      title: 'Prepare certificates and components',
      purpose: 'prepare the control plane',
      phases: [['control-plane-prepare', 'all']],
    },
    hasLocalEtcd
      ? // the kubelet starts only when it's this host's turn: an API server without etcd would fail over and over, and be started ever more rarely
        {id: 'join:etcd', title: 'Start the kubelet and join etcd', purpose: 'join etcd', phases: [['kubelet-start'], ['etcd-join']], around: joinEtcd}
      : {id: 'join:kubelet', title: 'Start the kubelet', purpose: 'start the kubelet', phases: [['kubelet-start']]},
    isControlPlane && {
      id: 'join:mark',
      title: 'Mark the node as control plane',
      purpose: 'mark the node as control plane',
      phases: [['control-plane-join', 'all']],
    },
  ];
  return [
    {
      id: 'discovery',
      title: "Write the endpoint's address and CA",
      effect: 'none',
      check: async ({scope}) =>
        (await scope.host.read(discoveryFile)) === renderDiscovery(scope.wanted, requireSecrets(scope).ca.certificate) ? 'satisfied' : 'needed',
      apply: async ({scope}) => scope.host.write(discoveryFile, renderDiscovery(scope.wanted, requireSecrets(scope).ca.certificate)),
    },
    // by the phase's place: a node is marked when it is there
    ...steps.filter((step) => step !== false).flatMap((step) => (step.id === 'join:mark' ? [credentialsStep(), joinStep(step)] : [joinStep(step)])),
    isControlPlane ? healthyStep() : credentialsStep(),
  ];
}

const phasesDone = ({records}: Target) => records.get<readonly string[]>('join.phases') ?? [];

function joinStep({id, title, purpose, phases, around}: JoinStep): AgentStep {
  const missing = (target: Target) => phases.filter(([name = '']) => !phasesDone(target).includes(name));
  return {
    id,
    title,
    effect: 'none',
    check: async ({scope}) => (missing(scope).length === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope} = context;
      const run = async () => {
        for (const phase of missing(scope)) {
          const config = renderJoin({
            wanted: scope.wanted,
            secrets: requireSecrets(scope),
            discoveryFile,
            ...(scope.records.get('join.begun') === true ? {ignored: ownLeftovers} : {}),
          });
          await scope.records.set('join.begun', true);
          await runKubeadm(context, {args: ['join', 'phase', ...phase], config, purpose, step: id});
          await scope.records.set('join.phases', [...new Set([...phasesDone(scope), phase[0]])]);
        }
      };
      await (around === undefined ? run() : around(context, run));
    },
  };
}

/** In ms; kubeadm's own is five minutes too. */
const bootstrapPatience = 5 * 60 * 1000;

/**
 * What kubeadm's phase kubelet-wait-bootstrap does, which asks for administrator's rights when it's run by itself on a worker (v1.36): the
 * kubelet gets its certificate by the bootstrap token; then its kubeconfig with that token is of no more use.
 */
function credentialsStep(): AgentStep {
  const bootstrap = '/etc/kubernetes/bootstrap-kubelet.conf';
  return {
    id: 'join:credentials',
    title: 'Get credentials for the kubelet',
    effect: 'none',
    check: async ({scope: {host}}) => ((await host.exists(kubeletKubeconfig)) && !(await host.exists(bootstrap)) ? 'satisfied' : 'needed'),
    apply: async ({scope: {host}, signal}) => {
      const isThere = async () =>
        (await host.exists(kubeletKubeconfig)) && (await host.exists('/var/lib/kubelet/pki/kubelet-client-current.pem')) ? true : undefined;
      if ((await waitFor(isThere, {timeout: bootstrapPatience, interval: 500, signal})) === undefined) {
        throw new TriremeError('agent.failed', `The kubelet on ${host.name} hasn't got its certificate within five minutes.`, {
          host: host.name,
          hints: ['On the host: journalctl -u kubelet -n 50', 'kubectl get certificatesigningrequests'],
        });
      }
      await keepWritten(host);
      await host.remove(bootstrap);
    },
  };
}

function healthyStep(): AgentStep {
  return {
    id: 'join:healthy',
    title: 'Wait for the components',
    effect: 'none',
    check: async ({scope}) => (scope.records.get('join.healthy') === true ? 'satisfied' : 'needed'),
    apply: async (context) => {
      await waitAllHealthy(context);
      await context.scope.records.set('join.healthy', true);
    },
  };
}

/** etcd takes one learner at a time: the agents take turns, and only for this. */
async function joinEtcd(context: AgentStepContext, work: () => Promise<void>): Promise<void> {
  const {scope, signal, emit} = context;
  const api = await adminApi(scope);
  if (api === undefined) throw new TriremeError('agent.failed', `${adminKubeconfig} is missing on ${scope.host.name}.`, {host: scope.host.name});
  const onWait = (holder: string) =>
    emit({type: 'step.output', step: 'join:etcd', host: scope.host.name, stream: 'stdout', line: `waits for its turn: ${holder} is joining etcd`});
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
      if (!(await scope.host.exists(kubeletKubeconfig)))
        throw new TriremeError('agent.failed', `The kubelet on ${scope.host.name} has no credentials after joining.`, {host: scope.host.name});
      await scope.host.remove(discoveryFile);
      await scope.records.set('member', {kubernetesVersion: scope.wanted.kubernetesVersion, at: new Date().toISOString()} satisfies Member);
    },
  };
}
