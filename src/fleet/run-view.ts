// A run as plain data, made from its events alone: what the live block, the summary, history and later the run screen show.
import type {HostOutcome, RunOutcome, TriremeEvent} from '../kernel/event.ts';
import type {Problem} from '../kernel/problem.ts';

export interface PhaseView {
  readonly title: string;
  readonly total: number;
  readonly done: number;
  readonly satisfied: number;
  readonly failed: number;
  /** Skipped, unreachable or interrupted. */
  readonly dropped: number;
  readonly state: 'waiting' | 'running' | 'ended';
  /** Set when it ended, in ms. */
  readonly ms?: number;
}

export interface TransferView {
  readonly name: string;
  readonly sent: number;
  readonly total: number;
}

export interface RunHostView {
  readonly host: string;
  readonly total: number;
  readonly ended: number;
  /** Steps that changed something. */
  readonly done: number;
  readonly failed: number;
  readonly step?: {readonly id: string; readonly title: string; readonly startedAt: string};
  readonly transfer?: TransferView;
  /** What it waits for or does within its step, as a condition told it. */
  readonly detail?: {readonly condition: string; readonly text: string};
  readonly outcome?: HostOutcome['outcome'];
  readonly problem?: Problem;
}

export interface RunWarning {
  readonly code: string;
  readonly message: string;
  readonly host?: string;
  readonly hints?: readonly string[];
}

export interface RunView {
  readonly run: string;
  readonly operation: string;
  readonly subject: string;
  readonly mode: string;
  readonly simulated: boolean;
  readonly resumed?: string;
  readonly startedAt: string;
  readonly phases: readonly PhaseView[];
  readonly hosts: readonly RunHostView[];
  /** The running step that belongs to no host. */
  readonly shared?: {readonly id: string; readonly title: string; readonly startedAt: string};
  readonly warnings: readonly RunWarning[];
  /** Failures of steps that belong to no host. */
  readonly problems: readonly Problem[];
  readonly outcome?: RunOutcome;
  readonly problem?: Problem;
  /** Set when it finished, in ms. */
  readonly ms?: number;
}

export const emptyRunView: RunView = {
  run: '',
  operation: '',
  subject: '',
  mode: '',
  simulated: false,
  startedAt: '',
  phases: [],
  hosts: [],
  warnings: [],
  problems: [],
};

/** The view after one more event. */
export function reduceRun(view: RunView, event: TriremeEvent): RunView {
  switch (event.type) {
    case 'run.started':
      return startedView(event);
    case 'phase.started':
      return withPhase(view, event.phase, (phase) => ({...phase, state: 'running', total: event.steps}));
    case 'phase.finished':
      return withPhase(view, event.phase, (phase) => ({...phase, state: 'ended', ms: event.ms}));
    case 'step.started': {
      const step = {id: event.step, title: event.title, startedAt: event.at};
      return event.host === undefined ? {...view, shared: step} : withHost(view, event.host, ({detail: _detail, ...host}) => ({...host, step}));
    }
    case 'step.finished':
      return stepFinished(view, event);
    case 'transfer.progressed':
      return withHost(view, event.host, (host) => ({...host, transfer: {name: event.name, sent: event.sent, total: event.total}}));
    case 'host.unreachable':
      return withHost(view, event.host, (host) => ({...host, outcome: 'unreachable', problem: event.problem}));
    case 'warning.raised':
      return {
        ...view,
        warnings: [
          ...view.warnings,
          {
            code: event.code,
            message: event.message,
            ...(event.host === undefined ? {} : {host: event.host}),
            ...(event.hints === undefined ? {} : {hints: event.hints}),
          },
        ],
      };
    case 'run.finished':
      return runFinished(view, event);
    case 'condition.changed':
      return conditionChanged(view, event);
    case 'plan.ready':
    case 'step.output':
    case 'question.asked':
      return view;
    default:
      return unknownEvent(view, event);
  }
}

/** The view of a whole recorded run. */
export function viewOfRun(events: readonly TriremeEvent[]): RunView {
  return events.reduce(reduceRun, emptyRunView);
}

/** A forgotten event doesn't compile; one of a newer version, replayed, changes nothing. */
function unknownEvent(view: RunView, _event: never): RunView {
  return view;
}

type EventOf<T extends TriremeEvent['type']> = Extract<TriremeEvent, {type: T}>;

function startedView(event: EventOf<'run.started'>): RunView {
  const steps = event.phases.flatMap((phase) => phase.steps);
  const names = [...new Set(steps.flatMap((step) => step.host ?? []))];
  return {
    ...emptyRunView,
    run: event.run,
    operation: event.operation,
    subject: event.subject,
    mode: event.mode,
    simulated: event.simulated,
    ...(event.resumed === undefined ? {} : {resumed: event.resumed}),
    startedAt: event.at,
    phases: event.phases.map((phase) => ({title: phase.title, total: phase.steps.length, done: 0, satisfied: 0, failed: 0, dropped: 0, state: 'waiting'})),
    hosts: names.map((host) => ({host, total: steps.filter((step) => step.host === host).length, ended: 0, done: 0, failed: 0})),
  };
}

function stepFinished(view: RunView, event: EventOf<'step.finished'>): RunView {
  const counted = withPhase(view, event.phase, (phase) => {
    if (event.outcome === 'done') return {...phase, done: phase.done + 1};
    if (event.outcome === 'satisfied') return {...phase, satisfied: phase.satisfied + 1};
    if (event.outcome === 'failed') return {...phase, failed: phase.failed + 1};
    return {...phase, dropped: phase.dropped + 1};
  });
  if (event.host === undefined) {
    const {shared, ...rest} = counted;
    const ended = shared?.id === event.step ? rest : counted;
    return event.problem === undefined ? ended : {...ended, problems: [...ended.problems, event.problem]};
  }
  return withHost(counted, event.host, (host) => {
    const {step, transfer: _transfer, detail: _detail, ...rest} = host;
    const isCurrent = step?.id === event.step;
    return {
      ...(isCurrent ? rest : host),
      ended: host.ended + 1,
      done: host.done + (event.outcome === 'done' ? 1 : 0),
      failed: host.failed + (event.outcome === 'failed' ? 1 : 0),
      ...(event.problem === undefined ? {} : {problem: event.problem}),
    };
  });
}

function conditionChanged(view: RunView, event: EventOf<'condition.changed'>): RunView {
  if (event.host === undefined) return view;
  return withHost(view, event.host, ({detail, ...host}) => {
    if (event.status !== 'true')
      return {...host, detail: {condition: event.condition, text: `${event.condition}: ${event.message ?? event.reason ?? event.status}`}};
    return detail === undefined || detail.condition === event.condition ? host : {...host, detail};
  });
}

function runFinished(view: RunView, event: EventOf<'run.finished'>): RunView {
  const finished = event.hosts.reduce(
    (current, one) =>
      withHost(current, one.host, ({step: _step, transfer: _transfer, detail: _detail, ...host}) => ({
        ...host,
        outcome: one.outcome,
        ...(one.problem === undefined ? {} : {problem: one.problem}),
      })),
    view,
  );
  const {shared: _shared, ...rest} = finished;
  return {...rest, outcome: event.outcome, ms: event.ms, ...(event.problem === undefined ? {} : {problem: event.problem})};
}

function withPhase(view: RunView, title: string, change: (phase: PhaseView) => PhaseView): RunView {
  return {...view, phases: view.phases.map((phase) => (phase.title === title ? change(phase) : phase))};
}

function withHost(view: RunView, name: string, change: (host: RunHostView) => RunHostView): RunView {
  const known = view.hosts.some((host) => host.host === name);
  const hosts: readonly RunHostView[] = known ? view.hosts : [...view.hosts, {host: name, total: 0, ended: 0, done: 0, failed: 0}];
  return {...view, hosts: hosts.map((host) => (host.host === name ? change(host) : host))};
}
