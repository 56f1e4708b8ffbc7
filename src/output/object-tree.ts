// Every object of a cluster for people. What stands well and alike is folded; what doesn't never is, and says why below itself.
import {foldMachines, shownChildren, tellingConditions} from '../fleet/tree-shape.ts';
import type {ConditionView, ObjectNode, ReplicaCounts} from '../modes/mode.ts';
import {sanitize, sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {formatDuration} from './table.ts';
import {wrapText} from './wrap.ts';

export interface ObjectTreeOptions {
  readonly style: Style;
  /** Nothing is folded. */
  readonly all?: boolean;
  /** Width of the terminal; absent: nothing is wrapped. */
  readonly columns?: number;
  /** In ms since 1970: what ages count to. */
  readonly now: number;
}

interface Drawn {
  readonly head: string;
  /** Lines below it that belong to it; with a colour. */
  readonly notes: readonly {readonly text: string; readonly paint: (text: string) => string}[];
  readonly children: readonly Drawn[];
  readonly paint: (text: string) => string;
}

/** The tree as text, without a newline at its end. */
export function renderObjectTree(tree: ObjectNode, options: ObjectTreeOptions): string {
  const drawn = drawNode(tree, options);
  return [...lines(drawn, '', '', options), ...branches(drawn.children, '', options)].join('\n');
}

function branches(nodes: readonly Drawn[], before: string, options: ObjectTreeOptions): readonly string[] {
  const {branch, lastBranch, trunk} = options.style.symbols;
  return nodes.flatMap((node, index) => {
    const isLast = index === nodes.length - 1;
    const below = before + (isLast ? ' '.repeat(trunk.length) : trunk);
    return [
      ...lines(node, before + (isLast ? lastBranch : branch), below + (node.children.length > 0 ? trunk : '   '), options),
      ...branches(node.children, below, options),
    ];
  });
}

function lines(node: Drawn, first: string, next: string, {style, columns}: ObjectTreeOptions): readonly string[] {
  const {dim} = style.color;
  const width = (columns ?? Number.POSITIVE_INFINITY) - next.length - 2; // what goes on is indented by two
  const wrap = (text: string) => (Number.isFinite(width) ? wrapText(text, width) : text.split('\n'));
  const [head = '', ...rest] = wrap(node.head);
  return [
    dim(first) + node.paint(head),
    ...rest.map((line) => dim(next) + node.paint(`  ${line}`)),
    ...node.notes.flatMap(({text, paint}) => {
      const [start = '', ...more] = wrap(text);
      return [dim(next) + paint(start), ...more.map((line) => dim(next) + paint(`  ${line}`))];
    }),
  ];
}

function drawNode(node: ObjectNode, options: ObjectTreeOptions): Drawn {
  const {style} = options;
  const marked = `${markOf(node, style)} `;
  const facts = factsOf(node, options);
  const name = node.role === 'group' ? sanitizeLine(node.name) : sanitizeLine(`${node.kind}/${node.name}`);
  return {
    head: `${node.role === 'group' ? '' : marked}${name}${facts.length === 0 ? '' : `  ${facts.join(', ')}`}`,
    paint: painter(node, style),
    notes: notesOf(node, options),
    children: drawChildren(node, options),
  };
}

function markOf({standing, missing, deleting}: ObjectNode, {symbols}: Style): string {
  if (missing === true || standing === 'bad') return symbols.failed;
  if (deleting !== undefined || standing === 'working') return symbols.arrow;
  return standing === 'unknown' ? '?' : symbols.done;
}

function painter({standing, role}: ObjectNode, {color}: Style): (text: string) => string {
  if (role === 'group') return color.bold;
  if (standing === 'bad') return color.red;
  return standing === 'good' ? (text) => text : color.yellow;
}

function factsOf(node: ObjectNode, {now, all}: ObjectTreeOptions): readonly string[] {
  const nodeName = node.role === 'machine' && all !== true ? node.children.find((child) => child.role === 'node')?.name : undefined;
  return [
    ...(node.missing === true ? ['MISSING'] : []),
    ...(node.version === undefined ? [] : [node.version]),
    ...(node.replicas === undefined ? [] : [countsText(node.replicas)]),
    ...(nodeName === undefined || nodeName === node.name ? [] : [`node ${nodeName}`]),
    ...(node.deleting === undefined ? [] : [`being deleted for ${age(node.deleting, now)}`]),
    ...(node.paused ? ['paused'] : []),
    ...node.remarks,
  ].map(sanitizeLine);
}

function countsText({wanted, current, ready, upToDate}: ReplicaCounts): string {
  return [`${ready}/${wanted} ready`, ...(current === wanted ? [] : [`${current} there`]), ...(upToDate === current ? [] : [`${upToDate} up to date`])].join(
    ', ',
  );
}

function notesOf(node: ObjectNode, options: ObjectTreeOptions): Drawn['notes'] {
  const {style, now} = options;
  const shown = node.role === 'node' ? [] : options.all === true ? node.conditions : tellingConditions(node.conditions);
  return shown.map((one) => {
    const since = one.since === undefined ? '' : ` ${age(one.since, now)}`;
    const reason = one.reason === undefined ? '' : ` ${one.reason}`;
    const message = one.message === undefined ? '' : `: ${one.message}`;
    const mark = one.ready ? style.symbols.done : style.symbols.warning;
    return {text: sanitize(`${mark} ${one.type} ${one.status ?? ''}${reason}${since}${message}`), paint: paintCondition(one, style)};
  });
}

function paintCondition({standing, ready}: ConditionView, {color}: Style): (text: string) => string {
  if (ready) return color.dim;
  return standing === 'bad' ? color.red : color.yellow;
}

/** Machines that stand well and alike become one line; whoever differs, in version too, keeps its own. */
function drawChildren(node: ObjectNode, options: ObjectTreeOptions): readonly Drawn[] {
  const all = options.all === true;
  return foldMachines(shownChildren(node, all), all).map((one) => (one.kind === 'object' ? drawNode(one.node, options) : drawGroup(one.machines, options)));
}

function drawGroup(machines: readonly ObjectNode[], {style}: ObjectTreeOptions): Drawn {
  const names = machines.map((machine) => sanitizeLine(machine.name));
  const shown = names.length > 2 ? `${names[0] ?? ''} ${style.symbols.ellipsis} ${names.at(-1) ?? ''}` : names.join(', ');
  const version = machines[0]?.version;
  return {
    head: `${style.symbols.done} ${machines.length} machines ready${version === undefined ? '' : `, ${sanitizeLine(version)}`}: ${shown}`,
    paint: (text) => text,
    notes: [],
    children: [],
  };
}

/** `3m12s`; empty for a time that can't be read. */
export function age(since: string, now: number): string {
  const at = Date.parse(since);
  return Number.isNaN(at) ? '' : formatDuration(Math.max(0, now - at));
}
