// A cluster for people: health with reasons, then its machines.
import type {ClusterView, MachineView} from '../modes/mode.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {renderTable, type Column} from './table.ts';
import {renderTree, type TreeNode} from './tree.ts';

export interface ClusterTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  readonly columns?: number;
}

/** Health, reasons, counts and the table of machines. */
export function renderCluster(view: ClusterView, options: ClusterTextOptions): string {
  const {style} = options;
  const lines = [
    `${simulatedMark(view.simulated, style)}${style.color.bold(sanitizeLine(view.name))}: ${paintHealth(view.health, style)}`,
    `  ${countsOf(view)}, Kubernetes ${sanitizeLine(view.version)}, ${view.mode} mode`,
    ...view.reasons.map((reason) => `  ${style.color.yellow(style.symbols.warning)} ${sanitizeLine(reason)}`),
    ...view.conditions.filter((condition) => !condition.ready).map((condition) => `  ${style.color.red(style.symbols.failed)} ${conditionText(condition)}`),
    '',
    renderTable(view.machines, machineColumns, {
      style,
      ...(options.wide === undefined ? {} : {wide: options.wide}),
      ...(options.columns === undefined ? {} : {columns: options.columns}),
    }),
  ];
  return lines.join('\n');
}

/** The cluster as a tree: conditions, control planes, workers; what isn't right says why below itself. */
export function renderClusterTree(view: ClusterView, style: Style): string {
  const machines = (title: string, isWanted: (machine: MachineView) => boolean, counts: {readonly ready: number; readonly wanted: number}): TreeNode => ({
    label: `${title} ${counts.ready}/${counts.wanted} ready`,
    children: view.machines.filter(isWanted).map((machine) => machineNode(machine, style)),
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
        machines('control planes', (machine) => machine.role === 'control-plane', view.controlPlanes),
        machines('workers', (machine) => machine.role !== 'control-plane', view.workers),
      ],
    },
    style,
  );
  return `${simulatedMark(view.simulated, style)}${tree}`;
}

function machineNode(machine: MachineView, style: Style): TreeNode {
  const version = machine.version === undefined ? '' : ` ${machine.version}`;
  const agent =
    machine.agent === undefined
      ? 'no agent'
      : `agent ${machine.agent.version} ${machine.agent.answering ? (machine.agent.converged ? 'converged' : 'working') : 'not answering'}`;
  const drift = machine.drift > 0 ? `, ${machine.drift} drifted` : '';
  return {
    label: `${machine.name} (${machine.address}): ${machine.state}${version}, ${agent}${drift}`,
    paint: (text) => paintState(machine.state, text, style),
    children: machine.reasons.map((label) => ({label})),
  };
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

const machineColumns: readonly Column<MachineView>[] = [
  {title: 'NAME', cell: (machine) => machine.name},
  {title: 'ROLE', cell: (machine) => machine.role},
  {title: 'STATE', cell: (machine) => machine.state, paint: (text, machine, style) => paintState(machine.state, text, style)},
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
