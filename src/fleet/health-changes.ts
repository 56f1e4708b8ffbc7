// What turned bad, and what is good again: told between two states of the fleet. Pure.
import type {FleetRow, FleetState, SourceState} from './fleet-store.ts';

export interface HealthChange {
  readonly kind: 'bad' | 'good' | 'gone' | 'new' | 'now';
  /** The row's, or the source's id. */
  readonly id: string;
  readonly name: string;
  /** What is so now, in words. */
  readonly text: string;
}

/** In the order of the rows; a cluster that is looked at for the first time and is healthy says nothing. */
export function healthChanges(before: FleetState, after: FleetState): readonly HealthChange[] {
  if (before === after) return [];
  return [...sourceChanges(before, after), ...rowChanges(before.rows, after.rows)];
}

function sourceChanges(before: FleetState, after: FleetState): readonly HealthChange[] {
  if (before.sources === after.sources) return [];
  return Object.entries(after.sources).flatMap(([id, source]): readonly HealthChange[] => {
    const was = whyNot(before.sources[id]);
    const is = whyNot(source);
    if ((was === undefined) === (is === undefined)) return [];
    if (is !== undefined) return [{kind: 'bad', id, name: source.title, text: is}];
    return [{kind: 'good', id, name: source.title, text: 'answers again'}];
  });
}

function whyNot(source: SourceState | undefined): string | undefined {
  if (source?.phase === 'failed') return source.failure instanceof Error ? source.failure.message : 'failed';
  return source?.trouble?.why;
}

function rowChanges(before: readonly FleetRow[], after: readonly FleetRow[]): readonly HealthChange[] {
  const changes: HealthChange[] = [];
  // both are in the same order of ids: one walk finds who came, went and changed
  let at = 0;
  for (const row of after) {
    for (; at < before.length && (before[at]?.id ?? '') < row.id; at += 1) changes.push(...goneRow(before[at]));
    const was = before[at]?.id === row.id ? before[at] : undefined;
    if (was !== undefined) at += 1;
    if (was?.view !== row.view) changes.push(...rowChange(was, row));
  }
  for (; at < before.length; at += 1) changes.push(...goneRow(before[at]));
  return changes;
}

function goneRow(row: FleetRow | undefined): readonly HealthChange[] {
  return row === undefined ? [] : [{kind: 'gone', id: row.id, name: row.view.name, text: 'is gone'}];
}

function rowChange(was: FleetRow | undefined, row: FleetRow): readonly HealthChange[] {
  const {name, health, reasons} = row.view;
  const common = {id: row.id, name};
  if (was === undefined) return [{...common, kind: 'new', text: 'is new'}];
  if (was.isLooking === true) return []; // the first look changes nothing
  const wasBad = was.view.health === 'degraded';
  if (health === 'degraded' && !wasBad) return [{...common, kind: 'bad', text: `is degraded${reasons[0] === undefined ? '' : `: ${reasons[0]}`}`}];
  if (health === 'healthy' && was.view.health !== 'healthy') return [{...common, kind: 'good', text: 'is healthy again'}];
  if (row.view.stale !== undefined && was.view.stale === undefined) return [{...common, kind: 'bad', text: `isn't seen any more: ${row.view.stale.why}`}];
  if (row.view.now !== was.view.now && row.view.now !== undefined) return [{...common, kind: 'now', text: row.view.now}];
  return [];
}
