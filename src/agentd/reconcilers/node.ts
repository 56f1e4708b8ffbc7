// This host's node object has the labels and taints that are wanted, and leaves everyone else's alone.
//
// A control plane writes its own node with administrator's rights. A worker writes with its kubelet's credentials what NodeRestriction lets a
// kubelet write, which is most labels; for taints and for labels below kubernetes.io it waits until the operator has asked a control plane
// (`POST /v1/nodes/NAME`). So an edit of a worker changes no other host's document.
import {TriremeError} from '../../kernel/errors.ts';
import {accessAnnotation, controlPlaneTaint, type Wanted} from '../../hostcluster/protocol.ts';
import type {ClusterApi} from '../cluster-api.ts';
import {changeOf, isKubeletLabel, type NodeChange, type NodeObject} from '../node-wish.ts';
import type {AgentStep, NodeWish, Reconciler, Target} from '../reconciler.ts';

export interface NodeAccess {
  admin(target: Target): Promise<ClusterApi | undefined>;
  own(target: Target): Promise<ClusterApi | undefined>;
}

const pathOf = (name: string) => `/api/v1/nodes/${encodeURIComponent(name)}`;

/** The wish of a host's document; without taints in the file a node has its distribution's own. */
export function wishOf(wanted: Pick<Wanted, 'node' | 'role'>): NodeWish {
  return {
    labels: wanted.node.labels,
    taints: wanted.node.taints ?? (wanted.role === 'control-plane' ? [controlPlaneTaint] : []),
    ...(wanted.node.access === undefined ? {} : {annotations: {[accessAnnotation]: JSON.stringify(wanted.node.access)}}),
  };
}

export function nodeReconciler(access: NodeAccess, needs: readonly string[]): Reconciler {
  return {
    name: 'node',
    needs,
    inputs: ['node.labels', 'node.taints', 'node.access', 'node.name', 'role'],
    outputs: ['node labels', 'node taints'],
    area: 'node',
    waitsFor: async (target, signal) => {
      const seen = await look(access, target, signal);
      if (seen === undefined) return `the node ${target.wanted.node.name} to register`;
      if (target.wanted.role === 'control-plane') return undefined;
      // drift under `report` is told, not waited for
      const beyond = beyondKubelet(seen.change);
      return beyond.length === 0 || target.wanted.drift.node === 'report'
        ? undefined
        : `a control plane to set what a worker may not: ${beyond.join(', ')} (trireme apply asks one)`;
    },
    steps: () => [nodeStep(access)],
  };
}

interface Seen {
  readonly api: ClusterApi;
  readonly change: NodeChange | undefined;
}

async function look(access: NodeAccess, target: Target, signal?: AbortSignal): Promise<Seen | undefined> {
  const {wanted} = target;
  const api = await (wanted.role === 'control-plane' ? access.admin(target) : access.own(target));
  const node = await api?.get<NodeObject>(pathOf(wanted.node.name), signal);
  return api === undefined || node === undefined ? undefined : {api, change: changeOf(node, wishOf(wanted))};
}

/** What of a change the worker's own credentials can't do, in words. */
function beyondKubelet(change: NodeChange | undefined): readonly string[] {
  const labels = Object.keys((change?.patch.metadata['labels'] as Record<string, unknown> | undefined) ?? {}).filter((key) => !isKubeletLabel(key));
  return [...labels.map((key) => `label ${key}`), ...(change?.patch.spec === undefined ? [] : change.words.filter((word) => word.startsWith('taint ')))];
}

function nodeStep(access: NodeAccess): AgentStep {
  return {
    id: 'node',
    title: 'Set labels and taints of the node',
    subject: 'labels and taints',
    effect: 'none',
    check: async ({scope, signal}) => ((await look(access, scope, signal))?.change === undefined ? 'satisfied' : 'needed'),
    apply: async ({scope, signal}) => {
      const seen = await look(access, scope, signal);
      if (seen?.change === undefined) return undefined;
      await seen.api.change({method: 'PATCH', path: pathOf(scope.wanted.node.name), body: seen.change.patch, signal});
      return seen.change.words.join(', ');
    },
    found: async (target) => (await look(access, target))?.change?.words.join(', ') ?? 'as wanted',
  };
}

/** Sets labels and taints of any node; used for workers, on behalf of the operator. Returns what changed, in words. */
export async function setNode(api: ClusterApi, name: string, wish: NodeWish, signal: AbortSignal): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const node = await api.get<NodeObject>(pathOf(name), signal);
    if (node === undefined)
      throw new TriremeError('host.not-found', `The cluster has no node ${name} yet.`, {host: name, hints: [`trireme agent status ${name}`]});
    const isControlPlane = node.metadata.labels?.['node-role.kubernetes.io/control-plane'] !== undefined;
    const change = changeOf(node, {labels: wish.labels, taints: wish.taints ?? (isControlPlane ? [controlPlaneTaint] : [])});
    if (change === undefined) return [];
    const answer = await api.send<{message?: string}>({method: 'PATCH', path: pathOf(name), body: change.patch, signal});
    if (answer.status < 300) return change.words;
    // 409: someone else wrote the node between our look and our patch
    if (answer.status !== 409 || attempt >= 5)
      throw new TriremeError('agent.failed', `The Kubernetes API refuses labels or taints of ${name}: ${answer.body?.message ?? answer.status}`, {host: name});
  }
}
