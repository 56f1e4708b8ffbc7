// A host out of the cluster, by those that stay: its member of etcd, then its node.
import {TriremeError} from '../../kernel/errors.ts';
import {waitFor} from '../../kernel/retry.ts';
import {nodes} from '../../kube/node-pods.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import {memberOfHost} from '../quorum.ts';
import type {HostClusterScope} from '../scope.ts';
import {apiOf, type NodeStepOptions} from './drain-step.ts';

/** In ms. */
const apiPatience = 60_000;

type Context = Pick<StepContext<HostClusterScope>, 'scope' | 'signal'>;

/** Takes the host's member out of etcd, through the first control plane that answers; that one looks once more whether it may go. */
export function etcdMemberStep(options: NodeStepOptions & {readonly addresses: readonly string[]}): Step<HostClusterScope> {
  const {host, controlPlanes, addresses} = options;
  return {
    id: `etcd:${host}`,
    title: "Take the host's member out of etcd",
    host,
    effect: 'none',
    check: async (context) => {
      const state = await throughFirst(context, controlPlanes, host, async (name) => (await context.scope.link(name)).state({signal: context.signal}));
      const {etcdMembers} = state.value;
      return etcdMembers !== undefined && memberOfHost(etcdMembers, host, addresses) === undefined ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const {value: existed, by} = await throughFirst(context, controlPlanes, host, async (name) =>
        (await context.scope.link(name)).removeEtcdMember(host, addresses, {signal: context.signal}),
      );
      return existed ? `by ${by}` : 'it was none';
    },
  };
}

/** Deletes the node, and has every control plane look afresh, so that the next plan doesn't find it in an older word of theirs. */
export function deleteNodeStep(options: NodeStepOptions): Step<HostClusterScope> {
  const {host, node, controlPlanes} = options;
  return {
    id: `delete-node:${host}`,
    title: 'Delete the node',
    host,
    effect: 'none',
    check: async (context) => ((await apiOf(context, options).get(nodes, {name: node}, {signal: context.signal})) === undefined ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope, signal} = context;
      const remove = async () => {
        try {
          await apiOf(context, options).remove(nodes, {name: node}, {signal});
          return true;
        } catch (error) {
          // deleting may be said twice; a control plane that has just gone takes its API with it for a moment
          if (error instanceof TriremeError && (error.code === 'api.unreachable' || error.code === 'host.unreachable')) return undefined;
          throw error;
        }
      };
      if ((await waitFor(remove, {timeout: apiPatience, interval: 1000, signal})) === undefined)
        throw new TriremeError('api.unreachable', `The Kubernetes API doesn't answer, and the node ${node} is still to be deleted.`, {
          host,
          hints: ['Once it answers: trireme apply --resume'],
        });
      await Promise.allSettled(controlPlanes.map(async (name) => (await scope.link(name)).state({signal})));
    },
  };
}

/** What a refusal by one would be by all is thrown at once; silence lets the next one try. */
async function throughFirst<T>(
  {scope, signal}: Context,
  controlPlanes: readonly string[],
  host: string,
  ask: (controlPlane: string) => Promise<T>,
): Promise<{readonly value: T; readonly by: string}> {
  let failure: unknown = new TriremeError('agent.not-answering', `No control plane answers that could take ${host} out.`, {
    host,
    hints: ['Bring a control plane back, then: trireme apply --resume'],
  });
  for (const name of controlPlanes) {
    try {
      return {value: await ask(name), by: name};
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof TriremeError && error.code === 'plan.refused') throw error;
      failure = error;
      await scope.forget(name);
    }
  }
  throw failure;
}
