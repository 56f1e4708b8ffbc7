// Events as lines, the host first: for logs, pipes and CI.
import type {StepOutcome, TriremeEvent} from '../kernel/event.ts';
import {hintLines, renderProblem} from './error.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {count, formatBytes, formatDuration} from './table.ts';

export interface PlainOptions {
  readonly style: Style;
  /** Say also what began, what was satisfied already, and every line of output. */
  readonly verbose?: boolean;
}

/** The line (or lines) for an event; undefined for one that says nothing at this level. A new kind of event doesn't compile here. */
export function renderEvent(event: TriremeEvent, options: PlainOptions): string | undefined {
  const {style, verbose = false} = options;
  const {color, symbols} = style;
  const host = 'host' in event && event.host !== undefined ? `${color.bold(sanitizeLine(event.host))}: ` : '';
  switch (event.type) {
    case 'run.started': {
      const resumed = event.resumed === undefined ? '' : `, going on with ${event.resumed}`;
      return `${simulatedMark(event.simulated, style)}Run ${event.run}: ${event.operation} ${sanitizeLine(event.subject)} (${event.mode} mode${resumed})`;
    }
    case 'plan.ready':
      return verbose ? `Plan for ${sanitizeLine(event.subject)}: ${count(event.changes, 'change')}, ${event.unchanged} unchanged` : undefined;
    case 'phase.started':
      return `${color.bold(sanitizeLine(event.phase))} ${color.dim(`(${count(event.steps, 'step')})`)}`;
    case 'phase.finished':
      return verbose || event.failed > 0
        ? `${sanitizeLine(event.phase)}: ${event.done} done, ${event.satisfied} unchanged, ${event.failed} failed in ${formatDuration(event.ms)}`
        : undefined;
    case 'step.started':
      return verbose ? `${host}${symbols.bullet} ${sanitizeLine(event.title)}` : undefined;
    case 'step.finished':
      return renderFinished(event, host, options);
    case 'step.output':
      return verbose || event.asked === true ? `${host}${event.asked === true ? sanitizeLine(event.line) : color.dim(sanitizeLine(event.line))}` : undefined;
    case 'transfer.progressed':
      return verbose && event.sent === event.total ? `${host}${sanitizeLine(event.name)}: ${formatBytes(event.total)} sent` : undefined;
    case 'condition.changed': {
      if (event.status === 'true' && !verbose) return undefined;
      const why = [event.reason, event.message].filter((part) => part !== undefined).join(': ');
      const subject = event.subject === event.host ? '' : `${sanitizeLine(event.subject)} `;
      return `${host}${subject}${sanitizeLine(event.condition)} is ${event.status}${why === '' ? '' : ` (${sanitizeLine(why)})`}`;
    }
    case 'host.unreachable':
      return renderProblem({...event.problem, host: event.host}, style);
    case 'question.asked':
      return `${sanitizeLine(event.question)} ${sanitizeLine(event.answer)}`;
    case 'warning.raised':
      return [`${color.yellow(symbols.warning)} ${host}${sanitizeLine(event.message)}`, ...hintLines(event.hints ?? [], style)].join('\n');
    case 'run.finished':
      return undefined; // the summary says it
    default:
      return unknownEvent(event);
  }
}

const outcomeWords: Readonly<Record<Exclude<StepOutcome, 'failed'>, string>> = {
  done: '',
  satisfied: 'unchanged',
  skipped: 'skipped',
  unreachable: 'unreachable',
  interrupted: 'interrupted',
};

function renderFinished(event: Extract<TriremeEvent, {type: 'step.finished'}>, host: string, {style, verbose = false}: PlainOptions): string | undefined {
  const {color, symbols} = style;
  const title = sanitizeLine(event.title);
  const time = color.dim(formatDuration(event.ms));
  if (event.outcome === 'failed') {
    const line = `${host}${color.red(symbols.failed)} ${title} ${time}`;
    return event.problem === undefined ? line : `${line}\n${renderProblem(event.problem, style)}`;
  }
  if (event.outcome === 'done')
    return `${host}${color.green(symbols.done)} ${title}${event.summary === undefined ? '' : `: ${sanitizeLine(event.summary)}`} ${time}`;
  if (event.outcome === 'satisfied' && !verbose) return undefined;
  return `${host}${symbols.bullet} ${title}: ${outcomeWords[event.outcome]}`;
}

/** What stands before everything that isn't real. */
export function simulatedMark(simulated: boolean, style: Style): string {
  return simulated ? `${style.color.magenta.bold('SIMULATED')} ` : '';
}

/** A forgotten event doesn't compile; one of a newer version, replayed, is passed over. */
function unknownEvent(_event: never): undefined {
  return undefined;
}
