// What changes in a fleet as plain lines: for screen readers, simple terminals and logs.
import type {FleetState} from '../fleet/fleet-store.ts';
import type {HealthChange} from '../fleet/health-changes.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {count} from './table.ts';

/** `12:00:31 ✖ web is degraded: ...` */
export function renderHealthChange(change: HealthChange, {now, style}: {readonly now: number; readonly style: Style}): string {
  const {symbols, color} = style;
  const at = new Date(now).toISOString().slice(11, 19);
  const mark = {bad: symbols.failed, good: symbols.done, gone: symbols.bullet, new: symbols.bullet, now: symbols.arrow}[change.kind];
  const line = sanitizeLine(`${mark} ${change.name} ${change.text}`);
  return `${at} ${change.kind === 'bad' ? color.red(line) : change.kind === 'good' ? color.green(line) : line}`;
}

/** How the fleet stands at the beginning: numbers, then who isn't well. */
export function renderFleetSummary({rows, sources}: FleetState, style: Style): string {
  const isSimulated = rows.some((row) => row.view.simulated);
  const by = (health: string) => rows.filter((row) => row.view.health === health);
  const counts = ['healthy', 'progressing', 'degraded', 'unknown'].flatMap((health) => (by(health).length === 0 ? [] : [`${by(health).length} ${health}`]));
  const silent = Object.values(sources).flatMap((source) => (source.trouble === undefined ? [] : [`${source.title}: ${source.trouble.why}`]));
  return [
    `${simulatedMark(isSimulated, style)}${count(rows.length, 'cluster')}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`,
    ...silent.map((text) => sanitizeLine(`${style.symbols.warning} ${text}`)),
    ...[...by('degraded'), ...by('unknown'), ...by('progressing')].map(({view}) =>
      sanitizeLine(
        `${style.symbols.bullet} ${view.name} is ${view.health}${[view.now, ...view.reasons].map((text) => (text === undefined ? '' : `; ${text}`)).join('')}`,
      ),
    ),
  ].join('\n');
}
