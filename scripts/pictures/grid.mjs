// What a terminal shows after all that was written to it, as runs of equal style.
import xterm from '@xterm/headless';

/** Rows of `{text, column, width, fg, bg, bold, dim, underline}`; colours are `#rrggbb`, or a number of the terminal's own palette, or undefined. */
export async function gridOf(written, columns, rows) {
  const terminal = new xterm.Terminal({cols: columns, rows, allowProposedApi: true});
  // without the end of the alternate screen: that is what we look at
  await new Promise((resolve) => terminal.write(written, resolve));
  const {active} = terminal.buffer;
  const grid = Array.from({length: rows}, (_, row) => runsOf(active.getLine(active.viewportY + row), columns));
  terminal.dispose();
  return grid;
}

function runsOf(line, columns) {
  const runs = [];
  for (let column = 0; column < columns;) {
    const cell = line.getCell(column);
    const width = Math.max(1, cell.getWidth());
    const style = styleOf(cell);
    const text = cell.getChars() === '' ? ' ' : cell.getChars();
    const last = runs.at(-1);
    if (last !== undefined && last.key === style.key) {
      last.text += text;
      last.width += width;
    } else runs.push({...style, text, column, width});
    column += width;
  }
  return runs.filter((run) => run.text.trim() !== '' || run.bg !== undefined || run.underline);
}

function styleOf(cell) {
  let fg = colorOf(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor());
  let bg = colorOf(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor());
  if (cell.isInverse()) [fg, bg] = [bg ?? 'back', fg ?? 'fore'];
  const style = {fg, bg, bold: cell.isBold() !== 0, dim: cell.isDim() !== 0, underline: cell.isUnderline() !== 0};
  return {...style, key: JSON.stringify(style)};
}

function colorOf(isRgb, isPalette, value) {
  if (isRgb) return `#${value.toString(16).padStart(6, '0')}`;
  return isPalette ? value : undefined;
}

/** The rows as a terminal takes them. */
export function linesOf(grid) {
  return grid.map((runs) => {
    let line = '';
    let column = 0;
    for (const run of runs) {
      line += ' '.repeat(run.column - column);
      const codes = [
        ...(run.bold ? [1] : []),
        ...(run.dim ? [2] : []),
        ...(run.underline ? [4] : []),
        ...colorCodes(run.fg, 38, 39),
        ...colorCodes(run.bg, 48, 49),
      ];
      line += codes.length === 0 ? run.text : `\u001B[${codes.join(';')}m${run.text}\u001B[0m`;
      column = run.column + run.width;
    }
    return line;
  });
}

function colorCodes(color, code, plain) {
  if (color === undefined) return [];
  if (typeof color === 'number') return [code, 5, color];
  if (color.startsWith('#')) return [code, 2, ...[1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))];
  return [plain];
}
