// A cluster for people: health with reasons, then its machines.
import type {ClusterView, EtcdMemberView, MachineView} from '../modes/mode.ts';
import {fromNow} from './certificate-text.ts';
import {age} from './object-tree.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {formatBytes, renderTable, type Column} from './table.ts';
import {renderTree, type TreeNode} from './tree.ts';

export interface ClusterTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  readonly columns?: number;
  /** In ms since 1970. */
  readonly now: number;
}

/** Health, reasons, counts and the table of machines. */
export function renderCluster(view: ClusterView, options: ClusterTextOptions): string {
  const {style} = options;
  const lines = [
    `${simulatedMark(view.simulated, style)}${style.color.bold(sanitizeLine(view.name))}: ${paintHealth(view.health, style)}`,
    `  ${countsOf(view)}, Kubernetes ${sanitizeLine(view.version)}, ${view.mode} mode`,
    ...upkeepOf(view, options.now).map((line) => `  ${sanitizeLine(line)}`),
    ...view.reasons.map((reason) => `  ${style.color.yellow(style.symbols.warning)} ${sanitizeLine(reason)}`),
    ...view.conditions.filter((condition) => !condition.ready).map((condition) => `  ${style.color.red(style.symbols.failed)} ${conditionText(condition)}`),
    '',
    renderTable(view.machines, machineColumns(options.now), {
      style,
      ...(options.wide === undefined ? {} : {wide: options.wide}),
      ...(options.columns === undefined ? {} : {columns: options.columns}),
    }),
  ];
  return lines.join('\n');
}

/** The cluster as a tree: conditions, control planes, workers; what isn't right says why below itself. */
export function renderClusterTree(view: ClusterView, {style, now}: Pick<ClusterTextOptions, 'style' | 'now'>): string {
  const machines = (title: string, isWanted: (machine: MachineView) => boolean, counts: {readonly ready: number; readonly wanted: number}): TreeNode => ({
    label: `${title} ${counts.ready}/${counts.wanted} ready`,
    children: view.machines.filter(isWanted).map((machine) => machineNode(machine, style, now)),
  });
  const tree = renderTree(
    {
      label: `${view.name}: ${view.health} (${view.mode} mode, Kubernetes ${view.version})`,
      children: [
        ...view.reasons.map((reason) => ({label: reason, paint: (text: string) => style.color.yellow(`${style.symbols.warning} ${text}`)})),
        {
          label: 'conditions',
          children: view.conditions.map((condition) => ({
            label: conditionText(condition),
            paint: (text: string) => (condition.ready ? text : style.color.red(text)),
          })),
        },
        ...endpointText(view, now).map((label) => ({label})),
        ...((view.etcd ?? []).length === 0 ? [] : [{label: etcdText(view), children: (view.etcd ?? []).map((member) => memberNode(member, style))}]),
        ...(view.certificates === undefined ? [] : [{label: certificatesText(view.certificates, now)}]),
        machines('control planes', (machine) => machine.role === 'control-plane', view.controlPlanes),
        machines('workers', (machine) => machine.role !== 'control-plane', view.workers),
      ],
    },
    style,
  );
  return `${simulatedMark(view.simulated, style)}${tree}`;
}

function memberNode(member: EtcdMemberView, style: Style): TreeNode {
  const size = member.size === undefined ? [] : [formatBytes(member.size)];
  const facts = [
    ...(member.leader ? ['leader'] : []),
    ...(member.learner ? ['learner'] : []),
    ...(member.version === undefined ? [] : [member.version]),
    ...size,
  ];
  return {
    label: `${member.name || `(${member.id})`}: ${member.healthy ? 'healthy' : 'not healthy'}${facts.length === 0 ? '' : `, ${facts.join(', ')}`}`,
    paint: (text) => (member.healthy ? text : style.color.red(text)),
    ...(member.message === undefined ? {} : {children: [{label: member.message}]}),
  };
}

function etcdText({etcd = []}: ClusterView): string {
  const leader = etcd.find((member) => member.leader)?.name;
  return `etcd ${etcd.filter((member) => member.healthy).length}/${etcd.length} healthy${leader === undefined ? '' : `, leader ${leader}`}`;
}

/** Who serves the endpoint's address, where the control planes do. */
function endpointText({endpoint = '', endpointHolder}: ClusterView, now: number): readonly string[] {
  if (endpointHolder === undefined) return [];
  const {holder, since} = endpointHolder;
  if (holder === undefined) return [`endpoint ${endpoint}: no control plane serves it`];
  return [`endpoint ${endpoint}: served by ${holder}${since === undefined ? '' : ` for ${age(since, now)}`}`];
}

function certificatesText({expired, due, next}: NonNullable<ClusterView['certificates']>, now: number): string {
  const counts = [...(expired > 0 ? [`${expired} expired`] : []), ...(due > 0 ? [`${due} due`] : [])];
  const first = next === undefined ? [] : [`the first ends ${fromNow(next.notAfter, now)} (${next.name} on ${next.host})`];
  return `certificates: ${[...counts, ...first].join(', ')}`;
}

/** etcd and certificates in a line each, where they are known. */
function upkeepOf(view: ClusterView, now: number): readonly string[] {
  return [
    ...endpointText(view, now),
    ...((view.etcd ?? []).length === 0 ? [] : [etcdText(view)]),
    ...(view.certificates === undefined ? [] : [certificatesText(view.certificates, now)]),
  ];
}

function machineNode(machine: MachineView, style: Style, now: number): TreeNode {
  const version = machine.version === undefined ? '' : ` ${machine.version}`;
  const agent =
    machine.agent === undefined
      ? 'no agent'
      : `agent ${machine.agent.version} ${machine.agent.answering ? (machine.agent.converged ? 'converged' : 'working') : 'not answering'}`;
  const drift = machine.drift > 0 ? `, ${machine.drift} drifted` : '';
  return {
    label: `${machine.name} (${machine.address}): ${machine.state}${sinceOf(machine, now)}${version}, ${agent}${drift}`,
    paint: (text) => paintState(machine.state, text, style),
    children: [
      ...machine.reasons.map((label) => ({label})),
      ...(machine.reconcilers ?? [])
        .filter((one) => one.status !== 'done')
        .map((one) => ({label: `${one.name} ${one.status} for ${age(one.since, now)}${one.message === undefined ? '' : `: ${one.message}`}`})),
    ],
  };
}

/** ` for 3m12s`, by the node's own word. */
function sinceOf(machine: MachineView, now: number): string {
  const since = readyAge(machine, now);
  return since === undefined ? '' : ` for ${since}`;
}

/** How long the node has been as ready, or not, as it is. */
function readyAge({conditions}: MachineView, now: number): string | undefined {
  const since = conditions?.find((one) => one.type === 'Ready')?.since;
  return since === undefined ? undefined : age(since, now);
}

function countsOf(view: ClusterView): string {
  const {controlPlanes, workers} = view;
  return `control planes ${controlPlanes.ready}/${controlPlanes.wanted} ready, workers ${workers.ready}/${workers.wanted} ready`;
}

function conditionText(condition: ClusterView['conditions'][number]): string {
  return sanitizeLine(`${condition.type}: ${condition.ready ? 'ready' : 'not ready'}${condition.message === undefined ? '' : `, ${condition.message}`}`);
}

function paintHealth(health: ClusterView['health'], {color}: Style): string {
  if (health === 'healthy') return color.green(health);
  return health === 'degraded' ? color.red(health) : color.yellow(health);
}

function paintState(state: MachineView['state'], text: string, {color}: Style): string {
  if (state === 'ready') return color.green(text);
  return state === 'not-joined' ? color.yellow(text) : color.red(text);
}

const machineColumns = (now: number): readonly Column<MachineView>[] => [
  {title: 'NAME', cell: (machine) => machine.name},
  {title: 'ROLE', cell: (machine) => machine.role},
  {title: 'STATE', cell: (machine) => machine.state, paint: (text, machine, style) => paintState(machine.state, text, style)},
  {title: 'FOR', cell: (machine) => readyAge(machine, now) ?? ''},
  {title: 'VERSION', cell: (machine) => machine.version ?? ''},
  {
    title: 'AGENT',
    cell: (machine) => (machine.agent === undefined ? '' : machine.agent.answering ? (machine.agent.converged ? 'converged' : 'working') : 'not answering'),
  },
  {title: 'AGENT VERSION', cell: (machine) => machine.agent?.version ?? '', wide: true},
  {title: 'DRIFT', cell: (machine) => String(machine.drift)},
  {title: 'ADDRESS', cell: (machine) => machine.address},
  {title: 'REASON', cell: (machine) => machine.reasons.join('; ')},
];
