// The Fleet's columns, as data.
import type {FleetRow} from '../../fleet/fleet-store.ts';
import type {ReadinessHistory} from '../../fleet/readiness-history.ts';
import {ageOf, clean, fit} from '../cells.ts';
import type {Theme, Token} from '../theme.ts';
import {sparkline} from '../widgets/bar.ts';
import type {TableColumn} from '../widgets/table.ts';

export interface FleetColumn extends TableColumn<FleetRow> {
  /** For whoever chooses the columns. */
  readonly does: string;
  readonly isDefault: boolean;
}

const healthTokens: Readonly<Record<FleetRow['view']['health'], Token>> = {healthy: 'good', progressing: 'working', degraded: 'bad', unknown: 'unknown'};
const healthSymbols = {healthy: 'good', progressing: 'working', degraded: 'bad', unknown: 'unknown'} as const;
const shortModes: Readonly<Record<string, string>> = {controller: 'ctrl', appliance: 'appl.'};
/** Worst first when sorted by health. */
const healthOrder = {degraded: 0, unknown: 1, progressing: 2, healthy: 3};

export function healthToken(row: FleetRow): Token {
  return row.isLooking === true ? 'muted' : row.view.stale === undefined ? healthTokens[row.view.health] : 'unknown';
}

function healthText(row: FleetRow): string {
  return row.isLooking === true ? 'looking' : row.view.health;
}

/** What it does, and why it isn't well. */
export function nowText({view, isLooking}: FleetRow): string {
  if (isLooking === true) return '';
  if (view.stale !== undefined) return `not seen since ${view.stale.since.slice(11, 19)}: ${view.stale.why}`;
  if (view.paused === true && view.now === undefined) return `paused${view.reasons[0] === undefined ? '' : `; ${view.reasons[0]}`}`;
  return view.health === 'healthy' ? (view.now ?? '') : [view.now, view.reasons[0]].filter((part) => part !== undefined).join('; ');
}

const ready = ({ready: is, wanted}: {readonly ready: number; readonly wanted: number}) => `${is}/${wanted}`;
const short = (counts: {readonly ready: number; readonly wanted: number}): Token | undefined => (counts.ready < counts.wanted ? 'warning' : undefined);

/** How many samples the sparkline shows. */
const sparkWidth = 12;

let made: {readonly history: ReadinessHistory; readonly columns: readonly FleetColumn[]} | undefined;

/** All columns, in their order. */
export function fleetColumns(history: ReadinessHistory): readonly FleetColumn[] {
  if (made?.history !== history) made = {history, columns: columnsWith(history)};
  return made.columns;
}

function columnsWith(history: ReadinessHistory): readonly FleetColumn[] {
  return [
    {id: 'name', title: 'NAME', does: 'its name', isDefault: true, gives: 0, min: 10, max: 40, cell: ({view}) => view.name},
    {
      id: 'health',
      title: 'HEALTH',
      does: 'how it stands; sorted worst first',
      isDefault: true,
      gives: 0,
      min: 13,
      max: 13,
      cell: healthText,
      token: healthToken,
      order: (row) => (row.isLooking === true ? 4 : healthOrder[row.view.health]),
      // the symbol says the same as the colour
      picture: (row, width, theme) => theme.paint(healthToken(row), healthCell(row, width, theme)),
    },
    {
      id: 'mode',
      title: 'MODE',
      does: 'who makes its machines',
      isDefault: true,
      gives: 4,
      min: 5,
      max: 10,
      cell: ({view}) => view.mode,
      picture: ({view}, width) => fit(width < 10 ? (shortModes[view.mode] ?? clean(view.mode)) : clean(view.mode), width),
    },
    {id: 'namespace', title: 'NAMESPACE', does: 'where its objects are', isDefault: false, gives: 6, min: 9, max: 24, cell: ({view}) => view.namespace ?? '-'},
    {id: 'context', title: 'CONTEXT', does: 'its management cluster', isDefault: false, gives: 7, min: 8, max: 24, cell: ({view}) => view.context ?? '-'},
    {id: 'class', title: 'CLASS', does: 'its ClusterClass', isDefault: false, gives: 7, min: 8, max: 24, cell: ({view}) => view.class ?? '-'},
    {
      id: 'version',
      title: 'VERSION',
      does: 'its Kubernetes version',
      isDefault: true,
      gives: 3,
      min: 8,
      max: 19,
      cell: ({view}) => (view.upgrade === undefined ? view.version || '-' : `${view.upgrade.from[0] ?? view.version}>${view.upgrade.to}`),
      token: ({view}) => (view.upgrade === undefined ? undefined : 'working'),
      order: ({view}) => view.version.replaceAll(/\d+/g, (digits) => digits.padStart(6, '0')),
    },
    {
      id: 'control-plane',
      title: 'CP',
      does: 'control planes ready and wanted',
      isDefault: true,
      gives: 1,
      min: 3,
      max: 7,
      align: 'right',
      cell: ({view, isLooking}) => (isLooking === true ? '-' : ready(view.controlPlanes)),
      token: ({view, isLooking}) => (isLooking === true ? 'muted' : short(view.controlPlanes)),
      order: ({view}) => view.controlPlanes.ready - view.controlPlanes.wanted,
    },
    {
      id: 'workers',
      title: 'WORK',
      does: 'workers ready and wanted',
      isDefault: true,
      gives: 1,
      min: 5,
      max: 11,
      align: 'right',
      cell: ({view, isLooking}) => (isLooking === true ? '-' : ready(view.workers)),
      token: ({view, isLooking}) => (isLooking === true ? 'muted' : short(view.workers)),
      order: ({view}) => view.workers.ready - view.workers.wanted,
    },
    {
      id: 'ready',
      title: 'READY',
      does: `readiness of the last ${sparkWidth / 4} minutes`,
      isDefault: true,
      gives: 5,
      min: sparkWidth,
      max: sparkWidth,
      // the key of the picture: what it's drawn from
      cell: ({id}, now) =>
        history
          .read(id, sparkWidth, now)
          .map((ratio) => (ratio === undefined ? ' ' : String(Math.round(ratio * 9))))
          .join(''),
      picture: ({id}, width, theme, now) => sparkline(history.read(id, width, now), theme),
      order: ({view}) => (view.controlPlanes.ready + view.workers.ready) / Math.max(1, view.controlPlanes.wanted + view.workers.wanted),
    },
    {
      id: 'age',
      title: 'AGE',
      does: 'since when it is there',
      isDefault: true,
      gives: 2,
      min: 3,
      max: 5,
      align: 'right',
      cell: ({view}, now) => ageOf(view.created, now) || '-',
      order: ({view}) => view.created ?? '',
    },
    {
      id: 'now',
      title: 'NOW',
      does: 'what it does, and why it is not well',
      isDefault: true,
      gives: 0,
      min: 16,
      max: 400,
      grows: true,
      cell: nowText,
      token: (row) => (row.view.health === 'degraded' ? 'bad' : row.view.stale === undefined ? undefined : 'warning'),
    },
  ];
}

function healthCell(row: FleetRow, width: number, theme: Theme): string {
  const symbol = row.isLooking === true ? ' ' : theme.symbols[healthSymbols[row.view.health]];
  return `${symbol} ${healthText(row)}`.padEnd(width).slice(0, width);
}

/** The columns that were chosen, in the table's order; the default ones when none was. */
export function shownColumns(all: readonly FleetColumn[], chosen: readonly string[]): readonly FleetColumn[] {
  const wanted = all.filter((column) => (chosen.length === 0 ? column.isDefault : column.id === 'name' || chosen.includes(column.id)));
  return wanted;
}
