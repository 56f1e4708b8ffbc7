// What the plans of all verbs have in common: who is named in them, on what they stand, and what speaks against beginning.
import {textAt, valueAt} from '../../../kube/object.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {highestEffect} from '../../../plan/effect.ts';
import type {Basis, Change, HostPlan, Phase, Plan, Warning} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import type {LiveCluster} from './live.ts';

export interface VerbOptions {
  /** Wait until what is wanted is so. */
  readonly wait: boolean;
  /** How long a wait of its own may take, in ms; else only the run's --timeout ends it. */
  readonly deadline?: number;
}

export interface VerbPlanParts {
  readonly operation: string;
  readonly hosts: readonly HostPlan[];
  readonly phases: readonly Phase<ControllerScope>[];
  readonly basis: Basis;
  readonly warnings?: readonly Warning[];
}

export function verbPlan(live: LiveCluster, parts: VerbPlanParts): Plan<ControllerScope> {
  return {
    operation: parts.operation,
    subject: live.name,
    mode: 'controller',
    simulated: live.simulated,
    hosts: parts.hosts,
    phases: parts.phases.filter((phase) => phase.steps.length > 0),
    basis: {cluster: live.cluster.metadata.uid ?? '', ...parts.basis},
    warnings: parts.warnings ?? [],
  };
}

/** A pool, the control plane or a machine with what changes of it. */
export function changedHost(host: string, role: string, changes: readonly Change[]): HostPlan {
  return {host, role, state: changes.length === 0 ? 'unchanged' : 'changed', effect: highestEffect(changes.map((change) => change.effect)), changes};
}

export function isPaused(live: LiveCluster): boolean {
  return valueAt(live.cluster, 'spec', 'paused') === true;
}

/** What is set on a paused cluster is set, but nobody works on it. */
export function pausedWarning(live: LiveCluster): readonly Warning[] {
  if (!isPaused(live)) return [];
  return [{code: 'cluster.paused', message: `${live.name} is paused: nothing happens until it is resumed.`, hints: [`trireme cluster resume ${live.name}`]}];
}

/** Throws `plan.refused` while the cluster is being deleted. */
export function requireAlive(live: LiveCluster, verb: string): void {
  const since = textAt(live.cluster, 'metadata', 'deletionTimestamp');
  if (since === undefined) return;
  throw refuse(`${live.name} is being deleted since ${since}: there is nothing left to ${verb}.`, [`trireme cluster describe ${live.name}`]);
}

export function refuse(message: string, hints: readonly string[] = [], details?: Readonly<Record<string, unknown>>): TriremeError {
  return new TriremeError('plan.refused', message, {hints, ...(details === undefined ? {} : {details})});
}
