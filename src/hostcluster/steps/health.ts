// The end of a run: the cluster as a whole, as a control plane tells it.
import {TriremeError} from '../../kernel/errors.ts';
import {waitFor} from '../../kernel/retry.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import type {AgentState} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';

/** In ms, where no --timeout was given. Images are there already, but small machines start slowly. */
const times = {healthy: 5 * 60_000, interval: 1000};

export interface HealthOptions {
  readonly controlPlanes: readonly string[];
  /** Hosts that were right before the run; those that converge in it are added. */
  readonly settled: readonly string[];
}

/** Waits until every node that should be is Ready, and DNS and layers work. Throws `run.unhealthy`. */
export function healthStep(options: HealthOptions): Step<HostClusterScope> {
  const look = async (context: StepContext<HostClusterScope>): Promise<readonly string[]> => {
    const expected = [...new Set([...options.settled, ...context.scope.progress.converged])];
    const state = await anyState(context, options.controlPlanes);
    const given = layerGivenUp(state);
    if (given !== undefined) throw given;
    return complaintsOf(state, expected);
  };
  return {
    id: 'health',
    title: 'Check the cluster',
    effect: 'none',
    // where no host came through there's nothing to wait for, and why is said already
    check: async ({scope}) => (options.settled.length + scope.progress.converged.size === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const signal = AbortSignal.any([context.signal, context.stopping]);
      const timeout = context.scope.patience ?? times.healthy;
      let complaints: readonly string[] = [];
      const healthy = await waitFor(
        async () => {
          const before = complaints.join('; ');
          complaints = await look(context);
          const now = complaints.join('; ');
          if (now !== '' && now !== before) context.emit({type: 'step.output', step: 'health', stream: 'stdout', line: `waits: ${now}`});
          return complaints.length === 0 ? true : undefined;
        },
        {timeout, interval: times.interval, signal},
      );
      if (healthy === true) return 'nodes, DNS and layers are ready';
      throw new TriremeError(
        'run.unhealthy',
        `Everything was applied, and the cluster isn't healthy after ${timeout / 60_000} minutes: ${complaints.join('; ')}.`,
        {hints: ['See what is wrong: trireme status', 'It may only need time: trireme status --wait'], details: {complaints}},
      );
    },
  };
}

async function anyState({scope, signal}: StepContext<HostClusterScope>, controlPlanes: readonly string[]): Promise<AgentState | undefined> {
  for (const host of controlPlanes) {
    try {
      const state = await (await scope.link(host)).state({signal});
      if (state.nodes.length > 0) return state;
    } catch {
      signal.throwIfAborted();
    }
  }
  return undefined;
}

/** A layer that has had all the time that the profile allows it: more waiting is no use. */
export function layerGivenUp(state: AgentState | undefined, host?: string): TriremeError | undefined {
  const unhealthy = state?.reconcilers.find((one) => one.name === 'addons' && one.code === 'run.unhealthy' && one.status === 'failed');
  if (unhealthy === undefined) return undefined;
  return new TriremeError('run.unhealthy', unhealthy.message ?? `A layer of the profile isn't healthy.`, {
    ...(host === undefined ? {} : {host}),
    hints: ['See its pods: trireme cluster shell -- kubectl get pods -A', 'Once the cause is gone: trireme apply --resume'],
    details: {reconciler: unhealthy.name},
  });
}

/** What isn't as it should be, in words. */
export function complaintsOf(state: AgentState | undefined, expected: readonly string[]): readonly string[] {
  if (state === undefined) return ['no control plane tells of any node'];
  const nodes = expected.flatMap((name) => {
    const node = state.nodes.find((one) => one.name === name);
    if (node === undefined) return [`${name} isn't a node`];
    if (node.ready) return [];
    const condition = node.conditions.find((one) => one.type === 'Ready');
    return [`${name} isn't Ready${condition?.message === undefined ? '' : ` (${condition.message})`}`];
  });
  const conditions = state.conditions.filter((one) => !one.ready).map((one) => `${one.type} is false${one.message === undefined ? '' : ` (${one.message})`}`);
  return [...nodes, ...conditions];
}
