// The first two lines: what is looked at and how it stands; then where one is.
import type {FleetState} from '../../fleet/fleet-store.ts';
import {ageOf, clean, cut, fit, widthOf} from '../cells.ts';
import type {Theme} from '../theme.ts';

export interface HealthCounts {
  readonly total: number;
  readonly healthy: number;
  readonly progressing: number;
  readonly degraded: number;
  readonly unknown: number;
  readonly simulated: boolean;
}

/** Counted once for each state of the fleet. */
export function countHealth(fleet: FleetState): HealthCounts {
  const counts = {total: fleet.rows.length, healthy: 0, progressing: 0, degraded: 0, unknown: 0, simulated: false};
  for (const {view} of fleet.rows) {
    counts[view.health] += 1;
    counts.simulated ||= view.simulated;
  }
  return counts;
}

function sourceNames(fleet: FleetState): readonly string[] {
  const all = Object.values(fleet.sources);
  const groups = new Map<string, number>();
  for (const {group} of all) if (group !== undefined) groups.set(group, (groups.get(group) ?? 0) + 1);
  return [
    ...all.filter((source) => source.group === undefined).map((source) => clean(source.title)),
    ...[...groups].map(([group, count]) => `${group} (${count})`),
  ];
}

/** Sources that don't tell at the moment, as sentences: the header must say so, whatever the screen. */
export function troubles(fleet: FleetState, now: number): readonly string[] {
  return Object.values(fleet.sources).flatMap((source) => {
    if (source.trouble === undefined) return [];
    const since = ageOf(source.trouble.since, now);
    return [`${since === '' ? '' : `${since} `}without ${clean(source.title)}: ${clean(source.trouble.why)}`];
  });
}

export interface HeaderOptions {
  readonly fleet: FleetState;
  readonly counts: HealthCounts;
  readonly crumbs: readonly string[];
  readonly theme: Theme;
  readonly width: number;
  readonly now: number;
}

export function headerLines({fleet, counts, crumbs, theme, width, now}: HeaderOptions): readonly [string, string] {
  const {symbols, paint} = theme;
  const parts = [
    ...(counts.simulated ? [{text: ' SIMULATED ', painted: paint('simulated', ' SIMULATED ')}] : []),
    ...health(counts).map(([token, symbol, number]) => {
      const text = `${symbols[symbol]} ${number}`;
      return {text, painted: paint(token, text)};
    }),
  ];
  const right = parts.map(({painted}) => painted).join('  ');
  const rightWidth = parts.reduce((sum, {text}) => sum + widthOf(text), 0) + 2 * Math.max(0, parts.length - 1);
  const said = sourceNames(fleet).join(', ');
  const room = width - rightWidth - 'Trireme'.length - 4;
  const left = `${paint('header', 'Trireme')}  ${paint('muted', fit(said, Math.max(0, room), {ellipsis: symbols.ellipsis}))}`;
  const path = crumbs.map((crumb) => cut(clean(crumb), 40, symbols.ellipsis)).join(` ${theme.symbols.arrow} `);
  const bad = troubles(fleet, now);
  if (bad.length === 0) return [`${left}  ${right}`, paint('accent', fit(path, width, {ellipsis: symbols.ellipsis}))];
  const trouble = `${symbols.warning} ${bad[0] ?? ''}${bad.length > 1 ? ` (and ${bad.length - 1} more)` : ''}`;
  // where one is may get short, what is wrong not
  const shortPath = cut(path, Math.max(16, width - widthOf(trouble) - 2), symbols.ellipsis);
  return [
    `${left}  ${right}`,
    `${paint('accent', shortPath)}  ${paint('warning', fit(trouble, width - widthOf(shortPath) - 2, {ellipsis: symbols.ellipsis}))}`,
  ];
}

function health(counts: HealthCounts) {
  const all = [
    ['good', 'good', counts.healthy],
    ['working', 'working', counts.progressing],
    ['bad', 'bad', counts.degraded],
    ['unknown', 'unknown', counts.unknown],
  ] as const;
  return all.filter(([, symbol, number]) => number > 0 || symbol === 'good');
}
