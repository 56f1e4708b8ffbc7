// A cluster's objects as rows of a tree that can be folded. What is missing or failing is never folded away. Pure.
import {foldMachines, shownChildren, tellingConditions} from '../fleet/tree-shape.ts';
import type {ClusterView, ConditionView, MachineView, ObjectNode} from '../modes/mode.ts';
import {ageOf, clean, cut} from './cells.ts';
import type {Theme, Token} from './theme.ts';

export interface TreeRow {
  /** Unique in the tree: the way from the root. */
  readonly id: string;
  readonly branches: string;
  readonly text: string;
  readonly token: Token | undefined;
  /** Set when something below it is left out, or could be. */
  readonly fold?: 'folded' | 'unfolded';
  /** The machine that it is. */
  readonly machine?: string;
  /** What is copied. */
  readonly name: string;
}

export interface TreeOptions {
  readonly theme: Theme;
  readonly now: number;
  /** Nothing is left out. */
  readonly all: boolean;
  /** Ids whose state differs from what it'd be by itself. */
  readonly toggled: ReadonlySet<string>;
}

interface Item {
  readonly id: string;
  readonly text: string;
  readonly token: Token | undefined;
  readonly children: readonly Item[];
  readonly notes: readonly {readonly text: string; readonly token: Token}[];
  readonly fold?: 'folded' | 'unfolded';
  readonly machine?: string;
  readonly name: string;
}

/** The rows, top to bottom. */
export function treeRows(view: ClusterView, options: TreeOptions): readonly TreeRow[] {
  const root = view.tree === undefined ? hostTree(view, options) : objectItem(view.tree, '', options);
  const rows: TreeRow[] = [];
  const put = (item: Item, lead: string, below: string) => {
    const {id, text, token, fold, machine, name} = item;
    rows.push({id, branches: lead, text, token, name, ...(fold === undefined ? {} : {fold}), ...(machine === undefined ? {} : {machine})});
    const {branch, lastBranch, trunk} = options.theme.symbols;
    for (const [index, note] of item.notes.entries())
      rows.push({id: `${id} note ${index}`, branches: below + (item.children.length > 0 ? trunk : '   '), text: note.text, token: note.token, name: note.text});
    for (const [index, child] of item.children.entries()) {
      const isLast = index === item.children.length - 1;
      put(child, below + (isLast ? lastBranch : branch), below + (isLast ? ' '.repeat(trunk.length) : trunk));
    }
  };
  put(root, '', '');
  return rows;
}

function objectItem(node: ObjectNode, above: string, options: TreeOptions): Item {
  const id = `${above}/${node.kind}/${node.name}`;
  const {children, fold} = childrenOf(node, id, options);
  const name = node.role === 'group' ? clean(node.name) : clean(`${node.kind}/${node.name}`);
  const facts = factsOf(node, options);
  const mark = node.role === 'group' ? '' : `${markOf(node, options.theme)} `;
  return {
    id,
    name: clean(node.name),
    text: `${mark}${name}${facts.length === 0 ? '' : `  ${facts.join(', ')}`}`,
    token: tokenOf(node),
    notes: node.role === 'node' ? [] : tellingConditions(node.conditions).map((one) => ({text: conditionText(one, options), token: conditionToken(one)})),
    children,
    ...(fold === undefined ? {} : {fold}),
    ...(node.role === 'machine' ? {machine: node.name} : {}),
  };
}

function childrenOf(node: ObjectNode, id: string, options: TreeOptions): Pick<Item, 'children' | 'fold'> {
  const items = (all: boolean) =>
    foldMachines(shownChildren(node, all), all).map((one) =>
      one.kind === 'object' ? objectItem(one.node, id, options) : groupItem(one.machines, id, options),
    );
  const isToggled = options.toggled.has(id);
  if (node.children.length === 0) return {children: []};
  // by itself a node shows what is worth it; toggled, all, or, where it shows all, nothing but what isn't well
  const short = shownChildren(node, false);
  const hides = short.length < node.children.length || foldMachines(short, false).length < short.length;
  if (options.all) return isToggled && node.worst === 'good' ? {children: [], fold: 'folded'} : {children: items(true), fold: 'unfolded'};
  if (hides) return {children: items(isToggled), fold: isToggled ? 'unfolded' : 'folded'};
  if (node.worst !== 'good' || node.role === 'cluster') return {children: items(false)};
  return isToggled ? {children: [], fold: 'folded'} : {children: items(false), fold: 'unfolded'};
}

function groupItem(machines: readonly ObjectNode[], above: string, {theme}: TreeOptions): Item {
  const names = machines.map((machine) => clean(machine.name));
  const version = machines[0]?.version;
  const shown = names.length > 2 ? `${names[0] ?? ''} ${theme.symbols.ellipsis} ${names.at(-1) ?? ''}` : names.join(', ');
  const id = `${above}/machines ${version ?? ''}`;
  return {
    id,
    name: names.join('\n'),
    text: `${theme.symbols.good} ${machines.length} machines ready${version === undefined ? '' : `, ${clean(version)}`}: ${shown}`,
    token: undefined,
    notes: [],
    children: [],
  };
}

function markOf({standing, missing, deleting}: ObjectNode, {symbols}: Theme): string {
  if (missing === true || standing === 'bad') return symbols.bad;
  if (deleting !== undefined || standing === 'working') return symbols.working;
  return standing === 'unknown' ? symbols.unknown : symbols.good;
}

function tokenOf({standing, role}: ObjectNode): Token | undefined {
  if (role === 'group') return 'title';
  if (standing === 'good') return undefined;
  return standing === 'bad' ? 'bad' : standing === 'unknown' ? 'unknown' : 'working';
}

function factsOf(node: ObjectNode, {now}: TreeOptions): readonly string[] {
  const {replicas} = node;
  return [
    ...(node.missing === true ? ['MISSING'] : []),
    ...(node.version === undefined ? [] : [node.version]),
    ...(replicas === undefined ? [] : [`${replicas.ready}/${replicas.wanted} ready`]),
    ...(replicas === undefined || replicas.upToDate === replicas.current ? [] : [`${replicas.upToDate} up to date`]),
    ...(node.deleting === undefined ? [] : [`being deleted for ${ageOf(node.deleting, now)}`]),
    ...(node.paused ? ['paused'] : []),
    ...node.remarks,
  ].map(clean);
}

/** `! Ready False WaitingForNode 3m: no node yet`. */
export function conditionText(condition: ConditionView, {theme, now}: Pick<TreeOptions, 'theme' | 'now'>): string {
  const {type, status, reason, since, message, ready, standing} = condition;
  const mark = ready ? theme.symbols.good : standing === 'bad' ? theme.symbols.bad : theme.symbols.warning;
  const parts = [
    mark,
    type,
    ...(status === undefined ? [] : [status]),
    ...(reason === undefined ? [] : [reason]),
    ...(since === undefined ? [] : [ageOf(since, now)]),
  ];
  return clean(`${parts.join(' ')}${message === undefined ? '' : `: ${message}`}`);
}

export function conditionToken({ready, standing}: ConditionView): Token {
  if (ready) return 'muted';
  return standing === 'bad' ? 'bad' : 'warning';
}

/** Hosts hang on no objects: control planes and workers, each with what it says. */
function hostTree(view: ClusterView, options: TreeOptions): Item {
  const isControlPlane = (machine: MachineView) => machine.role === 'control-plane';
  const group = (name: string, machines: readonly MachineView[], counts: {readonly ready: number; readonly wanted: number}): Item => {
    const id = `/${name}`;
    const isFolded = options.toggled.has(id);
    // folded or not: who isn't well stays
    const shown = isFolded ? machines.filter((machine) => machine.state !== 'ready' || machine.reasons.length > 0) : machines;
    return {
      id,
      name,
      text: `${name}  ${counts.ready}/${counts.wanted} ready`,
      token: 'title',
      notes: [],
      children: shown.map((machine) => hostItem(machine, id, options)),
      ...(machines.length === 0 ? {} : {fold: isFolded ? ('folded' as const) : ('unfolded' as const)}),
    };
  };
  return {
    id: '/',
    name: clean(view.name),
    text: clean(`${view.name}  ${view.mode} mode`),
    token: 'title',
    notes: [],
    children: [
      group('control planes', view.machines.filter(isControlPlane), view.controlPlanes),
      group(
        'workers',
        view.machines.filter((machine) => !isControlPlane(machine)),
        view.workers,
      ),
    ].filter((one) => one.children.length > 0 || one.fold !== undefined),
  };
}

function hostItem(machine: MachineView, above: string, {theme}: TreeOptions): Item {
  const {name, address, state, version, agent, drift, reasons} = machine;
  const told = agent === undefined ? 'no agent' : `agent ${agent.version} ${agent.answering ? (agent.converged ? 'converged' : 'working') : 'not answering'}`;
  const mark = state === 'ready' ? theme.symbols.good : state === 'not-joined' ? theme.symbols.working : theme.symbols.bad;
  const facts = [state, ...(version === undefined ? [] : [version]), told, ...(drift > 0 ? [`${drift} drifted`] : []), ...(address === '' ? [] : [address])];
  return {
    id: `${above}/${name}`,
    name: clean(name),
    machine: name,
    text: clean(`${mark} ${name}  ${facts.join(', ')}`),
    token: state === 'ready' ? undefined : state === 'not-joined' ? 'working' : 'bad',
    notes: reasons.map((reason) => ({text: clean(`${theme.symbols.warning} ${reason}`), token: 'warning' as const})),
    children: [],
  };
}

/** A row as it's drawn. */
export function treeLine(row: TreeRow, options: {readonly theme: Theme; readonly width: number; readonly isCursor: boolean}): string {
  const {theme, width, isCursor} = options;
  const {symbols} = theme;
  const fold = row.fold === undefined ? '' : `${row.fold === 'folded' ? symbols.folded : symbols.unfolded} `;
  const lead = `${isCursor ? symbols.cursor : ' '} `;
  const body = cut(fold + row.text, width - lead.length - row.branches.length, symbols.ellipsis);
  if (isCursor) return theme.paint('selected', `${lead}${row.branches}${body}`);
  return `${lead}${theme.paint('border', row.branches)}${row.token === undefined ? body : theme.paint(row.token, body)}`;
}
