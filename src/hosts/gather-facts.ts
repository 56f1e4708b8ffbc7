// Facts of many hosts at once: one script, one channel each; a host that fails is an observation, not an error.
import type {HostRunner} from '../ssh/runner.ts';
import {isAbortError} from '../kernel/errors.ts';
import {mapPool} from '../kernel/pool.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import type {HostFacts, HostObservation} from './facts.ts';
import {parseFacts} from './facts-parse.ts';
import {factsScript, type FactsScriptOptions} from './facts-script.ts';
import {newBoundary} from './script/frame.ts';

/** In ms. */
const defaultDeadline = 120_000;

/** What gathering needs to know of a target. */
export interface FactsTarget {
  readonly host: string;
  readonly sudoPassword?: string;
}

export interface GatherOptions<T extends FactsTarget> {
  /** Gives the host's connection; it stays open and belongs to the caller. */
  open(target: T): Promise<HostRunner>;
  readonly script: FactsScriptOptions;
  readonly concurrency: number;
  readonly signal?: AbortSignal;
  /** How long the script may take on one host, in ms; default 2 min: a host under load takes many times the second that it needs at rest. */
  readonly deadline?: number;
  /** Called as soon as a host's observation is there. */
  onObservation?(observation: HostObservation): void;
}

/** Observes every target, in their order. Rejects only when the signal aborts; whatever happens to one host becomes its problem. */
export async function gatherFacts<T extends FactsTarget>(targets: readonly T[], options: GatherOptions<T>): Promise<readonly HostObservation[]> {
  const boundary = newBoundary();
  const script = factsScript(options.script, boundary);
  const outcomes = await mapPool(targets, options.concurrency, async (target) => {
    const observation = await observe(target, script, boundary, options);
    options.onObservation?.(observation);
    return observation;
  });
  options.signal?.throwIfAborted();
  return outcomes.map((outcome, index) =>
    outcome.status === 'fulfilled' ? outcome.value : {host: (targets[index] as T).host, problem: problemOf(outcome.reason)},
  );
}

async function observe<T extends FactsTarget>(target: T, script: string, boundary: string, options: GatherOptions<T>): Promise<HostObservation> {
  const {host} = target;
  try {
    options.signal?.throwIfAborted();
    const runner = await options.open(target);
    const sentAt = Date.now();
    const result = await runner.run(script, {
      root: true,
      deadline: options.deadline ?? defaultDeadline,
      ...(options.signal === undefined ? {} : {signal: options.signal}),
    });
    const receivedAt = Date.now();
    const facts: HostFacts = parseFacts(result.stdout, {host, boundary, sentAt, receivedAt, passwordRequired: target.sudoPassword !== undefined});
    return {host, facts};
  } catch (error) {
    if (options.signal?.aborted && isAbortError(error)) throw error;
    const problem: Problem = problemOf(error);
    return {host, problem: problem.host === undefined ? {...problem, host} : problem};
  }
}
