// A run as lines: phases, a line a host, failures with remedies. The one picture of `apply`, of the Run screen and of a replay. Pure.
import type {PhaseView, RunHostView, RunView, TransferView} from '../fleet/run-view.ts';
import {count, formatBytes, formatDuration} from '../kernel/amounts.ts';
import type {Problem} from '../kernel/problem.ts';
import {wrapText} from '../output/wrap.ts';
import {clean, fit, widthOf} from './cells.ts';
import {joinSegments, type Segment} from './segments.ts';
import type {Theme, Token} from './theme.ts';
import {bar} from './widgets/bar.ts';

export interface RunLinesOptions {
  readonly theme: Theme;
  readonly width: number;
  /** Lines at most. */
  readonly height: number;
  /** ms since the epoch; of a replay the recording's time. */
  readonly now: number;
  /** What is known beside the events: it has no end, and nobody works on it any more. */
  readonly isBrokenOff?: boolean;
  /** Hosts in the order of the plan, from this one on, with a cursor. Default: those that work first, as many as fit. */
  readonly hosts?: {readonly shown: readonly RunHostView[]; readonly top: number; readonly cursor?: string};
}

const barCells = 12;
const widestName = 40;

export function runLines(view: RunView, options: RunLinesOptions): readonly string[] {
  const {height} = options;
  const head = [headLine(view, options)];
  const problems = problemLines(view, options);
  const forProblems = Math.min(problems.length, Math.max(2, Math.floor(height * 0.35)));
  const forPhases = Math.max(1, Math.floor((height - head.length - forProblems) * (view.hosts.length === 0 ? 1 : 0.5)));
  const phases = phaseLines(view, options, Math.min(forPhases, Math.max(1, height - head.length - forProblems)));
  const shared = view.shared === undefined ? [] : [sharedLine(view, options)];
  const room = height - head.length - phases.length - shared.length - forProblems;
  return [...head, ...phases, ...shared, ...hostLines(view, options, room), ...cutLines(problems, forProblems, options)].slice(0, Math.max(0, height));
}

/** How many lines are left for hosts: what a list's keys move by. */
export function hostRoom(view: RunView, options: RunLinesOptions): number {
  const others = runLines(
    {...view, hosts: view.hosts.map(({problem, ...host}) => ({...host, ...(problem === undefined ? {} : {problem})}))},
    {...options, hosts: {shown: [], top: 0}},
  );
  return Math.max(1, options.height - others.length);
}

function headLine(view: RunView, options: RunLinesOptions): string {
  const {theme, width, now} = options;
  const total = view.phases.reduce((sum, phase) => sum + phase.total, 0);
  const ended = view.phases.reduce((sum, phase) => sum + endedOf(phase), 0);
  const failed = view.phases.reduce((sum, phase) => sum + phase.failed, 0);
  const progress: readonly Segment[] =
    total === 0
      ? []
      : [
          '  ',
          {
            picture: bar(
              [
                {amount: ended - failed, token: 'good'},
                {amount: failed, token: 'bad', fill: 'half'},
                {amount: total - ended, token: 'muted', fill: 'empty'},
              ],
              barCells,
              theme,
            ),
            cells: barCells,
          },
          ` ${ended}/${total}`,
        ];
  const title: Segment = [view.subject === '' ? 'The run begins' : `${view.operation} ${view.subject}`, 'title'];
  return joinSegments([...simulated(view), ...stateSegments(view, options), title, ...progress, ['  ' + timeOf(view, now, options), 'muted']], width, theme);
}

const simulated = (view: RunView): readonly Segment[] => (view.simulated ? [['SIMULATED', 'simulated'], ' '] : []);

function stateSegments(view: RunView, options: RunLinesOptions): readonly Segment[] {
  const {symbols} = options.theme;
  switch (view.outcome) {
    case 'succeeded':
    case 'unchanged':
      return [[`${symbols.good} `, 'good']];
    case 'failed':
      return [[`${symbols.bad} `, 'bad']];
    case 'interrupted':
      return [[`${symbols.warning} `, 'warning']];
    case undefined:
      return options.isBrokenOff === true ? [[`${symbols.warning} `, 'warning']] : [[`${spinner(options)} `, 'working']];
  }
}

function timeOf(view: RunView, now: number, options: RunLinesOptions): string {
  if (view.outcome !== undefined) return `${view.outcome}${view.ms === undefined ? '' : ` in ${formatDuration(view.ms)}`}`;
  if (options.isBrokenOff === true) return 'broke off: what is done stays done';
  return since(view.startedAt, now);
}

/** Phases that are over are folded first, then those that wait. */
function phaseLines(view: RunView, options: RunLinesOptions, room: number): readonly string[] {
  const {theme, width} = options;
  const {phases} = view;
  if (phases.length <= room) return phases.map((phase) => phaseLine(phase, options));
  if (room <= 1) return [joinSegments([[`${theme.symbols.ellipsis} ${count(phases.length, 'phase')}`, 'muted']], width, theme)];
  const first = phases.findIndex((phase) => phase.state !== 'ended' || phase.failed > 0);
  const start = Math.min(first === -1 ? phases.length : first, phases.length - (room - 1));
  const shown = phases.slice(start, start + room - 1);
  return [
    joinSegments([[`${theme.symbols.ellipsis} ${count(phases.length - shown.length, 'phase')} more`, 'muted']], width, theme),
    ...shown.map((phase) => phaseLine(phase, options)),
  ];
}

const endedOf = (phase: PhaseView) => phase.done + phase.satisfied + phase.failed + phase.dropped;

function phaseLine(phase: PhaseView, options: RunLinesOptions): string {
  const {theme, width} = options;
  const {symbols} = theme;
  const progress = `  ${endedOf(phase)}/${phase.total}`;
  const failed: readonly Segment[] = phase.failed > 0 ? [[`  ${phase.failed} failed`, 'bad']] : [];
  if (phase.state === 'waiting') return joinSegments([[`${symbols.separator} ${phase.title}  0/${phase.total}`, 'muted']], width, theme);
  if (phase.state === 'running' && options.isBrokenOff !== true)
    return joinSegments([[`${spinner(options)} `, 'working'], phase.title, progress, ...failed], width, theme);
  const isWhole = phase.state === 'ended';
  const mark: Segment = phase.failed > 0 ? [`${symbols.bad} `, 'bad'] : isWhole ? [`${symbols.good} `, 'good'] : [`${symbols.warning} `, 'warning'];
  return joinSegments(
    [mark, phase.title, progress, ...failed, ...(phase.ms === undefined ? [] : [[`  ${formatDuration(phase.ms)}`, 'muted'] as const])],
    width,
    theme,
  );
}

function sharedLine(view: RunView, options: RunLinesOptions): string {
  const {theme, width, now} = options;
  const {title = '', startedAt = ''} = view.shared ?? {};
  const mark: Segment = options.isBrokenOff === true ? [`${theme.symbols.warning} `, 'warning'] : [`${spinner(options)} `, 'working'];
  return joinSegments([mark, title, ...(options.isBrokenOff === true ? [] : [[`  ${since(startedAt, now)}`, 'muted'] as const])], width, theme);
}

function hostLines(view: RunView, options: RunLinesOptions, room: number): readonly string[] {
  const {hosts: list, theme, width} = options;
  if (room <= 0) return [];
  if (list !== undefined) {
    const names = nameWidth(list.shown);
    return list.shown.slice(list.top, list.top + room).map((host) => hostLine(host, names, options, host.host === list.cursor));
  }
  const fits = view.hosts.length <= room;
  const shown = fits ? view.hosts : view.hosts.toSorted((a, b) => rank(a) - rank(b)).slice(0, Math.max(0, room - 1));
  const lines = shown.map((host) => hostLine(host, nameWidth(shown), options, false));
  if (fits) return lines;
  return [...lines, joinSegments([[`  ${theme.symbols.ellipsis} and ${view.hosts.length - shown.length} more`, 'muted']], width, theme)];
}

/** Those that work first, then those in trouble, then those that wait. */
export function rank(host: RunHostView): number {
  if (host.step !== undefined) return 0;
  if (host.failed > 0 || host.outcome === 'unreachable' || host.outcome === 'failed') return 1;
  return host.ended < host.total ? 2 : 3;
}

const nameWidth = (hosts: readonly RunHostView[]) => Math.min(widestName, Math.max(0, ...hosts.map((host) => widthOf(clean(host.host)))));

function hostLine(host: RunHostView, names: number, options: RunLinesOptions, isCursor: boolean): string {
  const {theme, width} = options;
  const room = Math.min(names, Math.max(4, Math.floor(width / 3)));
  const name = fit(clean(host.host), room, {ellipsis: theme.symbols.ellipsis});
  const lead: Segment = isCursor ? [`${theme.symbols.cursor} `, 'accent'] : '  ';
  return joinSegments([lead, [name, isCursor ? 'selected' : 'title'], '  ', ...hostState(host, options)], width, theme);
}

function hostState(host: RunHostView, options: RunLinesOptions): readonly Segment[] {
  const {theme, now} = options;
  const {symbols} = theme;
  if (host.outcome === 'unreachable') return [[`${symbols.bad} unreachable`, 'bad']];
  if (host.step !== undefined && options.isBrokenOff === true) return [[`${symbols.warning} `, 'warning'], `broke off at: ${host.step.title}`];
  if (host.step !== undefined) {
    const isSending = host.transfer !== undefined && host.transfer.sent < host.transfer.total;
    const detail: readonly Segment[] = isSending || host.detail === undefined ? [] : [[`  ${host.detail.text}`, 'muted']];
    return [
      [`${spinner(options)} `, 'working'],
      host.step.title,
      [`  ${since(host.step.startedAt, now)}`, 'muted'],
      ...(isSending && host.transfer !== undefined ? transfer(host.transfer, theme) : []),
      ...detail,
    ];
  }
  if (host.failed > 0 || host.outcome === 'failed')
    return [[`${symbols.bad} failed`, 'bad'], ...(host.problem === undefined ? [] : [`  ${host.problem.message}`])];
  if (host.outcome === 'interrupted')
    return [
      [`${symbols.warning} interrupted`, 'warning'],
      [`  ${host.ended}/${host.total}`, 'muted'],
    ];
  if (host.ended < host.total) return [[`${symbols.separator} waiting  ${host.ended}/${host.total}`, 'muted']];
  return [[`${symbols.good} ${host.done > 0 ? 'changed' : 'unchanged'}`, 'good']];
}

function transfer({name, sent, total}: TransferView, theme: Theme): readonly Segment[] {
  const share = total === 0 ? 1 : Math.min(1, sent / total);
  const picture = bar(
    [
      {amount: share, token: 'working'},
      {amount: 1 - share, token: 'muted', fill: 'empty'},
    ],
    barCells,
    theme,
  );
  return ['  ', {picture, cells: barCells}, [` ${name} ${formatBytes(sent)} of ${formatBytes(total)}`, 'muted']];
}

/** Failures with what to do about them; the same one of several hosts is told once. */
export function problemLines(view: RunView, options: Pick<RunLinesOptions, 'theme' | 'width'>): readonly string[] {
  const groups = new Map<string, {readonly problem: Problem; readonly hosts: string[]}>();
  const add = (problem: Problem, host: string | undefined) => {
    const key = `${problem.code}\u0000${host === undefined ? problem.message : problem.message.replaceAll(host, '')}`;
    const group = groups.get(key) ?? {problem, hosts: []};
    if (host !== undefined) group.hosts.push(host);
    groups.set(key, group);
  };
  for (const host of view.hosts) if (host.problem !== undefined) add(host.problem, host.host);
  for (const problem of view.problems) add(problem, undefined);
  const failures = [...groups.values()].flatMap(({problem, hosts}) => problemText(problem, hosts, options));
  const warnings = view.warnings.flatMap((warning) =>
    textLines(`${warning.host === undefined ? '' : `${warning.host}: `}${warning.message}`, 'warning', options),
  );
  return [...failures, ...warnings];
}

export function problemText(problem: Problem, hosts: readonly string[], options: Pick<RunLinesOptions, 'theme' | 'width'>): readonly string[] {
  const {theme, width} = options;
  const [first, ...others] = hosts;
  const whose = first === undefined || problem.message.includes(first) ? '' : `${first}: `;
  const more = others.length === 0 ? '' : ` (and ${others.slice(0, 3).join(', ')}${others.length > 3 ? `, and ${others.length - 3} more` : ''})`;
  return [
    ...textLines(`${whose}${problem.message}${more}`, 'bad', options),
    ...problem.hints.map((hint) => joinSegments([[`  ${theme.symbols.arrow} `, 'muted'], hint], width, theme)),
  ];
}

function textLines(text: string, token: Token, {theme, width}: Pick<RunLinesOptions, 'theme' | 'width'>): readonly string[] {
  const symbol = token === 'warning' ? theme.symbols.warning : theme.symbols.bad;
  // a message may have lines of its own: of those, each is cleaned for itself
  return text
    .split('\n')
    .flatMap((line) => wrapText(clean(line), width - 2))
    .map((line, index) => joinSegments([index === 0 ? [`${symbol} `, token] : '  ', line], width, theme));
}

function cutLines(lines: readonly string[], room: number, {theme, width}: RunLinesOptions): readonly string[] {
  if (lines.length <= room) return lines;
  return [
    ...lines.slice(0, Math.max(0, room - 1)),
    joinSegments([[`${theme.symbols.ellipsis} ${count(lines.length - room + 1, 'line')} more`, 'muted']], width, theme),
  ];
}

function spinner({theme, now}: RunLinesOptions): string {
  const {spinner: turns} = theme.symbols;
  return turns[Math.floor(now / 100) % turns.length] ?? '';
}

/** Whole seconds: a tenth would draw ten frames a second for nothing. */
function since(startedAt: string, now: number): string {
  const start = Date.parse(startedAt);
  if (Number.isNaN(start)) return '';
  const seconds = Math.max(0, Math.floor((now - start) / 1000));
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000);
}
