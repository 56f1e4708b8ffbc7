// A cluster of controller mode for people: how it stands, its pools, how far a change is, and its objects.
import type {ClusterView, EventView, PoolView, Standing, UpgradeView} from '../modes/mode.ts';
import {age, renderObjectTree} from './object-tree.ts';
import {simulatedMark} from './plain.ts';
import {sanitize, sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {formatDuration, renderTable, type Column} from './table.ts';
import {wrapText} from './wrap.ts';

export interface ObservedTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  /** Nothing of the tree is folded. */
  readonly all?: boolean;
  readonly columns?: number;
  /** In ms since 1970. */
  readonly now: number;
}

/** Health, reasons, what goes on, and a line for each pool. */
export function renderObserved(view: ClusterView, options: ObservedTextOptions): string {
  return [...headLines(view, options), ...poolTable(view, options)].join('\n');
}

/** The same, with every object as a tree, and the warnings of the last hour. */
export function renderObservedTree(view: ClusterView, options: ObservedTextOptions): string {
  const events = view.events ?? [];
  return [
    ...headLines(view, options),
    ...poolTable(view, options),
    ...(view.tree === undefined ? [] : ['', renderObjectTree(view.tree, options)]),
    ...(events.length === 0 ? [] : ['', options.style.color.bold('Warnings'), renderEvents(events, options)]),
  ].join('\n');
}

function headLines(view: ClusterView, options: ObservedTextOptions): readonly string[] {
  const {style, now} = options;
  const {color, symbols} = style;
  const place = [
    ...(view.namespace === undefined ? [] : [`namespace ${view.namespace}`]),
    ...(view.context === undefined ? [] : [`context ${view.context}`]),
    ...(view.class === undefined ? [] : [`class ${view.class}`]),
    ...(view.created === undefined ? [] : [`made ${age(view.created, now)} ago`]),
  ];
  const {controlPlanes, workers} = view;
  const version = view.version === '' ? '' : `, Kubernetes ${view.version}`;
  const wrap = (text: string, paint: (line: string) => string) => {
    const [first = '', ...rest] = wrapText(sanitize(text), (options.columns ?? 10_000) - 4);
    return [`  ${paint(first)}`, ...rest.map((line) => `    ${paint(line)}`)];
  };
  return [
    `${simulatedMark(view.simulated, style)}${color.bold(sanitizeLine(view.name))}: ${paintHealth(view.health, style)}`,
    `  control planes ${controlPlanes.ready}/${controlPlanes.wanted} ready, workers ${workers.ready}/${workers.wanted} ready${sanitizeLine(version)}`,
    ...(place.length === 0 ? [] : [`  ${sanitizeLine(place.join(', '))}`]),
    ...(view.stale === undefined ? [] : wrap(`${symbols.warning} ${staleText(view.stale, now)}`, color.yellow)),
    ...(view.now === undefined ? [] : wrap(`${symbols.arrow} ${view.now}`, color.cyan)),
    ...(view.deletion?.blockedBy ?? []).flatMap((text) => wrap(`${symbols.warning} waits: ${text}`, color.yellow)),
    ...view.reasons.flatMap((reason) => wrap(`${symbols.warning} ${reason}`, color.yellow)),
    ...(view.unseen ?? []).flatMap((text) => wrap(`? not looked at: ${text}`, color.yellow)),
  ];
}

/** `what is shown is 12 s old: the connection was cut`. */
export function staleText(stale: {readonly since: string; readonly why: string}, now: number): string {
  return `what is shown is ${age(stale.since, now)} old: ${stale.why}`;
}

/** After an empty line; nothing of a cluster that has no pools yet. */
function poolTable(view: ClusterView, {style, wide, columns}: ObservedTextOptions): readonly string[] {
  const pools = [...(view.controlPlane === undefined ? [] : [view.controlPlane]), ...(view.pools ?? [])];
  if (pools.length === 0) return [];
  return ['', renderTable(pools, poolColumns, {style, ...(wide === undefined ? {} : {wide}), ...(columns === undefined ? {} : {columns})})];
}

const poolColumns: readonly Column<PoolView>[] = [
  {
    title: 'POOL',
    cell: (pool) => (pool.role === 'control-plane' ? 'control plane' : (pool.topologyName ?? pool.name)),
    paint: (text, pool, style) => paintStanding(pool.standing, text, style),
  },
  {title: 'OBJECT', cell: (pool) => `${pool.kind}/${pool.name}`, wide: true},
  {title: 'READY', cell: ({replicas}) => `${replicas.ready}/${replicas.wanted}`},
  {title: 'UP TO DATE', cell: ({replicas}) => `${replicas.upToDate}/${replicas.wanted}`},
  {title: 'VERSION', cell: versionText},
  {title: 'STATE', cell: poolState},
];

function versionText({versions, version, upgrade}: PoolView): string {
  if (upgrade === undefined && versions.length <= 1) return versions[0]?.version ?? version ?? '';
  const counts = versions.map((one) => `${one.version} (${one.replicas})`).join(', ');
  return upgrade === undefined || versions.some((one) => one.version === upgrade.to) ? counts : `${counts} to ${upgrade.to}`;
}

function poolState(pool: PoolView): string {
  const {upgrade, autoscaled, replicas} = pool;
  return [
    ...(pool.deleting === undefined ? [] : ['being deleted']),
    ...(pool.paused ? ['paused'] : []),
    ...(upgrade === undefined ? [] : [upgradeText(upgrade)]),
    ...(autoscaled === undefined ? [] : [`autoscaled ${autoscaled.min} to ${autoscaled.max}`]),
    ...(replicas.wanted > 0 && replicas.current === 0 ? ['no machine yet'] : []),
    ...pool.reasons.map((reason) => reason.split('\n')[0] ?? ''),
  ].join('; ');
}

function upgradeText({to, plan, done, total, waiting}: UpgradeView): string {
  const steps = plan.length > 1 ? ` by ${plan.join(', ')}` : '';
  return `upgrade to ${to}${steps}: ${done}/${total}${waiting === undefined ? '' : `, waits: ${waiting}`}`;
}

/** Events as a table, oldest first. */
export function renderEvents(events: readonly EventView[], {style, columns, wide, now}: ObservedTextOptions): string {
  const table: readonly Column<EventView>[] = [
    {title: 'LAST', cell: (event) => age(event.last, now)},
    {title: 'TYPE', cell: (event) => event.type, paint: (text, event, {color}) => (event.type === 'Warning' ? color.yellow(text) : text)},
    {title: 'COUNT', cell: (event) => String(event.count), wide: true},
    {title: 'REASON', cell: (event) => event.reason},
    {title: 'OBJECT', cell: (event) => event.object},
    {title: 'FROM', cell: (event) => event.source ?? '', wide: true},
    {title: 'MESSAGE', cell: (event) => event.message},
  ];
  return renderTable(events, table, {style, ...(wide === undefined ? {} : {wide}), ...(columns === undefined ? {} : {columns})});
}

/** One event as a line, for a stream. */
export function renderEventLine(event: EventView, style: Style): string {
  const line = `${event.last} ${event.type} ${event.reason} ${event.object}${event.count > 1 ? ` (${event.count} times)` : ''}: ${event.message}`;
  return event.type === 'Warning' ? style.color.yellow(sanitizeLine(line)) : sanitizeLine(line);
}

export function paintHealth(health: ClusterView['health'], {color}: Style): string {
  if (health === 'healthy') return color.green(health);
  return health === 'degraded' ? color.red(health) : color.yellow(health);
}

export function paintStanding(standing: Standing, text: string, {color}: Style): string {
  if (standing === 'good') return text;
  return standing === 'bad' ? color.red(text) : color.yellow(text);
}

/** An age for a table's cell; empty when it isn't known. */
export function ageCell(since: string | undefined, now: number): string {
  const at = since === undefined ? Number.NaN : Date.parse(since);
  return Number.isNaN(at) ? '' : formatDuration(Math.max(0, now - at));
}
