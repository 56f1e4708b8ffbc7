// Labels and taints of a worker that is a member: Kubernetes lets only a control plane set them.
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {HostClusterScope} from '../scope.ts';

/** Has one of these control planes set the node's labels and taints; keys that aren't wished any more are removed. */
export function nodeStep(work: HostWork, controlPlanes: readonly string[]): Step<HostClusterScope> {
  const host = work.host.name;
  const {labels, taints = []} = work.wanted.node;
  return {
    id: `node:${host}`,
    title: 'Set labels and taints',
    host,
    effect: 'none',
    check: async () => 'needed', // setting them again changes nothing
    apply: async ({scope, signal}) => {
      let failure: unknown = new TriremeError('agent.not-answering', `No control plane answers, and only one may set the labels and taints of ${host}.`, {
        host,
        hints: ['Bring a control plane back, then: trireme apply'],
      });
      for (const controlPlane of controlPlanes) {
        try {
          await (await scope.link(controlPlane)).postNode(work.wanted.node.name, {labels, taints}, {signal});
          return `by ${controlPlane}`;
        } catch (error) {
          signal.throwIfAborted();
          failure = error;
        }
      }
      throw failure;
    },
  };
}
