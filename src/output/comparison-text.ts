// The modes side by side, and who provisions what, for a terminal of 80 columns.
import stringWidth from 'string-width';
import type {Style} from './style.ts';

export interface ComparedRow {
  readonly title: string;
  readonly cells: Readonly<Record<string, string>>;
}

const titleWidth = 17;
/** With three modes: 80 columns. */
const cellWidth = 20;

const pad = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - stringWidth(text)));

function wrapWords(text: string, width: number): readonly string[] {
  return text.split(' ').reduce<readonly string[]>((lines, word) => {
    const joined = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    return lines.length > 0 && stringWidth(joined) > width ? [...lines, word] : [...lines.slice(0, -1), joined];
  }, []);
}

/** A column for each mode, a line or more for each row. */
export function renderComparison(modes: readonly string[], rows: readonly ComparedRow[], style: Style): string {
  const head = style.color.bold([pad('', titleWidth), ...modes.map((mode) => pad(mode, cellWidth))].join(' ').trimEnd());
  const lines = rows.flatMap(({title, cells}) => {
    const wrapped = modes.map((mode) => wrapWords(cells[mode] ?? '', cellWidth - 1));
    return Array.from({length: Math.max(...wrapped.map((cell) => cell.length))}, (_, line) => {
      const name = pad(line === 0 ? title : '', titleWidth);
      return `${style.color.dim(name)} ${wrapped.map((cell) => pad(cell[line] ?? '', cellWidth)).join(' ')}`.trimEnd();
    });
  });
  return [head, ...lines].join('\n');
}

/** A stack for each mode, from what runs on top down to the machine; parts of one provider are one box. */
export function renderProvisioning(modes: readonly string[], rows: readonly ComparedRow[], {color, symbols}: Style): string {
  const isAscii = symbols.arrow === '->';
  const [topLeft, topRight, bottomLeft, bottomRight, left, right, flat, upright] = isAscii ? [...'++++++-|'] : [...'┌┐└┘├┤─│'];
  const inside = cellWidth - 2;
  const border = (from: string | undefined, to: string | undefined) => `${from}${(flat ?? '-').repeat(inside)}${to}`;
  const lines = [
    color.bold([pad('who provisions', titleWidth), ...modes.map((mode) => pad(mode, cellWidth))].join(' ').trimEnd()),
    [pad('', titleWidth), ...modes.map(() => border(topLeft, topRight))].join(' '),
  ];
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    if (before !== undefined)
      lines.push(
        [
          pad('', titleWidth),
          ...modes.map((mode) => (before.cells[mode] === row.cells[mode] ? `${upright}${' '.repeat(inside)}${upright}` : border(left, right))),
        ].join(' '),
      );
    const cells = modes.map((mode) => {
      const who = row.cells[mode] ?? '';
      return `${upright}${pad(before?.cells[mode] === who ? '' : ` ${who}`, inside)}${upright}`;
    });
    lines.push([color.dim(pad(row.title, titleWidth)), ...cells].join(' '));
  }
  lines.push([pad('', titleWidth), ...modes.map(() => border(bottomLeft, bottomRight))].join(' '));
  return lines.join('\n');
}
