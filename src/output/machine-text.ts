// Machines for people: a table of a cluster's, and everything about one.
import type {MachineView, PartView} from '../modes/mode.ts';
import {age} from './object-tree.ts';
import {ageCell} from './observed-text.ts';
import {sanitize, sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {renderTable, type Column} from './table.ts';
import {wrapText} from './wrap.ts';

export interface MachineTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  readonly columns?: number;
  readonly now: number;
}

export function renderMachines(machines: readonly MachineView[], {style, wide, columns, now}: MachineTextOptions): string {
  const isOurs = machines.some((machine) => machine.standing === undefined);
  const table: readonly Column<MachineView>[] = [
    {title: 'NAME', cell: (machine) => machine.name},
    {title: 'ROLE', cell: (machine) => machine.role},
    ...(isOurs ? [] : [{title: 'POOL', cell: (machine: MachineView) => machine.pool ?? '', wide: true}]),
    {title: 'STATE', cell: stateText, paint: (text, machine, palette) => paintState(machine, text, palette)},
    {title: 'VERSION', cell: (machine) => machine.version ?? ''},
    {title: 'NODE', cell: (machine) => machine.node ?? (isOurs && machine.state !== 'not-joined' ? machine.name : ''), wide: true},
    {title: 'ADDRESS', cell: (machine) => machine.address, wide: !isOurs},
    {title: 'PROVIDER ID', cell: (machine) => machine.providerId ?? '', wide: true},
    ...(isOurs ? [] : [{title: 'AGE', cell: (machine: MachineView) => ageCell(machine.created, now)}]),
    {title: 'REASON', cell: (machine) => machine.reasons.join('; ')},
  ];
  return renderTable(machines, table, {style, ...(wide === undefined ? {} : {wide}), ...(columns === undefined ? {} : {columns})});
}

/** Everything about one machine. */
export function renderMachine(machine: MachineView, options: MachineTextOptions): string {
  const {style, columns, now} = options;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['state', stateText(machine)],
    ['role', machine.role],
    ['pool', machine.pool],
    ['namespace', machine.namespace],
    ['version', machine.version],
    ['up to date', machine.upToDate === undefined ? undefined : machine.upToDate ? 'yes' : 'no'],
    ['phase', machine.phase],
    ['node', machine.node],
    ['address', machine.address === '' ? undefined : machine.address],
    ['provider ID', machine.providerId],
    ['failure domain', machine.failureDomain],
    ['infrastructure', partText(machine.infrastructure)],
    ['bootstrap', partText(machine.bootstrap)],
    ['agent', machine.agent === undefined ? undefined : `${machine.agent.version}, ${machine.agent.answering ? 'answering' : 'not answering'}`],
    ['agent since', machine.agentSince === undefined ? undefined : `${machine.agentSince} (${age(machine.agentSince, now)})`],
    ['drift', machine.drift === 0 ? undefined : String(machine.drift)],
    ['age', machine.created === undefined ? undefined : age(machine.created, now)],
  ];
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  const wrap = (text: string, paint: (line: string) => string) => {
    const [first = '', ...rest] = wrapText(sanitize(text), (columns ?? 10_000) - 4);
    return [`  ${paint(first)}`, ...rest.map((line) => `    ${paint(line)}`)];
  };
  return [
    style.color.bold(sanitizeLine(machine.name)),
    ...known.map(([name, value]) => `  ${name.padEnd(width)}  ${sanitizeLine(value)}`),
    ...machine.reasons.flatMap((reason) => wrap(`${style.symbols.warning} ${reason}`, style.color.yellow)),
    ...(machine.reconcilers === undefined ? [] : ['', style.color.bold('Agent'), ...reconcilerLines(machine, options)]),
    ...((machine.drifts ?? []).length === 0 ? [] : ['', style.color.bold('Drift'), ...driftLines(machine, options)]),
    ...(machine.conditions === undefined
      ? []
      : [
          '',
          ...machine.conditions
            .filter((one) => !isReconciler(machine, one.type))
            .flatMap((one) => wrap(conditionLine(one, style, now), one.ready ? (text) => text : style.color.yellow)),
        ]),
  ].join('\n');
}

function conditionLine(condition: NonNullable<MachineView['conditions']>[number], style: Style, now: number): string {
  const mark = condition.ready ? style.symbols.done : condition.standing === 'bad' ? style.symbols.failed : style.symbols.warning;
  const since = condition.since === undefined ? '' : ` for ${age(condition.since, now)}`;
  const reason = condition.reason === undefined ? '' : ` ${condition.reason}`;
  return `${mark} ${condition.type} ${condition.status ?? ''}${reason}${since}${condition.message === undefined ? '' : `: ${condition.message}`}`;
}

/** Told above, in a block of its own. */
function isReconciler({reconcilers = []}: MachineView, name: string): boolean {
  return reconcilers.some((one) => one.name === name);
}

/** What isn't done with its reason; what is, in one line, since when the youngest of it is so. */
function reconcilerLines({reconcilers = []}: MachineView, {style, now}: MachineTextOptions): readonly string[] {
  const done = reconcilers.filter((one) => one.status === 'done');
  const last = done
    .map((one) => one.since)
    .toSorted()
    .at(-1);
  return [
    ...reconcilers
      .filter((one) => one.status !== 'done')
      .map((one) => {
        const text = `${one.name} ${one.status} for ${age(one.since, now)}${one.message === undefined ? '' : `: ${one.message}`}${one.attempts > 1 ? ` (failed ${one.attempts} times)` : ''}`;
        return `  ${one.status === 'failed' ? style.color.red(`${style.symbols.failed} ${sanitizeLine(text)}`) : style.color.yellow(`${style.symbols.bullet} ${sanitizeLine(text)}`)}`;
      }),
    ...(last === undefined
      ? []
      : [
          `  ${style.symbols.done} ${done.length} of ${reconcilers.length} reconcilers done for ${age(last, now)}: ${done.map((one) => sanitizeLine(one.name)).join(', ')}`,
        ]),
  ];
}

/** The latest ten, newest first. */
function driftLines({drifts = []}: MachineView, {style, now}: MachineTextOptions): readonly string[] {
  return drifts
    .slice(-10)
    .toReversed()
    .map((one) => {
      const text = sanitizeLine(`${one.subject} (${one.found}) ${age(one.at, now)} ago: ${one.outcome}`);
      return `  ${one.outcome === 'repaired' ? text : style.color.yellow(`${style.symbols.warning} ${text}`)}`;
    });
}

function partText(part: PartView | undefined): string | undefined {
  if (part === undefined) return undefined;
  return `${part.kind}/${part.name}${part.missing ? ' MISSING' : part.standing === 'good' ? '' : ` (${part.standing})`}`;
}

function stateText(machine: MachineView): string {
  if (machine.deleting !== undefined) return 'deleting';
  const state = machine.state === 'not-joined' && machine.phase !== undefined ? machine.phase.toLowerCase() : machine.state;
  return machine.paused === true ? `${state}, paused` : state;
}

function paintState({state, standing, deleting}: MachineView, text: string, {color}: Style): string {
  if (standing === 'bad' || state === 'unreachable') return color.red(text);
  if (deleting !== undefined || state === 'not-joined') return color.yellow(text);
  return state === 'ready' ? color.green(text) : color.red(text);
}
