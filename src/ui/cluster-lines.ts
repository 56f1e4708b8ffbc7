// The upper part of the Cluster screen: how it stands, what it does and why, and a bar for each pool. Pure.
import {tellingConditions} from '../fleet/tree-shape.ts';
import type {ClusterState} from '../fleet/cluster-store.ts';
import type {ClusterView, PoolView} from '../modes/mode.ts';
import {ageOf, clean, cut, fit, widthOf} from './cells.ts';
import type {Theme, Token} from './theme.ts';
import {conditionText, conditionToken} from './tree-rows.ts';
import {bar, type BarPart} from './widgets/bar.ts';

export interface ClusterLinesOptions {
  readonly theme: Theme;
  readonly width: number;
  /** Most lines that it may take. */
  readonly height: number;
  readonly now: number;
}

const healthTokens: Readonly<Record<ClusterView['health'], Token>> = {healthy: 'good', progressing: 'working', degraded: 'bad', unknown: 'unknown'};

export function clusterLines(view: ClusterView, state: ClusterState, options: ClusterLinesOptions): readonly string[] {
  const {theme, width, height, now} = options;
  const {symbols, paint} = theme;
  const line = (text: string, token?: Token) => {
    const short = cut(clean(text), width, symbols.ellipsis);
    return token === undefined ? short : paint(token, short);
  };
  const {controlPlanes, workers, namespace, context, created} = view;
  const symbol = {healthy: symbols.good, progressing: symbols.working, degraded: symbols.bad, unknown: symbols.unknown}[view.health];
  const place = [
    `${view.mode} mode`,
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(context === undefined ? [] : [`context ${context}`]),
    ...(view.class === undefined ? [] : [`class ${view.class}`]),
    ...(view.endpoint === undefined ? [] : [`${view.endpoint}${servedBy(view)}`]),
    ...(created === undefined ? [] : [`made ${ageOf(created, now)} ago`]),
    ...(view.paused === true ? ['paused'] : []),
  ].join(', ');
  const head = `${symbol} ${view.health}`;
  const counts = clean(
    `control planes ${controlPlanes.ready}/${controlPlanes.wanted}  workers ${workers.ready}/${workers.wanted}${view.version === '' ? '' : `  ${view.version}`}`,
  );
  const first = `${view.simulated ? `${paint('simulated', 'SIMULATED')} ` : ''}${paint(healthTokens[view.health], head)}  ${cut(counts, width - head.length - 14, symbols.ellipsis)}`;
  const urgent = [
    ...staleLines(view, state, now).map((text) => line(`${symbols.warning} ${text}`, 'warning')),
    ...(view.now === undefined ? [] : [line(`${symbols.arrow} ${view.now}`, 'working')]),
    ...(view.deletion?.blockedBy ?? []).map((text) => line(`${symbols.warning} waits: ${text}`, 'warning')),
    ...reasonsOf(view).map((text) => line(`${symbols.warning} ${text}`, view.health === 'degraded' ? 'bad' : 'warning')),
    ...tellingConditions(view.conditions).map((one) => line(conditionText(one, options), conditionToken(one))),
    ...(view.unseen ?? []).map((text) => line(`${symbols.unknown} not looked at: ${text}`, 'unknown')),
  ];
  const pools = [...(view.controlPlane === undefined ? [] : [view.controlPlane]), ...(view.pools ?? [])];
  const poolLines = poolTable(pools, options);
  // pools of a rollout are what one watches: what is wrong gets at least three lines, the rest is told as a number
  const roomForUrgent = Math.max(3, height - 2 - poolLines.length);
  const shown =
    urgent.length <= roomForUrgent ? urgent : [...urgent.slice(0, roomForUrgent - 1), paint('muted', `  and ${urgent.length - roomForUrgent + 1} more`)];
  return [first, withLink(line(place, 'muted'), view.endpoint, theme), ...shown, ...poolLines].slice(0, Math.max(1, height));
}

/** Of an address that the control planes serve, whose it is now. */
function servedBy({endpointHolder}: ClusterView): string {
  if (endpointHolder === undefined) return '';
  return endpointHolder.holder === undefined ? ' (nobody serves it)' : ` (served by ${endpointHolder.holder})`;
}

/** The API's address can be followed, where the whole of it is shown. */
function withLink(line: string, endpoint: string | undefined, theme: Theme): string {
  return endpoint === undefined || !line.includes(endpoint) ? line : line.replace(endpoint, () => theme.link(`https://${endpoint}`, endpoint));
}

/** A reason that repeats a condition's message is told once. */
function reasonsOf(view: ClusterView): readonly string[] {
  return view.reasons.map((reason) => reason.split('\n')[0] ?? '').filter((reason) => reason !== '');
}

function staleLines(view: ClusterView, state: ClusterState, now: number): readonly string[] {
  if (view.stale !== undefined) return [`what is shown is ${ageOf(view.stale.since, now)} old: ${view.stale.why}`];
  if (state.trouble !== undefined) return [`what is shown is ${ageOf(state.trouble.since, now)} old: ${state.trouble.why}`];
  return state.phase === 'gone' ? ["it isn't there any more"] : [];
}

function poolTable(pools: readonly PoolView[], {theme, width}: ClusterLinesOptions): readonly string[] {
  const names = pools.map((pool) => clean(pool.role === 'control-plane' ? 'control plane' : (pool.topologyName ?? pool.name)));
  const nameWidth = Math.min(24, Math.max(0, ...names.map(widthOf)));
  const barWidth = Math.max(8, Math.min(24, Math.floor(width / 5)));
  return pools.map((pool, index) => {
    const ready = `${pool.replicas.ready}/${pool.replicas.wanted}`;
    const words = clean(poolWords(pool));
    const token: Token | undefined = pool.standing === 'bad' ? 'bad' : pool.standing === 'working' ? 'working' : undefined;
    const room = width - nameWidth - barWidth - 12;
    const text = cut(words, room, theme.symbols.ellipsis);
    return `  ${fit(names[index] ?? '', nameWidth, {ellipsis: theme.symbols.ellipsis})} ${fit(ready, 7, {align: 'right'})} ${poolBar(pool, barWidth, theme)} ${token === undefined ? text : theme.paint(token, text)}`;
  });
}

/** While versions change: who has the new one, who still the old. Else: who is ready. */
function poolBar(pool: PoolView, width: number, theme: Theme): string {
  const {upgrade, versions, replicas} = pool;
  if (upgrade !== undefined) {
    const parts: BarPart[] = versions.map((one) => ({
      amount: one.replicas,
      token: one.version === upgrade.to ? 'good' : 'working',
      fill: one.version === upgrade.to ? 'full' : 'half',
    }));
    // new ones first: the bar fills from the left
    return bar([...parts.filter((part) => part.fill === 'full'), ...parts.filter((part) => part.fill === 'half')], width, theme);
  }
  const missing = Math.max(0, replicas.wanted - replicas.ready);
  return bar(
    [
      {amount: replicas.ready, token: 'good'},
      {amount: missing, token: pool.standing === 'bad' ? 'bad' : 'muted', fill: 'empty'},
    ],
    width,
    theme,
  );
}

function poolWords(pool: PoolView): string {
  const {upgrade, versions, version, autoscaled, replicas} = pool;
  const counts = versions.length > 1 ? versions.map((one) => `${one.version} (${one.replicas})`).join(', ') : (versions[0]?.version ?? version ?? '');
  return [
    ...(upgrade === undefined
      ? [counts]
      : [`${upgrade.done}/${upgrade.total} to ${upgrade.to}${upgrade.waiting === undefined ? '' : `, waits: ${upgrade.waiting}`}`]),
    ...(pool.deleting === undefined ? [] : ['being deleted']),
    ...(pool.paused ? ['paused'] : []),
    ...(autoscaled === undefined ? [] : [`autoscaled ${autoscaled.min} to ${autoscaled.max}`]),
    ...(replicas.wanted > 0 && replicas.current === 0 ? ['no machine yet'] : []),
    ...pool.reasons.map((reason) => reason.split('\n')[0] ?? ''),
    ...(upgrade === undefined ? [] : [counts]),
  ]
    .filter((part) => part !== '')
    .join('; ');
}
