// Bars and sparklines as text.
import type {Theme, Token} from '../theme.ts';

export interface BarPart {
  readonly amount: number;
  readonly token: Token;
  /** `full` when absent. */
  readonly fill?: 'full' | 'half' | 'empty';
}

/** Parts side by side in exactly `width` cells; a part that isn't nothing keeps at least one cell where there's room. */
export function bar(parts: readonly BarPart[], width: number, theme: Theme): string {
  const total = parts.reduce((sum, part) => sum + part.amount, 0);
  const {barFull, barHalf, barEmpty} = theme.symbols;
  if (total <= 0 || width <= 0) return theme.paint('muted', barEmpty.repeat(Math.max(0, width)));
  const cells = parts.map((part) => (part.amount <= 0 ? 0 : Math.max(1, Math.floor((part.amount / total) * width))));
  let left = width - cells.reduce((sum, count) => sum + count, 0);
  for (; left !== 0; left += left > 0 ? -1 : 1) {
    // what is left over goes to the largest, and is taken from it
    const largest = cells.indexOf(Math.max(...cells));
    cells[largest] = (cells[largest] ?? 0) + Math.sign(left);
  }
  const symbol = {full: barFull, half: barHalf, empty: barEmpty};
  return parts.map((part, index) => theme.paint(part.token, symbol[part.fill ?? 'full'].repeat(Math.max(0, cells[index] ?? 0)))).join('');
}

/** One cell for each ratio from 0 to 1; undefined is a gap. */
export function sparkline(ratios: readonly (number | undefined)[], theme: Theme): string {
  const {spark} = theme.symbols;
  return ratios
    .map((ratio) => {
      if (ratio === undefined) return ' ';
      const step = Math.max(0, Math.min(spark.length - 1, Math.round(ratio * (spark.length - 1))));
      return theme.paint(ratio >= 1 ? 'good' : ratio >= 0.5 ? 'warning' : 'bad', spark[step] ?? ' ');
    })
    .join('');
}
