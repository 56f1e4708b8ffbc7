// A plan for people: per host what changes, why, and what it costs; then what stays.
import type {Effect} from '../kernel/event.ts';
import {effectMeanings} from '../plan/effect.ts';
import type {Change, HostPlan, Plan} from '../plan/plan.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {count} from './table.ts';

export type PlanForText = Pick<Plan<never>, 'operation' | 'subject' | 'mode' | 'simulated' | 'hosts' | 'warnings'> & Partial<Pick<Plan<never>, 'phases'>>;

export interface PlanTextOptions {
  readonly style: Style;
  /** Show every change of every host, and values at full length. */
  readonly wide?: boolean;
}

/** A new host's changes are the whole of what is wanted; without -o wide this many are shown. */
const shownOfNew = 12;
const valueLength = 60;
const namesListed = 12;

/** The plan as text, without its warnings (they go to stderr) and without a newline at its end. */
export function renderPlan(plan: PlanForText, options: PlanTextOptions): string {
  const {style} = options;
  const {color} = style;
  const lines = [`${simulatedMark(plan.simulated, style)}${color.bold(`${plan.operation} ${sanitizeLine(plan.subject)}`)} (${plan.mode} mode)`, ''];
  const active = plan.hosts.filter((host) => host.state === 'new' || host.state === 'changed' || host.state === 'removed');
  for (const host of active) lines.push(...hostLines(host, options), '');
  for (const host of plan.hosts.filter((one) => one.state === 'unreachable')) {
    lines.push(
      `${color.red(style.symbols.failed)} ${color.bold(sanitizeLine(host.host))} is unreachable and will be skipped${host.reason === undefined ? '' : `: ${sanitizeLine(host.reason)}`}`,
      '',
    );
  }
  const unchanged = plan.hosts.filter((host) => host.state === 'unchanged');
  if (unchanged.length > 0) {
    const names = unchanged.slice(0, options.wide === true ? undefined : namesListed).map((host) => sanitizeLine(host.host));
    lines.push(`Unchanged: ${names.join(', ')}${unchanged.length > names.length ? `, and ${unchanged.length - names.length} more` : ''}`, '');
  }
  lines.push(...orderLines(plan, style));
  lines.push(planLine(plan));
  // what a change costs a host that stays
  const staying = active.filter((host) => host.state !== 'removed');
  const meanings = [...new Set(staying.flatMap((host) => host.changes.map((change) => change.effect)))].filter((effect) => effect !== 'none');
  for (const effect of meanings) lines.push(color.dim(`  ${effect}: ${effectMeanings[effect]}`));
  return lines.join('\n');
}

/** In which order a roll-out reaches its hosts, where there's one. */
function orderLines({phases = []}: PlanForText, {color}: Style): readonly string[] {
  const parts = phases.flatMap((phase) => {
    const hosts = [...new Set(phase.steps.flatMap((step) => step.host ?? []))];
    if (phase.window === undefined || hosts.length === 0) return [];
    const drained = phase.steps.some((step) => step.effect === 'drain' && step.host !== undefined && step.id.startsWith('drain:'));
    const returns = phase.steps.some((step) => step.id.startsWith('uncordon:'));
    const pace = hosts.length === 1 ? '' : phase.window === 1 ? ', one at a time' : `, at most ${phase.window} at a time`;
    return [
      `  ${phase.title}: ${color.bold(hosts.map(sanitizeLine).join(', '))}${pace}${drained ? ', each drained before' : ''}${drained && returns ? ' and uncordoned after' : ''}`,
    ];
  });
  return parts.length === 0 ? [] : ['Order:', ...parts, ''];
}

/** `Plan: 3 new, 1 changed, 2 unchanged, 1 unreachable`. */
export function planLine(plan: Pick<PlanForText, 'hosts'>): string {
  const parts = (['new', 'changed', 'removed', 'unchanged', 'unreachable'] as const).flatMap((state) => {
    const number = plan.hosts.filter((host) => host.state === state).length;
    return number === 0 ? [] : [`${number} ${state}`];
  });
  return `Plan: ${parts.length === 0 ? 'no hosts' : parts.join(', ')}`;
}

function hostLines(host: HostPlan, {style, wide = false}: PlanTextOptions): readonly string[] {
  const {color, symbols} = style;
  const isNew = host.state === 'new';
  const sign = isNew ? color.green('+') : host.state === 'removed' ? color.red('-') : color.yellow('~');
  const role = host.role === undefined ? '' : ` (${sanitizeLine(host.role)})`;
  // nothing takes the place of what leaves
  const told = (effect: Effect) => host.state !== 'removed' || effect !== 'replace';
  const effect = told(host.effect) ? `, effect ${paintEffect(host.effect, style)}` : '';
  const title = `${sign} ${color.bold(sanitizeLine(host.host))}${role}: ${host.state}${effect}`;
  const shown = isNew && !wide ? host.changes.slice(0, shownOfNew) : host.changes;
  const rest = host.changes.length - shown.length;
  return [
    title,
    ...(host.state === 'removed' && host.reason !== undefined
      ? [`    ${color.red(symbols.failed)} isn't reached, so nothing on it is touched: ${sanitizeLine(host.reason)}`]
      : []),
    ...shown.map((change) => changeLine(told(change.effect) ? change : {...change, effect: 'none'}, style, wide)),
    ...(rest > 0 ? [color.dim(`    ${symbols.ellipsis} and ${count(rest, 'more line')} (-o wide shows all)`)] : []),
  ];
}

function changeLine(change: Change, style: Style, wide: boolean): string {
  const {color, symbols} = style;
  const path = sanitizeLine(change.path);
  const length = wide ? Number.POSITIVE_INFINITY : valueLength;
  const from = change.from === undefined ? undefined : formatValue(change.from, length, symbols.ellipsis);
  const to = change.to === undefined ? undefined : formatValue(change.to, length, symbols.ellipsis);
  const effect = change.effect === 'none' ? '' : ` [${paintEffect(change.effect, style)}]`;
  const why = change.why === undefined ? '' : color.dim(` (${sanitizeLine(change.why)})`);
  if (from === undefined && to === undefined) return `    ${color.yellow('~')} ${path}${effect}${why}`;
  if (from === undefined) return `    ${color.green('+')} ${path}: ${to}${effect}${why}`;
  if (to === undefined) return `    ${color.red('-')} ${path}: ${from}${effect}${why}`;
  return `    ${color.yellow('~')} ${path}: ${from} ${symbols.arrow} ${to}${effect}${why}`;
}

function formatValue(value: unknown, length: number, ellipsis: string): string {
  const text = sanitizeLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null'));
  if (text === '') return '""';
  return text.length <= length ? text : `${text.slice(0, length)}${ellipsis}`;
}

function paintEffect(effect: Effect, {color}: Style): string {
  if (effect === 'none' || effect === 'reload') return effect;
  return effect === 'restart' ? color.yellow(effect) : color.red(effect);
}
