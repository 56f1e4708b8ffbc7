// What was reported about a cluster of hosts: what its agents did and met, and what Kubernetes reports of its objects.
import {isTriremeError} from '../../kernel/errors.ts';
import type {TriremeEvent} from '../../kernel/event.ts';
import {mapPool} from '../../kernel/pool.ts';
import type {EventView} from '../mode.ts';
import type {AgentScope} from './scope.ts';

export interface EventsOptions {
  readonly warningsOnly: boolean;
  readonly signal: AbortSignal;
  /** Told of a host whose agent doesn't answer: its events are missing. */
  warn(message: string, host: string): void;
}

/** Of the latest events of each agent so many are told. */
const most = 500;

/** Oldest first. */
export async function agentClusterEvents(scope: AgentScope, options: EventsOptions): Promise<readonly EventView[]> {
  const {signal, warningsOnly, warn} = options;
  const settled = await mapPool(scope.targets, scope.options.concurrency, async ({host}) => {
    const link = await scope.link(host);
    const {lastSeq} = await link.state({signal});
    const events = await link.recorded(Math.max(0, lastSeq - 4 * most), {signal});
    return events.flatMap((event) => viewOfEvent(host, event) ?? []).slice(-most);
  });
  signal.throwIfAborted();
  const own = settled.flatMap((one, index) => {
    if (one.status === 'fulfilled') return one.value;
    const {host} = scope.targets[index] as {host: string};
    warn(one.reason instanceof Error ? one.reason.message : String(one.reason), host);
    return [];
  });
  const all = [...own, ...(await kubernetesEvents(scope, signal))];
  return all.filter((event) => !warningsOnly || event.type === 'Warning').toSorted((a, b) => (a.last < b.last ? -1 : 1));
}

/** From the first control plane that can tell; none at all isn't an error: the agents' own events say why. */
async function kubernetesEvents(scope: AgentScope, signal: AbortSignal): Promise<readonly EventView[]> {
  for (const {host} of scope.targets.filter((target) => target.role === 'control-plane')) {
    try {
      return await (await scope.link(host)).clusterEvents({signal});
    } catch (error) {
      signal.throwIfAborted();
      if (!isTriremeError(error)) throw error;
    }
  }
  return [];
}

/** Those that come, of all agents at once, until the signal aborts. */
export async function* watchAgentEvents(scope: AgentScope, options: EventsOptions): AsyncGenerator<EventView, void, undefined> {
  const {signal, warn} = options;
  const waiting: EventView[] = [];
  let wake: (() => void) | undefined;
  let open = scope.targets.length;
  const follow = async (host: string) => {
    const link = await scope.link(host);
    const {lastSeq} = await link.state({signal});
    for await (const event of link.events(lastSeq, {signal})) {
      const view = viewOfEvent(host, event);
      if (view === undefined || (options.warningsOnly && view.type !== 'Warning')) continue;
      waiting.push(view);
      wake?.();
    }
  };
  for (const {host} of scope.targets)
    void follow(host)
      .catch((error: Error) => {
        if (!signal.aborted) warn(error.message, host);
      })
      .finally(() => {
        open -= 1;
        wake?.();
      });
  while (!signal.aborted) {
    yield* waiting.splice(0);
    if (open === 0) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
      signal.addEventListener('abort', () => resolve(), {once: true});
      if (waiting.length > 0) resolve();
    });
  }
}

/** What a person wants to know of an agent's events: what changed, what was done, what failed. Lines of programs and beginnings are left out. */
export function viewOfEvent(host: string, event: TriremeEvent): EventView | undefined {
  const base = {object: `Host/${host}`, last: event.at, count: 1, source: 'agent'};
  switch (event.type) {
    case 'condition.changed': {
      const isGood = event.status === 'true';
      const message = event.message === undefined ? '' : `: ${event.message}`;
      return {...base, type: isGood ? 'Normal' : 'Warning', reason: event.condition, message: `${event.condition} is ${event.status}${message}`};
    }
    case 'warning.raised':
      return {...base, type: 'Warning', reason: event.code, message: event.message};
    case 'step.finished':
      if (event.problem !== undefined) return {...base, type: 'Warning', reason: event.problem.code, message: `${event.title}: ${event.problem.message}`};
      if (event.outcome !== 'done') return undefined;
      return {...base, type: 'Normal', reason: 'Done', message: event.title};
    default:
      return undefined;
  }
}
