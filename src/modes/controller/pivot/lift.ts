// Phases of other plans as phases of this one: under a name of their own, and in the scope that they were made for, opened when a step begins.
import type {EventBody} from '../../../kernel/event.ts';
import type {HostPlan, Phase, Step, StepContext} from '../../../plan/plan.ts';
import type {PivotScope} from './scope.ts';

export interface Lift<S> {
  /** `Bootstrap: install providers`. */
  readonly name: string;
  /** Before ids of steps, and before hosts: the same providers are installed twice. */
  readonly prefix: string;
  /** False where hosts are called the same in the whole plan. */
  readonly prefixHosts: boolean;
  open(scope: PivotScope, signal: AbortSignal): S | Promise<S>;
}

export function liftPhases<S>(phases: readonly Phase<S>[], lift: Lift<S>): readonly Phase<PivotScope>[] {
  // nothing of one plan begins before all of the one before has ended
  return phases.map((phase, index) => ({
    ...phase,
    title: titleOf(lift.name, phase.title),
    steps: phase.steps.map((step) => liftStep(step, lift)),
    ...(index === 0 ? {barrier: true} : {}),
  }));
}

export function titleOf(name: string, title: string): string {
  return `${name}: ${title.charAt(0).toLowerCase()}${title.slice(1)}`;
}

export function liftHosts(hosts: readonly HostPlan[], lift: Pick<Lift<never>, 'prefix' | 'prefixHosts'>): readonly HostPlan[] {
  return hosts.map((row) => ({...row, host: hostOf(row.host, lift)}));
}

function hostOf(host: string, {prefix, prefixHosts}: Pick<Lift<never>, 'prefix' | 'prefixHosts'>): string {
  return prefixHosts ? `${prefix}/${host}` : host;
}

export function liftStep<S>(step: Step<S>, lift: Lift<S>): Step<PivotScope> {
  const within = async (context: StepContext<PivotScope>): Promise<StepContext<S>> => ({
    ...context,
    scope: await lift.open(context.scope, context.signal),
    emit: (event) => context.emit(liftEvent(event, lift)),
  });
  return {
    id: `${lift.prefix}/${step.id}`,
    title: step.title,
    effect: step.effect,
    ...(step.host === undefined ? {} : {host: hostOf(step.host, lift)}),
    ...(step.affects === undefined ? {} : {affects: step.affects.map((host) => hostOf(host, lift))}),
    check: async (context) => step.check(await within(context)),
    apply: async (context) => step.apply(await within(context)),
  };
}

function liftEvent<S>(event: EventBody, lift: Lift<S>): EventBody {
  return {
    ...event,
    ...('step' in event ? {step: `${lift.prefix}/${event.step}`} : {}),
    ...('host' in event && event.host !== undefined ? {host: hostOf(event.host, lift)} : {}),
  } as EventBody;
}
