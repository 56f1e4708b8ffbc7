// Tables for people: columns aligned by display width, cut to the terminal, kubectl's look.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';

export interface Column<T> {
  readonly title: string;
  /** The cell's text; it is sanitized here. */
  cell(row: T): string;
  /** Colours a finished cell; `row` says how. */
  paint?(text: string, row: T, style: Style): string;
  /** Shown only with -o wide. */
  readonly wide?: boolean;
}

export interface TableOptions {
  readonly style: Style;
  readonly wide?: boolean;
  /** Cells of the last column are cut to fit; undefined: nothing is cut. */
  readonly columns?: number;
}

const gap = 3;

/** The table as text, without a newline at its end; the title row only when there are no rows. */
export function renderTable<T>(rows: readonly T[], columns: readonly Column<T>[], options: TableOptions): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = rows.map((row) => shown.map((column) => sanitizeLine(column.cell(row)) || '-'));
  const widths = shown.map((column, index) => Math.max(stringWidth(column.title), ...cells.map((line) => stringWidth(line[index] ?? ''))));
  const line = (texts: readonly string[], paint: (text: string, index: number) => string) =>
    texts
      .map((text, index) => {
        const isLast = index === texts.length - 1;
        const fitted = isLast ? fit(text, widths, options) : text;
        const padding = isLast ? '' : ' '.repeat((widths[index] ?? 0) - stringWidth(text) + gap);
        return paint(fitted, index) + padding;
      })
      .join('');
  const title = line(
    shown.map((column) => column.title),
    (text) => options.style.color.bold(text),
  );
  return [title, ...cells.map((texts, row) => line(texts, (text, index) => shown[index]?.paint?.(text, rows[row] as T, options.style) ?? text))].join('\n');
}

function fit(text: string, widths: readonly number[], options: TableOptions): string {
  if (options.columns === undefined || options.wide === true) return text;
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + gap, 0);
  return cliTruncate(text, Math.max(16, options.columns - before), {truncationCharacter: options.style.symbols.ellipsis});
}

/** Milliseconds for people: `850 ms`, `4.2 s`, `3m12s`, `2h05m`, `4d3h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const pad = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3600)}h`;
}

/** Bytes for people, in binary units: `512 B`, `3.4 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** `1 host`, `3 hosts`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
