// The end of a run: what became of each host, how long it took, what to do next.
import type {HostOutcome} from '../kernel/event.ts';
import type {RunHostView, RunView} from '../fleet/run-view.ts';
import {renderProblem} from './error.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {count, formatDuration} from './table.ts';

const order: readonly HostOutcome['outcome'][] = ['changed', 'unchanged', 'failed', 'unreachable', 'interrupted'];
/** More names than this are counted, not listed. */
const listed = 12;

export interface SummaryOptions {
  readonly style: Style;
  /** What to try now: commands. */
  readonly next?: readonly string[];
}

/** The summary of a finished (or cut-off) run. */
export function renderSummary(view: RunView, options: SummaryOptions): string {
  const {style} = options;
  const lines = [headline(view, style)];
  for (const outcome of order) {
    const hosts = view.hosts.filter((host) => host.outcome === outcome);
    if (hosts.length === 0) continue;
    const names = hosts
      .slice(0, listed)
      .map((host) => sanitizeLine(host.host))
      .join(', ');
    // Cluster API's machines are no hosts of ours, and pools are none at all
    const number = view.mode === 'controller' ? String(hosts.length) : count(hosts.length, 'host');
    lines.push(`  ${number} ${outcome}: ${names}${hosts.length > listed ? `, and ${hosts.length - listed} more` : ''}`);
  }
  for (const text of problemTexts(view, style)) lines.push(indent(text));
  for (const next of options.next ?? []) lines.push(`  ${style.color.dim(`${style.symbols.arrow} Next:`)} ${next}`);
  return lines.join('\n');
}

function headline(view: RunView, {color, symbols}: Style): string {
  const mark = simulatedMark(view.simulated, {color, symbols});
  const what = `${sanitizeLine(view.subject)}: ${view.operation}`;
  const time = view.ms === undefined ? '' : ` in ${formatDuration(view.ms)}`;
  switch (view.outcome) {
    case 'succeeded':
      return `${mark}${color.green(symbols.done)} ${what} succeeded${time}`;
    case 'unchanged':
      return `${mark}${color.green(symbols.done)} ${sanitizeLine(view.subject)}: unchanged${time === '' ? '' : ` (looked at${time})`}`;
    case 'failed':
      return `${mark}${color.red(symbols.failed)} ${what} failed${time}`;
    case 'interrupted':
      return `${mark}${color.yellow(symbols.warning)} ${what} was interrupted${time}; finished steps are kept`;
    case undefined:
      return `${mark}${color.yellow(symbols.warning)} ${what} did not end: it was killed or is still running`;
  }
}

/** Equal problems of several hosts are said once, with all their hosts. */
function problemTexts(view: RunView, style: Style): readonly string[] {
  const groups = new Map<string, RunHostView[]>();
  for (const host of view.hosts) {
    if (host.problem === undefined) continue;
    const key = `${host.problem.code}\0${host.problem.message.replaceAll(host.host, '')}`;
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  const ofHosts = [...groups.values()].flatMap((hosts) => {
    const [first] = hosts;
    if (first?.problem === undefined) return [];
    const others =
      hosts.length === 1
        ? ''
        : `\n(the same on ${hosts
            .slice(1)
            .map((host) => sanitizeLine(host.host))
            .join(', ')})`;
    return [renderProblem({...first.problem, host: first.host, message: first.problem.message + others}, style)];
  });
  return [...ofHosts, ...view.problems.map((problem) => renderProblem(problem, style))];
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
