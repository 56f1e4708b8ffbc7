// Tables for people: columns aligned by display width, cut to the terminal, kubectl's look.
import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';

export {count, formatBytes, formatDuration} from '../kernel/amounts.ts';

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
