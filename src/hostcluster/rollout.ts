// In which order running hosts get a change that restarts something: control planes one by one, workers a few at a time.
import {effects} from '../kernel/event.ts';
import {TriremeError} from '../kernel/errors.ts';
import {highestEffect} from '../plan/effect.ts';
import type {Change, Phase, Step} from '../plan/plan.ts';
import type {ClusterSpec} from '../spec/schema.ts';
import type {HostWork} from './assess.ts';
import type {HostClusterScope} from './scope.ts';
import {convergeStep} from './steps/converge.ts';
import {cordonStep, drainStep, uncordonStep, upgradePurpose} from './steps/drain-step.ts';
import {handOverStep} from './steps/hand-over.ts';
import {drainDeadline} from './wanted.ts';

export type RolloutSettings = ClusterSpec['rollout'];

export interface Rollout {
  /** Hosts that are worked on at the same time: new ones, and changes that restart nothing. */
  readonly together: readonly HostWork[];
  /** One at a time. */
  readonly controlPlanes: readonly HostWork[];
  /** The first workers; the others follow when these are as wanted. */
  readonly canary: readonly HostWork[];
  readonly workers: readonly HostWork[];
  /** How many workers may be away at the same time. */
  readonly window: number;
}

/** Splits the work. `workers` is how many workers the cluster has: what a percentage is of. */
export function rolloutOf(works: readonly HostWork[], settings: RolloutSettings, workers: number): Rollout {
  const rolled = works.filter((work) => restartsRunning(work) && !movesEndpoint(work));
  const window = windowOf(settings.maxUnavailable, workers);
  if (rolled.length < 2 && !rolled.some(drains)) return {together: works, controlPlanes: [], canary: [], workers: [], window};
  // whoever is out of service already goes on first
  const rest = rolled.filter((work) => work.host.role === 'worker').toSorted((a, b) => Number(b.uncordons) - Number(a.uncordons));
  return {
    together: works.filter((work) => !rolled.includes(work)),
    controlPlanes: rolled.filter((work) => work.host.role === 'control-plane'),
    canary: rest.slice(0, settings.canary),
    workers: rest.slice(settings.canary),
    window,
  };
}

/** All API servers or etcd members at once would be an outage, and all kubelets at once a blind moment. */
function restartsRunning(work: HostWork): boolean {
  return !work.isNew && work.handsOver && costs(work, 'restart');
}

/**
 * Whoever isn't told yet looks for the API where it was, and may find nobody there: everybody is told at once. What else restarts something has an
 * order, and doesn't go together with that.
 */
function movesEndpoint(work: Pick<HostWork, 'changes' | 'isNew'>): boolean {
  return !work.isNew && work.changes.some(isMove);
}

/** Throws `plan.refused` when the endpoint moves and a running host gets something else, too, that restarts it. */
export function refuseMoveAmongOthers(works: readonly HostWork[]): void {
  for (const work of works.filter(movesEndpoint)) {
    const other = work.changes.find((change) => !comesWithMove(change) && effects.indexOf(change.effect) >= effects.indexOf('restart'));
    if (other === undefined) continue;
    throw new TriremeError(
      'plan.refused',
      `The endpoint moves, which all hosts are told at once, and ${other.path} of ${work.host.name} changes too, which restarts one host after the other.`,
      {host: work.host.name, hints: ['Apply one of the two first, then the other.']},
    );
  }
}

const isMove = ({path}: Change) => path === 'endpoint.host' || path === 'endpoint.port';
/** Who serves it, and that no proxy stands before it. */
const comesWithMove = ({path}: Change) => path.startsWith('endpoint.') || /^proxy\.no_proxy$/i.test(path);

/** Whether the host's pods have to go before the change. */
function drains(work: HostWork): boolean {
  return costs(work, 'drain');
}

function costs(work: HostWork, least: (typeof effects)[number]): boolean {
  return effects.indexOf(highestEffect(work.changes.map((change) => change.effect))) >= effects.indexOf(least);
}

/** How many workers may be away at the same time. */
export function windowOf(maxUnavailable: number | string, workers: number): number {
  const count = typeof maxUnavailable === 'number' ? maxUnavailable : Math.floor((Number.parseInt(maxUnavailable, 10) / 100) * workers);
  return Math.max(1, count);
}

export interface RolloutContext {
  readonly settings: RolloutSettings;
  /** Control planes that answer: through whose agents nodes are cordoned and drained. */
  readonly controlPlanes: readonly string[];
  /** How many nodes the cluster has: pods of an only node have nowhere to go. */
  readonly nodes: number;
}

/** Control planes, canaries, workers: a phase each, and before each but the first a gate. In a phase hosts follow one another as they come out well. */
export function rolloutPhases(rollout: Rollout, context: RolloutContext): readonly Phase<HostClusterScope>[] {
  const {settings} = context;
  const parts = [
    {title: 'control planes', works: rollout.controlPlanes, window: 1},
    {title: 'canary hosts', works: rollout.canary, window: rollout.window},
    {title: 'workers', works: rollout.workers, window: rollout.window},
  ].filter((part) => part.works.length > 0);
  return parts.map(({title, works, window}, index): Phase<HostClusterScope> => {
    const before = parts.slice(0, index).flatMap((part) => part.works);
    return {
      title: `Roll out to ${title}`,
      barrier: true,
      window,
      maxFailures: settings.maxFailures,
      steps: [...(index === 0 ? [] : [gateStep(gateOf(title, before, settings.maxFailures))]), ...works.flatMap((work) => hostSteps(work, context))],
    };
  });
}

function hostSteps(work: HostWork, context: RolloutContext): readonly Step<HostClusterScope>[] {
  const change = [handOverStep(work), convergeStep(work)];
  if (!drains(work) || context.nodes < 2) return [...change, ...uncordonSteps(work, context)];
  const options = {...nodeOptions(work, context), purpose: upgradePurpose};
  // emptyDirs are lost whenever a pod is made anew; a pod that nobody makes again isn't taken away unasked
  const drain = {force: false, deleteEmptyDirData: true, deadline: drainDeadline(context.settings)};
  return [cordonStep(options), drainStep({...options, drain}), ...change, uncordonStep(options)];
}

/** Of a host that an earlier run took out of service and has nothing more to drain for. */
export function uncordonSteps(work: HostWork, context: Pick<RolloutContext, 'controlPlanes'>): readonly Step<HostClusterScope>[] {
  return work.uncordons ? [uncordonStep({...nodeOptions(work, context), purpose: upgradePurpose})] : [];
}

/** A control plane under work is asked last. */
function nodeOptions(work: HostWork, {controlPlanes}: Pick<RolloutContext, 'controlPlanes'>) {
  const {name} = work.host;
  const others = controlPlanes.filter((host) => host !== name);
  return {host: name, node: work.wanted.node.name, controlPlanes: others.length < controlPlanes.length ? [...others, name] : others};
}

/** A control plane that isn't as wanted stops all others when the version changes: kubelets may not be newer than it. */
function gateOf(title: string, before: readonly HostWork[], maxFailures: number): Gate {
  const needed = before.filter((work) => work.host.role === 'control-plane' && changesVersion(work));
  return {title, before: before.map((work) => work.host.name), needed: needed.map((work) => work.host.name), maxFailures, again: 'trireme apply --resume'};
}

export interface Gate {
  /** Of the phase that it stands before. */
  readonly title: string;
  readonly before: readonly string[];
  /** Those of which none may have failed, whatever the file allows. */
  readonly needed: readonly string[];
  readonly maxFailures: number;
  /** How to go on. */
  readonly again: string;
}

/** Too many hosts that failed, and those after them aren't touched. */
export function gateStep({title, before, needed, maxFailures, again}: Gate): Step<HostClusterScope> {
  const failedOf = ({progress}: HostClusterScope) => before.filter((host) => !progress.converged.has(host));
  return {
    id: `gate:${title.replaceAll(' ', '-')}`,
    title: `See that ${before.join(', ')} did well`,
    effect: 'none',
    check: async ({scope}) => {
      const failed = failedOf(scope);
      return failed.length <= maxFailures && !failed.some((host) => needed.includes(host)) ? 'satisfied' : 'needed';
    },
    apply: async ({scope}) => {
      const failed = failedOf(scope);
      throw new TriremeError('run.failed', `It went wrong on ${failed.join(', ')}, so the hosts after ${failed.length === 1 ? 'it' : 'them'} aren't touched.`, {
        hints: [`Mend what failed, then: ${again}`, 'More failures may be allowed: spec.rollout.maxFailures'],
      });
    },
  };
}

export function changesVersion(work: Pick<HostWork, 'changes' | 'isNew'>): boolean {
  return !work.isNew && work.changes.some((change) => change.path === 'kubernetesVersion');
}
