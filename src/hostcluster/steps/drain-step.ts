// A host's node out of service and back: cordoned, its pods evicted with their budgets kept, and uncordoned when the work is done.
import {TriremeError} from '../../kernel/errors.ts';
import type {KubeApi} from '../../kube/api.ts';
import {evictAll, setCordon, type DrainOptions} from '../../kube/evict.ts';
import {isCordoned, judgePods, lookAtNode, nameOfPod, nodes} from '../../kube/node-pods.ts';
import type {KubeObject} from '../../kube/object.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import {apiThroughAgents} from '../agent-api.ts';
import {cordonAnnotation} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';

/** What an upgrade's cordon is noted for at the node. */
export const upgradePurpose = 'upgrade';
/** A maintenance's. */
export const maintainPurpose = 'maintain';

export interface NodeStepOptions {
  /** The host's name in the file. */
  readonly host: string;
  /** Its node's name. */
  readonly node: string;
  /** Through whose agents the API is asked. */
  readonly controlPlanes: readonly string[];
}

export interface CordonOptions extends NodeStepOptions {
  /** Notes at the node what it was cordoned for, so that whoever goes on knows that it's ours to uncordon. Absent: a person's own cordon. */
  readonly purpose?: string;
}

type Context = Pick<StepContext<HostClusterScope>, 'scope' | 'signal'>;

/** The cluster's API, through the agents of these control planes. */
export function apiOf({scope, signal}: Context, {controlPlanes}: Pick<NodeStepOptions, 'controlPlanes'>): KubeApi {
  return apiThroughAgents(scope, {controlPlanes, signal});
}

const find = (context: Context, options: NodeStepOptions) => apiOf(context, options).get(nodes, {name: options.node}, {signal: context.signal});

/** No new pods come to the node. A node that is cordoned already keeps whose cordon it is. */
export function cordonStep(options: CordonOptions): Step<HostClusterScope> {
  const {host, node, purpose} = options;
  return {
    id: `cordon:${host}`,
    title: 'Cordon the node',
    host,
    effect: 'none',
    check: async (context) => {
      const found = await find(context, options);
      // one that is no node has no pods to keep away
      return found === undefined || isCordoned(found) ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const annotations = purpose === undefined ? {} : {annotations: {[cordonAnnotation]: purpose}};
      await setCordon(apiOf(context, options), node, true, {signal: context.signal, ...annotations});
      await tellAll(context, options);
      return `${node} takes no new pods`;
    },
  };
}

/** Has every control plane look at the nodes now: what they note is what the next plan stands on, and a killed run leaves it to that. */
async function tellAll({scope, signal}: Context, {controlPlanes}: NodeStepOptions): Promise<void> {
  await Promise.allSettled(controlPlanes.map(async (host) => (await scope.link(host)).state({signal})));
}

/** New pods come again. With a purpose only where we cordoned the node for it; a person's own cordon stays then. */
export function uncordonStep(options: CordonOptions): Step<HostClusterScope> {
  const {host, node, purpose} = options;
  return {
    id: `uncordon:${host}`,
    title: 'Uncordon the node',
    host,
    effect: 'none',
    check: async (context) => {
      const found = await find(context, options);
      if (found === undefined) return 'satisfied';
      return (purpose === undefined ? isCordoned(found) || markOf(found) !== undefined : markOf(found) === purpose) ? 'needed' : 'satisfied';
    },
    apply: async (context) => {
      await setCordon(apiOf(context, options), node, false, {signal: context.signal, annotations: {[cordonAnnotation]: null}});
      await tellAll(context, options);
      return `${node} takes pods again`;
    },
  };
}

/** Evicts the node's pods. Throws `drain.blocked`, naming each pod that stays and what holds it. */
export function drainStep(options: NodeStepOptions & {readonly drain: DrainOptions}): Step<HostClusterScope> {
  const {host, node, drain} = options;
  const look = async (context: Context): Promise<{readonly refused: readonly string[]; readonly leaving: number}> => {
    const api = apiOf(context, options);
    if ((await api.get(nodes, {name: node}, {signal: context.signal})) === undefined) return {refused: [], leaving: 0};
    const verdicts = judgePods((await lookAtNode(api, node, context.signal)).pods, drain);
    return {
      refused: verdicts.filter((one) => one.what === 'refuse').map((one) => `${nameOfPod(one.pod)}: ${one.why ?? ''}`),
      leaving: verdicts.filter((one) => one.what === 'evict').length,
    };
  };
  return {
    id: `drain:${host}`,
    title: 'Evict the pods',
    host,
    effect: 'drain',
    check: async (context) => {
      const {refused, leaving} = await look(context);
      return refused.length === 0 && leaving === 0 ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const {refused} = await look(context);
      if (refused.length > 0) throw refusedPods(host, node, refused);
      return evictAll(apiOf(context, options), {
        node,
        options: drain,
        signal: context.signal,
        stopping: context.stopping,
        onHeld: (pod, why) => context.emit({type: 'condition.changed', subject: pod, condition: 'Evicted', status: 'false', message: why, host}),
      });
    },
  };
}

function refusedPods(host: string, node: string, refused: readonly string[]): TriremeError {
  const many = refused.length > 1;
  return new TriremeError(
    'drain.blocked',
    `${refused.length} ${many ? 'pods' : 'pod'} on ${node} ${many ? "aren't" : "isn't"} evicted without being told so:\n${refused.map((one) => `  ${one}`).join('\n')}`,
    {
      host,
      hints: [`Move or delete ${many ? 'them' : 'it'} yourself, or: trireme machine drain ${host} --force`],
      details: {pods: refused.map((one) => one.split(':')[0])},
    },
  );
}

function markOf(node: KubeObject): string | undefined {
  return node.metadata.annotations?.[cordonAnnotation];
}
