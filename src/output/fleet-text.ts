// Many clusters for people: one row each.
import {ageCell, paintHealth} from './observed-text.ts';
import type {Style} from './style.ts';
import {renderTable, type Column} from './table.ts';

/** One cluster in a list; what isn't known is left out. */
export interface ClusterRow {
  readonly name: string;
  readonly mode: string;
  readonly namespace?: string;
  readonly context?: string;
  readonly files: readonly string[];
  readonly hosts: readonly {readonly role: string}[];
  readonly live?: LiveRow;
}

export interface LiveRow {
  readonly version: string;
  readonly health: 'healthy' | 'progressing' | 'degraded' | 'unknown';
  readonly controlPlanes: {readonly ready: number; readonly wanted: number};
  readonly workers: {readonly ready: number; readonly wanted: number};
  readonly reasons: readonly string[];
  readonly now?: string;
  readonly created?: string;
  readonly stale?: {readonly since: string; readonly why: string};
}

export interface FleetTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  readonly columns?: number;
  readonly now: number;
}

export function renderFleet(rows: readonly ClusterRow[], {style, wide, columns, now}: FleetTextOptions): string {
  const isLive = rows.some((row) => row.live !== undefined);
  const count = (row: ClusterRow, part: 'controlPlanes' | 'workers') => {
    if (row.live !== undefined) return `${row.live[part].ready}/${row.live[part].wanted}`;
    if (row.mode === 'controller') return '';
    return String(row.hosts.filter((host) => (host.role === 'control-plane') === (part === 'controlPlanes')).length);
  };
  const live: readonly Column<ClusterRow>[] = [
    {
      title: 'HEALTH',
      cell: (row) => row.live?.health ?? '',
      paint: (text, row, palette) => (row.live === undefined ? text : text.replace(row.live.health, paintHealth(row.live.health, palette))),
    },
    {title: 'AGE', cell: (row) => ageCell(row.live?.created, now)},
    {title: 'NOW', cell: (row) => doing(row.live)},
  ];
  const table: readonly Column<ClusterRow>[] = [
    {title: 'NAME', cell: (row) => row.name},
    ...(isLive ? [{title: 'NAMESPACE', cell: (row: ClusterRow) => row.namespace ?? ''}] : []),
    {title: 'MODE', cell: (row) => row.mode},
    ...(isLive ? [{title: 'VERSION', cell: (row: ClusterRow) => row.live?.version ?? ''}] : []),
    {title: isLive ? 'CP' : 'CONTROL PLANES', cell: (row) => count(row, 'controlPlanes')},
    {title: 'WORKERS', cell: (row) => count(row, 'workers')},
    ...(isLive ? live : []),
    {title: 'CONTEXT', cell: (row) => row.context ?? '', wide: true},
    {title: 'FILE', cell: (row) => row.files.join(', '), wide: isLive},
  ];
  return renderTable(rows, table, {style, ...(wide === undefined ? {} : {wide}), ...(columns === undefined ? {} : {columns})});
}

/** What it does, else the worst that is wrong with it. */
function doing(live: LiveRow | undefined): string {
  if (live === undefined) return '';
  const stale = live.stale === undefined ? [] : [`stale since ${live.stale.since}`];
  return [...stale, live.now ?? live.reasons[0] ?? ''].filter((text) => text !== '').join('; ');
}
