// Another Kubernetes version than the one that this host joined with: kubeadm's programs, its upgrade, then the kubelet.
//
// The operator brings hosts here in order, cordoned and drained, with the new images imported. A power cut may come at any moment: each step looks at
// what it left behind, `kubeadm upgrade` may be run again as a whole, and the lease keeps two control planes from it at the same time.
import {parse} from 'yaml';
import {waitFor} from '../../../kernel/retry.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {withLease} from '../../lease.ts';
import type {ClusterApi} from '../../cluster-api.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {requireContent} from '../../reconcilers/content.ts';
import {adminApi, nodeApi} from './access.ts';
import {waitAllHealthy} from './components.ts';
import {patchStep} from './control-plane.ts';
import {handOverEndpoint} from './endpoint.ts';
import {installStep} from './install.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {kubeletServiceStep} from './kubelet-service.ts';
import {isVersionChange, memberOf, type Member} from './member.ts';
import {memberNeeds} from './names.ts';
import {nodeStatesOf} from './observe.ts';
import {renderInit, renderUpgrade} from './render-kubeadm.ts';
import {traitsOf} from './traits.ts';

/** In ms: how long the upgraded kubelet may take until its node is Ready. */
const readyPatience = 5 * 60_000;

export const upgrade: Reconciler = {
  name: 'upgrade',
  needs: [...memberNeeds, 'files', 'sysctls', 'runtime', 'images', 'kubelet'],
  inputs: ['kubernetesVersion'],
  outputs: ['kubernetes version'],
  interval: 60_000,
  steps: async (target) => {
    if (!isVersionChange(target)) return [];
    const {wanted} = target;
    const toBin = ({host: {bin}}: Target) => bin;
    const install = (name: string) => installStep(requireContent(wanted, name), toBin);
    return [
      install('kubeadm'),
      install('kubectl'),
      await patchStep(target),
      wanted.role === 'control-plane' ? controlPlaneStep() : nodeConfigStep(),
      install('kubelet'),
      kubeletServiceStep(wanted, false),
      readyStep(),
      doneStep(),
    ];
  },
};

const applied = 'upgrade.applied';
const first = 'upgrade.first';

function controlPlaneStep(): AgentStep {
  return {
    id: 'upgrade:control-plane',
    title: 'Upgrade the control plane',
    effect: 'restart',
    check: async ({scope}) => (scope.records.get(applied) === scope.wanted.kubernetesVersion ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope, signal, emit} = context;
      const {host, records, wanted} = scope;
      const api = await adminApi(scope);
      if (api === undefined) throw new TriremeError('agent.failed', `${host.name} has no administrator's kubeconfig.`, {host: host.name});
      const onWait = (holder: string) =>
        emit({type: 'step.output', step: 'upgrade:control-plane', host: host.name, stream: 'stdout', line: `waits for its turn: ${holder} is being upgraded`});
      return withLease(api, {name: 'trireme-upgrade', self: host.name, signal, onWait}, async () => {
        const isFirst = await goesFirst(api, context);
        if (isFirst) {
          await records.set(first, wanted.kubernetesVersion);
          await uploadTags(api, context);
        }
        await handOverEndpoint(context, 'upgrade:control-plane');
        await runUpgrade(context, isFirst ? ['upgrade', 'apply', '--yes'] : ['upgrade', 'node'], 'upgrade the control plane');
        await waitAllHealthy(context);
        await records.set(applied, wanted.kubernetesVersion);
        return isFirst ? 'as the first one' : undefined;
      });
    },
  };
}

async function clusterVersion(api: ClusterApi, {signal}: AgentStepContext): Promise<string> {
  const map = await api.get<{data?: Record<string, string>}>('/api/v1/namespaces/kube-system/configmaps/kubeadm-config', signal);
  const configuration = parse(map?.data?.['ClusterConfiguration'] ?? '') as {kubernetesVersion?: string} | null;
  return configuration?.kubernetesVersion ?? '';
}

/** The first control plane upgrades what all share, too: one that began as the first goes on as the first. */
async function goesFirst(api: ClusterApi, context: AgentStepContext): Promise<boolean> {
  const {records, wanted} = context.scope;
  return records.get(first) === wanted.kubernetesVersion || (await clusterVersion(api, context)) !== wanted.kubernetesVersion;
}

/** kubeadm keeps the image tags that the cluster's configuration names: those of the new version are put there before, and still the old version. */
async function uploadTags(api: ClusterApi, context: AgentStepContext): Promise<void> {
  const {host, wanted} = context.scope;
  const running = await clusterVersion(api, context);
  await runKubeadm(context, {
    args: ['init', 'phase', 'upload-config', 'kubeadm'],
    config: renderInit({wanted: {...wanted, kubernetesVersion: running === '' ? wanted.kubernetesVersion : running}, traits: await traitsOf(host)}),
    purpose: "record the new version's images",
    step: 'upgrade:control-plane',
    isQuiet: true,
  });
}

async function runUpgrade(context: AgentStepContext, args: readonly string[], purpose: string): Promise<void> {
  const step = context.scope.wanted.role === 'control-plane' ? 'upgrade:control-plane' : 'upgrade:node';
  await runKubeadm(context, {args, config: renderUpgrade(context.scope.wanted), purpose, step});
}

function nodeConfigStep(): AgentStep {
  return {
    id: 'upgrade:node',
    title: "Take over the new version's settings",
    effect: 'none',
    check: async ({scope}) => (scope.records.get(applied) === scope.wanted.kubernetesVersion ? 'satisfied' : 'needed'),
    apply: async (context) => {
      await runUpgrade(context, ['upgrade', 'node'], 'upgrade the node');
      await context.scope.records.set(applied, context.scope.wanted.kubernetesVersion);
    },
  };
}

/** The API tells the node's version and that it is Ready. */
function readyStep(): AgentStep {
  const look = async ({scope, signal}: AgentStepContext) => {
    const {wanted} = scope;
    const api = await (wanted.role === 'control-plane' ? adminApi(scope) : nodeApi(scope));
    const node = await api
      ?.get<Parameters<typeof nodeStatesOf>[0][number]>(`/api/v1/nodes/${encodeURIComponent(wanted.node.name)}`, signal)
      .catch((error: unknown) => {
        signal.throwIfAborted();
        if (error instanceof TriremeError) return undefined; // the API may be away for a moment
        throw error;
      });
    const state = node === undefined ? undefined : nodeStatesOf([node])[0];
    return state?.ready === true && state.version === wanted.kubernetesVersion;
  };
  return {
    id: 'upgrade:ready',
    title: 'Wait until the node is Ready',
    effect: 'none',
    check: async (context) => ((await look(context)) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const ready = await waitFor(async () => ((await look(context)) ? true : undefined), {timeout: readyPatience, interval: 1000, signal: context.signal});
      if (ready === true) return;
      const {host, wanted} = context.scope;
      throw new TriremeError('agent.failed', `${wanted.node.name} isn't Ready with ${wanted.kubernetesVersion} after five minutes.`, {
        host: host.name,
        hints: ['On the host: journalctl -u kubelet -n 50'],
      });
    },
  };
}

function doneStep(): AgentStep {
  return {
    id: 'upgrade:done',
    title: 'Note the version',
    effect: 'none',
    check: async ({scope}) => (memberOf(scope)?.kubernetesVersion === scope.wanted.kubernetesVersion ? 'satisfied' : 'needed'),
    apply: async ({scope}) => scope.records.set('member', {kubernetesVersion: scope.wanted.kubernetesVersion, at: new Date().toISOString()} satisfies Member),
  };
}
