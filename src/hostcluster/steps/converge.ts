// Watching a host become what is wanted. It does so without us; here its events are passed on and its end is told.
import {sleep, withDeadline} from '../../kernel/cancel.ts';
import {digestOfValue} from '../../kernel/digest.ts';
import {isAbortError, TriremeError} from '../../kernel/errors.ts';
import type {Emit, TriremeEvent} from '../../kernel/event.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {AgentState, ReconcilerState} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {isBrokenLink, patience as silences} from '../silence.ts';
import {askPatiently} from './ask-patiently.ts';
import {finalWanted} from './hand-over.ts';
import {layerGivenUp} from './health.ts';

/** In ms: how long a host may take in all where no --timeout was given, and how often it's asked. */
const times = {converge: 20 * 60_000, firstLook: 100, look: 1000};
/** A reconciler tries again by itself, waiting longer each time; after so many failures in a row (about a minute) it is told. */
const attempts = 6;
/** What failed before we looked may have lost its cause since: it is tried so many times more. */
const moreAttempts = 2;

type Context = StepContext<HostClusterScope>;

/** Follows a host until its agent says that it is what is wanted. */
export function convergeStep(work: HostWork): Step<HostClusterScope> {
  const host = work.host.name;
  return {
    id: `converge:${host}`,
    title: work.isNew ? `Become a ${work.wanted.role === 'worker' ? 'worker' : 'control plane'}` : 'Converge',
    host,
    effect: 'none',
    check: async (context) => {
      const {scope} = context;
      const state = await askPatiently(context, host, (link) => link.state());
      if (!isConverged(state, digestOfValue(finalWanted(work, scope)))) return 'needed';
      scope.progress.converged.add(host);
      return 'satisfied';
    },
    apply: async (context) => {
      const digest = digestOfValue(finalWanted(work, context.scope));
      await followHost(context, {host, digest, step: `converge:${host}`, isDone: (state) => isConverged(state, digest)});
      context.scope.progress.converged.add(host);
      return 'is as wanted';
    },
  };
}

function isConverged(state: AgentState, digest: string): boolean {
  return state.converged && state.wantedDigest === digest;
}

export interface Follow {
  readonly host: string;
  /** Of what it was handed: another's wish ends the following. */
  readonly digest: string;
  /** Under whose id its lines are passed on. */
  readonly step: string;
  isDone(state: AgentState): boolean;
}

/** Watches a host, and passes its events on, until it's done. Throws what the host failed with, or `wait.timed-out`. */
export async function followHost(context: Context, follow: Follow): Promise<void> {
  const {host} = follow;
  const over = new AbortController();
  const ending = AbortSignal.any([context.signal, context.stopping, over.signal]);
  const patience = context.scope.patience ?? times.converge;
  const signal = withDeadline(ending, patience);
  const events = passOnEvents(context, follow, signal);
  let last: AgentState | undefined;
  try {
    await watchState(context, follow, signal, (state) => {
      tellChanges(context.emit, host, last?.reconcilers ?? [], state.reconcilers);
      last = state;
    });
  } catch (error) {
    if (signal.aborted && !ending.aborted) throw tookTooLong(host, last, patience);
    throw error;
  } finally {
    over.abort();
    await events;
  }
}

async function watchState(context: Context, {host, digest, isDone}: Follow, signal: AbortSignal, onState: (state: AgentState) => void): Promise<void> {
  let pause = times.firstLook;
  let silentSince: number | undefined;
  let before: Map<string, number> | undefined;
  for (;;) {
    signal.throwIfAborted();
    try {
      const state = await (await context.scope.link(host)).state({signal});
      silentSince = undefined;
      onState(state);
      if (state.wantedDigest !== digest)
        throw new TriremeError('plan.moved', `Somebody else gave ${host} another wish while it was converging.`, {
          host,
          hints: ['See what is wanted now: trireme plan'],
        });
      if (isDone(state)) return;
      before ??= new Map(state.reconcilers.map((one) => [one.name, one.attempts]));
      requireHope(host, state, before);
    } catch (error) {
      if (!isBrokenLink(error)) throw error;
      silentSince ??= Date.now();
      if (Date.now() - silentSince > silences.silence) throw error;
      await context.scope.forget(host);
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 1.5, times.look);
  }
}

/** `before` has the failures in a row that don't count: those that there were when the following began, and those while the API was away. */
function requireHope(host: string, state: AgentState, before: Map<string, number>): void {
  // an API that's away comes back by itself (its kubelet restarts it), and at first it forbids what it will allow once it has read its rules; on a
  // slow host that takes minutes, which the wait's own length bounds
  for (const one of state.reconcilers) if (one.code === 'host.unreachable') before.set(one.name, one.attempts);
  const failuresBefore = (one: ReconcilerState) => before.get(one.name) ?? 0;
  // a layer has been given all the time that the profile allows it; those after it wait, and the agent goes on looking
  const given = layerGivenUp(state, host);
  if (given !== undefined && state.reconcilers.some((one) => one.name === 'addons' && one.attempts > failuresBefore(one))) throw given;
  // one that is being tried again hasn't failed yet
  const hopeless = state.reconcilers.find((one) => one.status === 'failed' && one.attempts >= Math.max(attempts, failuresBefore(one) + moreAttempts));
  if (hopeless === undefined) return;
  if (hopeless.code === 'host.disk-full') {
    throw new TriremeError('host.disk-full', `${host} has no room left: ${hopeless.name} failed ${hopeless.attempts} times. ${hopeless.message ?? ''}`.trim(), {
      host,
      hints: [
        `See which file system is full: trireme host exec --limit ${host} -- df -h`,
        'The agent goes on trying; once there is room: trireme apply --resume',
      ],
      details: {reconciler: hopeless.name},
    });
  }
  throw new TriremeError('agent.failed', `${hopeless.name} failed ${hopeless.attempts} times on ${host}: ${hopeless.message ?? 'it gives no reason'}`, {
    host,
    hints: [`Look at its log: trireme agent logs ${host}`, 'The agent goes on trying; once the cause is gone: trireme apply --resume'],
    details: {reconciler: hopeless.name},
  });
}

/** Passes the agent's events on as this step's; a broken stream is taken up where it broke. Ends when the signal aborts, and never throws. */
async function passOnEvents({scope, emit}: Context, {host, step}: Follow, signal: AbortSignal): Promise<void> {
  let after = scope.progress.eventsSeen.get(host) ?? Number.MAX_SAFE_INTEGER;
  while (!signal.aborted) {
    try {
      const link = await scope.link(host);
      if (after === Number.MAX_SAFE_INTEGER) after = (await link.state({signal})).lastSeq;
      for await (const event of link.events(after, {signal})) {
        after = event.seq;
        passOn(emit, {host, step}, event);
      }
    } catch (error) {
      if (isAbortError(error) || signal.aborted) break;
    }
    // the watch on the state decides what a broken link means
    await sleep(silences.redial, signal).catch(() => {});
  }
  scope.progress.eventsSeen.set(host, after);
}

function passOn(emit: Emit, {host, step}: Pick<Follow, 'host' | 'step'>, event: TriremeEvent): void {
  const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => emit({type: 'step.output', step, host, stream, line: text});
  switch (event.type) {
    case 'step.started':
      line(event.title);
      break;
    case 'step.finished':
      if (event.problem !== undefined) line(`${event.title}: ${event.problem.message}`, 'stderr');
      break;
    case 'step.output':
      line(event.line, event.stream);
      break;
    case 'condition.changed':
      emit({
        type: 'condition.changed',
        subject: event.subject,
        condition: event.condition,
        status: event.status,
        host,
        ...(event.reason === undefined ? {} : {reason: event.reason}),
        ...(event.message === undefined ? {} : {message: event.message}),
      });
      break;
    case 'warning.raised':
      emit({type: 'warning.raised', code: event.code, message: event.message, host, ...(event.hints === undefined ? {} : {hints: event.hints})});
      break;
    default: // the agent's own runs and phases are its business
      break;
  }
}

/** Each reconciler as a condition of its host. What it does while it works is in the lines of its steps already. */
function tellChanges(emit: Emit, host: string, before: readonly ReconcilerState[], after: readonly ReconcilerState[]): void {
  for (const now of after) {
    const then = before.find((one) => one.name === now.name);
    if (then?.status === now.status && (now.status === 'working' || then.message === now.message)) continue;
    emit({
      type: 'condition.changed',
      subject: host,
      condition: now.name,
      status: now.status === 'done' ? 'true' : 'false',
      reason: now.status,
      host,
      ...(now.message === undefined ? {} : {message: now.message}),
    });
  }
}

function tookTooLong(host: string, state: AgentState | undefined, patience: number): TriremeError {
  const open = (state?.reconcilers ?? []).filter((one) => one.status !== 'done').map((one) => `${one.name} (${one.message ?? one.status})`);
  return new TriremeError('wait.timed-out', `${host} isn't as wanted after ${patience / 60_000} minutes${open.length === 0 ? '' : `: ${open.join(', ')}`}.`, {
    host,
    hints: [
      `Look at its log: trireme agent logs ${host}`,
      'The agent goes on by itself; see how far it is: trireme status',
      'To wait longer on a slow host: trireme apply --timeout 1h',
    ],
  });
}
