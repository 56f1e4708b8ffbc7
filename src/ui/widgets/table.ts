// Tables of which only the rows in view are made into text. Pure: rows in, lines out; what was made before is kept as long as nothing changed.
import {clean, fit, widthOf} from '../cells.ts';
import type {Theme, Token} from '../theme.ts';

export interface TableColumn<R> {
  readonly id: string;
  readonly title: string;
  /** Untrusted text is cleaned by the table. */
  cell(row: R, now: number): string;
  /** How the finished cell looks. */
  token?(row: R): Token | undefined;
  readonly align?: 'left' | 'right';
  readonly min: number;
  readonly max: number;
  /** Takes the room that is left over. */
  readonly grows?: boolean;
  /** Columns with a higher one give way first when there's too little room; 0 never does. */
  readonly gives: number;
  /** What it's sorted by; default: the cell. */
  order?(row: R, now: number): string | number;
  /** Text that is painted by itself: it has exactly the column's width in cells, and isn't cleaned. */
  picture?(row: R, width: number, theme: Theme, now: number): string;
}

export interface TableRow<R> {
  readonly id: string;
  readonly row: R;
  /** A title over the rows that follow; not under the cursor. */
  readonly heading?: string;
}

export interface TableView {
  /** The title row, then as many as there's room for. */
  readonly lines: readonly string[];
}

export interface TableOptions<R> {
  readonly columns: readonly TableColumn<R>[];
  readonly theme: Theme;
  readonly width: number;
  /** With the title row. */
  readonly height: number;
  readonly now: number;
  readonly top: number;
  readonly cursor: string | undefined;
  readonly marks: ReadonlySet<string>;
  readonly sort?: {readonly column: string; readonly descending: boolean};
}

const gap = 2;
/** Cursor and mark. */
const lead = 2;

/** Remembers widths (they only grow, so that columns don't jump) and the text of rows that didn't change. */
export class TableText<R extends object> {
  readonly #widths = new Map<string, number>();
  readonly #made = new WeakMap<R, {readonly key: string; readonly text: string}>();
  #key = '';

  render(rows: readonly TableRow<R>[], options: TableOptions<R>): readonly string[] {
    const {columns, theme, width, height, now, top, cursor, marks, sort} = options;
    const shown = rows.slice(top, top + Math.max(0, height - 1));
    this.#forgetOtherShapes(`${columns.map((column) => column.id).join(',')} ${width} ${theme.name} ${theme.level} ${theme.symbols.ellipsis}`);
    const cells = new Map(shown.filter((one) => one.heading === undefined).map((one) => [one.id, columns.map((column) => this.#cell(column, one.row, now))]));
    for (const [index, column] of columns.entries()) {
      const widest = Math.max(widthOf(titleOf(column, sort, theme)), ...[...cells.values()].map((texts) => widthOf(texts[index] ?? '')));
      this.#widths.set(column.id, Math.max(this.#widths.get(column.id) ?? column.min, Math.min(column.max, widest)));
    }
    const layout = layoutOf(columns, this.#widths, width - lead);
    const title = layout
      .map(({column, cells: room}) => fit(titleOf(column, sort, theme), room, {...alignOf(column), ellipsis: theme.symbols.ellipsis}))
      .join(' '.repeat(gap));
    const lines = shown.map((one) => {
      if (one.heading !== undefined) return theme.paint('title', fit(clean(one.heading), width, {ellipsis: theme.symbols.ellipsis}));
      const isCursor = one.id === cursor;
      const isMarked = marks.has(one.id);
      const texts = cells.get(one.id) ?? [];
      const key = `${isCursor} ${isMarked} ${layout.map(({cells: room}) => room).join(',')} ${texts.join('\u0000')}`;
      const known = this.#made.get(one.row);
      if (known?.key === key) return known.text;
      const body = layout
        .map(({column, index, cells: room}) => {
          if (column.picture !== undefined) return column.picture(one.row, room, theme, now);
          const text = fit(texts[index] ?? '', room, {...alignOf(column), ellipsis: theme.symbols.ellipsis});
          const token = column.token?.(one.row);
          return token === undefined ? text : theme.paint(token, text);
        })
        .join(' '.repeat(gap));
      const before = `${isCursor ? theme.symbols.cursor : ' '}${isMarked ? theme.paint('mark', theme.symbols.mark) : ' '}`;
      const filling = ' '.repeat(Math.max(0, width - lead - widthOfLayout(layout)));
      const text = isCursor ? theme.paint('selected', before + body + filling) : before + body;
      this.#made.set(one.row, {key, text});
      return text;
    });
    return [theme.paint('muted', ' '.repeat(lead) + title), ...lines];
  }

  #cell(column: TableColumn<R>, row: R, now: number): string {
    // a picture depends on the time as little as an age does: what it's made from is its key
    return column.picture === undefined ? clean(column.cell(row, now)) : column.cell(row, now);
  }

  #forgetOtherShapes(key: string): void {
    if (this.#key === key) return;
    this.#key = key;
    this.#widths.clear();
  }
}

interface LaidColumn<R> {
  readonly column: TableColumn<R>;
  readonly index: number;
  readonly cells: number;
}

function widthOfLayout(layout: readonly {readonly cells: number}[]): number {
  return layout.reduce((sum, {cells}) => sum + cells, 0) + gap * Math.max(0, layout.length - 1);
}

/** Which columns fit, and how wide they are: first those that give way most easily go, then those that are wide get narrower. */
export function layoutOf<R>(columns: readonly TableColumn<R>[], widths: ReadonlyMap<string, number>, room: number): readonly LaidColumn<R>[] {
  let kept = columns.map((column, index) => ({column, index, cells: widths.get(column.id) ?? column.min}));
  const least = (laid: readonly LaidColumn<R>[]) => laid.reduce((sum, {column}) => sum + column.min, 0) + gap * Math.max(0, laid.length - 1);
  while (least(kept) > room) {
    const yielding = Math.max(...kept.map(({column}) => column.gives));
    if (yielding === 0) break;
    kept = kept.filter(({column}) => column.gives !== yielding);
  }
  for (let over = widthOfLayout(kept) - room; over > 0; over = widthOfLayout(kept) - room) {
    const widest = kept.toSorted((a, b) => b.cells - b.column.min - (a.cells - a.column.min))[0];
    if (widest === undefined || widest.cells <= Math.min(widest.column.min, 4)) break;
    kept = kept.map((one) => (one.index === widest.index ? {...one, cells: one.cells - 1} : one));
  }
  const left = room - widthOfLayout(kept);
  const growing = kept.findLast(({column}) => column.grows === true);
  if (growing === undefined || left <= 0) return kept;
  return kept.map((one) => (one === growing ? {...one, cells: one.cells + left} : one));
}

function titleOf<R>(column: TableColumn<R>, sort: TableOptions<R>['sort'], theme: Theme): string {
  if (sort?.column !== column.id) return column.title;
  return `${column.title}${sort.descending ? theme.symbols.down : theme.symbols.up}`;
}

function alignOf<R>(column: TableColumn<R>): {readonly align?: 'left' | 'right'} {
  return column.align === undefined ? {} : {align: column.align};
}

/** Rows in the order of a column; equal ones by their ids, so that they don't change places. */
export function sortRows<R>(
  rows: readonly TableRow<R>[],
  column: TableColumn<R> | undefined,
  options: {readonly descending: boolean; readonly now: number},
): readonly TableRow<R>[] {
  if (column === undefined) return rows;
  const keyed = rows.map((one) => ({one, key: column.order?.(one.row, options.now) ?? column.cell(one.row, options.now)}));
  const sign = options.descending ? -1 : 1;
  return keyed
    .toSorted((a, b) => {
      if (a.key < b.key) return -sign;
      if (a.key > b.key) return sign;
      return a.one.id < b.one.id ? -1 : 1;
    })
    .map(({one}) => one);
}
