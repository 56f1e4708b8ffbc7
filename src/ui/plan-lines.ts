// What an action would change and what it costs, as lines above its question. Pure.
import type {PlannedChange, Preview} from '../actions/preview.ts';
import {effects, type Effect} from '../kernel/event.ts';
import {count} from '../kernel/amounts.ts';
import {clean} from './cells.ts';
import {problemText} from './run-lines.ts';
import {joinSegments, type Segment} from './segments.ts';
import type {Theme, Token} from './theme.ts';

export interface PlanLinesOptions {
  readonly theme: Theme;
  readonly width: number;
}

const effectTokens: Readonly<Record<Effect, Token>> = {none: 'muted', reload: 'muted', restart: 'warning', drain: 'bad', reboot: 'bad', replace: 'bad'};
const shownValue = 60;
/** Of a new machine everything is new: its first changes say enough. */
const shownOfNew = 4;

/** All plans, the command line of each, and what speaks against it. */
export function planLines(previews: readonly Preview[], options: PlanLinesOptions): readonly string[] {
  return previews.flatMap((preview, index) => [...(index === 0 ? [] : ['']), ...previewLines(preview, options)]);
}

function previewLines(preview: Preview, options: PlanLinesOptions): readonly string[] {
  const {theme, width} = options;
  const {plan, problem, file} = preview;
  return [
    joinSegments(
      [
        ['$ ', 'muted'],
        [preview.commandLine, 'muted'],
      ],
      width,
      theme,
    ),
    ...(problem === undefined ? [] : problemText(problem, [], options)),
    ...(plan === undefined ? [] : planBody(plan, options)),
    ...(file === undefined ? [] : diffLines(file, options)),
    ...preview.warnings.map((warning) =>
      joinSegments([[`${theme.symbols.warning} `, 'warning'], `${warning.host === undefined ? '' : `${warning.host}: `}${warning.message}`], width, theme),
    ),
  ];
}

function planBody(plan: PlannedChange, options: PlanLinesOptions): readonly string[] {
  const {theme, width} = options;
  const active = plan.hosts.filter((host) => host.state === 'new' || host.state === 'changed' || host.state === 'removed');
  const unreachable = plan.hosts.filter((host) => host.state === 'unreachable');
  const unchanged = plan.hosts.filter((host) => host.state === 'unchanged');
  const mark: readonly Segment[] = plan.simulated ? [['SIMULATED', 'simulated'], ' '] : [];
  const worst = highest(active.map((host) => host.effect));
  return [
    joinSegments(
      [
        ...mark,
        [`${plan.operation} ${plan.cluster}`, 'title'],
        `: ${count(active.length, 'change')}`,
        ...(active.length === 0 ? [] : [', costs ', [worst, effectTokens[worst]] as const]),
      ],
      width,
      theme,
    ),
    ...active.flatMap((host) => hostLines(host, options)),
    ...unreachable.map((host) => joinSegments([[`${theme.symbols.bad} ${host.host} is unreachable and will be skipped`, 'bad']], width, theme)),
    ...(unchanged.length === 0 ? [] : [joinSegments([[`= ${count(unchanged.length, 'other')} unchanged`, 'muted']], width, theme)]),
  ];
}

function hostLines(host: PlannedChange['hosts'][number], {theme, width}: PlanLinesOptions): readonly string[] {
  const isNew = host.state === 'new';
  const shown = isNew ? host.changes.slice(0, shownOfNew) : host.changes;
  const rest = host.changes.length - shown.length;
  const role = host.role === undefined ? '' : ` (${host.role})`;
  return [
    joinSegments(
      [
        isNew ? ['+ ', 'good'] : host.state === 'removed' ? ['- ', 'bad'] : ['~ ', 'warning'],
        [host.host, 'title'],
        `${role}  `,
        [costOf(host), effectTokens[host.effect]],
      ],
      width,
      theme,
    ),
    ...shown.map((change) => {
      const from = change.from === undefined ? [] : [value(change.from, theme)];
      const to = change.to === undefined ? [] : [value(change.to, theme)];
      const values = [...from, ...to].join(` ${theme.symbols.arrow} `);
      const why = change.why === undefined ? '' : ` (${change.why})`;
      return joinSegments([`    ${change.path}${values === '' ? '' : `: ${values}`}`, [why, 'muted']], width, theme);
    }),
    ...(rest > 0 ? [joinSegments([[`    ${theme.symbols.ellipsis} and ${count(rest, 'more line')}`, 'muted']], width, theme)] : []),
  ];
}

/** Nothing takes the place of what leaves. */
function costOf({state, effect}: PlannedChange['hosts'][number]): string {
  if (state === 'removed' && effect === 'replace') return state;
  return effect === 'none' ? '' : effect;
}

function diffLines({path, diff}: {readonly path: string; readonly diff: string}, {theme, width}: PlanLinesOptions): readonly string[] {
  const token = (line: string): Token => (line.startsWith('+') ? 'good' : line.startsWith('-') ? 'bad' : 'muted');
  const changed = diff.split('\n').filter((line) => /^[+-](?![+-])/.test(line));
  return [joinSegments([[`${path}:`, 'muted']], width, theme), ...changed.map((line) => joinSegments([[`  ${line}`, token(line)]], width, theme))];
}

function value(of: unknown, theme: Theme): string {
  const text = clean(typeof of === 'string' ? of : (JSON.stringify(of) ?? 'null'));
  return text.length <= shownValue ? text : `${text.slice(0, shownValue)}${theme.symbols.ellipsis}`;
}

function highest(list: readonly Effect[]): Effect {
  return list.reduce<Effect>((worst, one) => (effects.indexOf(one) > effects.indexOf(worst) ? one : worst), 'none');
}
