// One frame of the live block: phases, then a line a host. Pure: the same view, time and size give the same lines.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import type {PhaseView, RunHostView, RunView, TransferView} from '../fleet/run-view.ts';
import {simulatedMark} from './plain.ts';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {count, formatBytes, formatDuration} from './table.ts';

export interface FrameOptions {
  readonly style: Style;
  readonly columns: number;
  readonly rows: number;
  /** ms since the epoch. */
  readonly now: number;
}

const barWidth = 12;

/** The lines of the block; never more than `rows` less one, never wider than `columns`. */
export function renderFrame(view: RunView, options: FrameOptions): readonly string[] {
  const {style} = options;
  const room = Math.max(3, options.rows - 1);
  const head = `${simulatedMark(view.simulated, style)}${style.color.bold(`${view.operation} ${sanitizeLine(view.subject)}`)}  ${style.color.dim(since(view.startedAt, options.now))}`;
  const phases = foldPhases(view.phases, Math.max(1, Math.floor((room - 1) / 2)));
  const phaseLines = phases.shown.map((phase) => phaseLine(phase, options));
  if (phases.hidden > 0) phaseLines.unshift(style.color.dim(`${style.symbols.ellipsis} ${count(phases.hidden, 'phase')} more`));
  const shared =
    view.shared === undefined ? [] : [`${spinner(options)} ${sanitizeLine(view.shared.title)}  ${style.color.dim(since(view.shared.startedAt, options.now))}`];
  const forHosts = room - 1 - phaseLines.length - shared.length;
  return [head, ...phaseLines, ...shared, ...hostLines(view.hosts, forHosts, options)]
    .slice(0, room)
    .map((line) => cliTruncate(line, options.columns, {truncationCharacter: style.symbols.ellipsis}));
}

/** Phases that are over are folded first, then those that wait. */
function foldPhases(phases: readonly PhaseView[], room: number): {readonly shown: readonly PhaseView[]; readonly hidden: number} {
  if (phases.length <= room) return {shown: phases, hidden: 0};
  const first = phases.findIndex((phase) => phase.state !== 'ended' || phase.failed > 0);
  const start = Math.min(first === -1 ? phases.length : first, phases.length - Math.max(1, room - 1));
  const shown = phases.slice(start, start + Math.max(1, room - 1));
  return {shown, hidden: phases.length - shown.length};
}

function phaseLine(phase: PhaseView, options: FrameOptions): string {
  const {color, symbols} = options.style;
  const ended = phase.done + phase.satisfied + phase.failed + phase.dropped;
  const title = sanitizeLine(phase.title);
  const failed = phase.failed > 0 ? color.red(` ${phase.failed} failed`) : '';
  const progress = `${ended}/${phase.total}${failed}`;
  if (phase.state === 'waiting') return color.dim(`${symbols.bullet} ${title}  0/${phase.total}`);
  if (phase.state === 'running') return `${spinner(options)} ${title}  ${progress}`;
  const mark = phase.failed > 0 ? color.red(symbols.failed) : color.green(symbols.done);
  return `${mark} ${title}  ${progress}${phase.ms === undefined ? '' : color.dim(`  ${formatDuration(phase.ms)}`)}`;
}

/** Hosts that work come first when not all fit, then those in trouble; the rest is counted. */
function hostLines(hosts: readonly RunHostView[], room: number, options: FrameOptions): readonly string[] {
  if (room <= 0 || hosts.length === 0) return [];
  const rank = (host: RunHostView) => (host.step !== undefined ? 0 : host.failed > 0 || host.outcome === 'unreachable' ? 1 : host.ended < host.total ? 2 : 3);
  const fits = hosts.length <= room;
  const shown = fits ? hosts : hosts.toSorted((a, b) => rank(a) - rank(b)).slice(0, Math.max(0, room - 1));
  const width = Math.max(...shown.map((host) => stringWidth(sanitizeLine(host.host))), 0);
  const lines = shown.map((host) => hostLine(host, width, options));
  return fits ? lines : [...lines, options.style.color.dim(`  ${options.style.symbols.ellipsis} and ${count(hosts.length - shown.length, 'host')} more`)];
}

function hostLine(host: RunHostView, width: number, options: FrameOptions): string {
  const {color, symbols} = options.style;
  const name = sanitizeLine(host.host);
  const before = `  ${color.bold(name)}${' '.repeat(width - stringWidth(name))}  `;
  if (host.outcome === 'unreachable') return `${before}${color.red(symbols.failed)} unreachable`;
  if (host.step !== undefined) {
    const transfer = host.transfer === undefined || host.transfer.sent >= host.transfer.total ? '' : `  ${transferBar(host.transfer, options.style)}`;
    const detail = transfer !== '' || host.detail === undefined ? '' : color.dim(`  ${sanitizeLine(host.detail.text)}`);
    return `${before}${spinner(options)} ${sanitizeLine(host.step.title)}  ${color.dim(since(host.step.startedAt, options.now))}${transfer}${detail}`;
  }
  if (host.failed > 0) return `${before}${color.red(symbols.failed)} failed`;
  if (host.ended < host.total) return `${before}${color.dim(`${symbols.bullet} waiting  ${host.ended}/${host.total}`)}`;
  return `${before}${color.green(symbols.done)} ${host.done > 0 ? 'changed' : 'unchanged'}`;
}

function transferBar(transfer: TransferView, {symbols}: Style): string {
  const share = transfer.total === 0 ? 1 : Math.min(1, transfer.sent / transfer.total);
  const full = Math.round(share * barWidth);
  return `${symbols.barFull.repeat(full)}${symbols.barEmpty.repeat(barWidth - full)} ${formatBytes(transfer.sent)} of ${formatBytes(transfer.total)}`;
}

function spinner({style, now}: FrameOptions): string {
  const {working} = style.symbols;
  return style.color.cyan(working[Math.floor(now / 100) % working.length] ?? '');
}

function since(startedAt: string, now: number): string {
  const start = Date.parse(startedAt);
  return Number.isNaN(start) ? '' : formatDuration(Math.max(0, Math.floor((now - start) / 1000) * 1000));
}
