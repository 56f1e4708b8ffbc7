// Rows of a terminal as SVG: one picture, or several one after the other. No script, no font of its own: GitHub shows it as it is.
const cell = {width: 8.4, height: 18, font: 14};
const margin = {side: 14, top: 40, bottom: 12};
const colors = {back: '#0d1117', fore: '#c9d1d9', frame: '#30363d', title: '#8b949e'};
const palette = [
  '#484f58',
  '#ff7b72',
  '#3fb950',
  '#d29922',
  '#58a6ff',
  '#bc8cff',
  '#39c5cf',
  '#b1bac4',
  '#6e7681',
  '#ffa198',
  '#56d364',
  '#e3b341',
  '#79c0ff',
  '#d2a8ff',
  '#56d4dd',
  '#f0f6fc',
];

const number = (value) => String(Math.round(value * 100) / 100);
const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function hex(color, plain) {
  if (color === undefined) return plain;
  if (typeof color === 'string') return colors[color] ?? color;
  if (color < 16) return palette[color];
  if (color >= 232) return `#${(8 + (color - 232) * 10).toString(16).padStart(2, '0').repeat(3)}`;
  const steps = [0, 95, 135, 175, 215, 255];
  return `#${[36, 6, 1].map((divisor) => steps[Math.floor((color - 16) / divisor) % 6].toString(16).padStart(2, '0')).join('')}`;
}

/** One row; its place is given by whoever uses it. */
function rowOf(runs) {
  const backs = runs
    .filter((run) => run.bg !== undefined)
    .map(
      (run) =>
        `<rect x="${number(run.column * cell.width)}" width="${number(run.width * cell.width)}" height="${cell.height}" fill="${hex(run.bg, colors.back)}"/>`,
    );
  const texts = runs
    .filter((run) => run.text.trim() !== '')
    .map((run) => {
      const text = run.text.trimEnd();
      const indent = text.length - text.trimStart().length;
      const more = `${run.bold ? ' font-weight="bold"' : ''}${run.dim ? ' opacity=".6"' : ''}${run.underline ? ' text-decoration="underline"' : ''}`;
      // its length is said, so that another font of the reader's shifts nothing
      const length = [...text.trimStart()].length;
      return `<text x="${number((run.column + indent) * cell.width)}" y="13.5" fill="${hex(run.fg, colors.fore)}" textLength="${number(length * cell.width)}"${more}>${escape(text.trimStart())}</text>`;
    });
  return [...backs, ...texts].join('');
}

function shell(grid, title, body) {
  const columns = Math.max(...grid.map((runs) => (runs.length === 0 ? 0 : runs.at(-1).column + runs.at(-1).width)));
  const width = Math.ceil(columns * cell.width + 2 * margin.side);
  const height = grid.length * cell.height + margin.top + margin.bottom;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) => `<circle cx="${20 + index * 20}" cy="20" r="6" fill="${fill}"/>`).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(title)}">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colors.back}" stroke="${colors.frame}"/>${dots}`,
    `<text x="${width / 2}" y="25" fill="${colors.title}" font-family="sans-serif" font-size="13" text-anchor="middle">trireme dash (SIMULATED)</text>`,
    `<g transform="translate(${margin.side},${margin.top})" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${cell.font}" xml:space="preserve" lengthAdjust="spacing">`,
    body,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

export function stillSvg(grid, title) {
  return shell(
    grid,
    title,
    grid
      .map((runs, row) => [runs, row])
      .filter(([runs]) => runs.length > 0)
      .map(([runs, row]) => `<g transform="translate(0,${row * cell.height})">${rowOf(runs)}</g>`)
      .join('\n'),
  );
}

/** Every distinct row is written once; a frame is a list of rows, and is seen in its time. */
export function movingSvg(frames) {
  const rows = new Map();
  const total = frames.reduce((sum, frame) => sum + frame.stays, 0);
  let at = 0;
  const rules = [];
  const groups = frames.map(({grid, stays}, index) => {
    const [from, to] = [(at / total) * 100, ((at + stays) / total) * 100];
    at += stays;
    const before = index === 0 ? '' : `0%,${number(from)}%{visibility:hidden}`;
    const after = index === frames.length - 1 ? '' : `${number(to)}%,to{visibility:hidden}`;
    rules.push(
      `@keyframes f${index}{${before}${number(from)}%{visibility:visible}${after}}#f${index}{animation:f${index} ${total / 1000}s steps(1,end) infinite}`,
    );
    const uses = grid.flatMap((runs, row) => {
      if (runs.length === 0) return [];
      const body = rowOf(runs);
      if (!rows.has(body)) rows.set(body, `r${rows.size}`);
      return [`<use href="#${rows.get(body)}" y="${row * cell.height}"/>`];
    });
    return `<g id="f${index}"${index === 0 ? '' : ' visibility="hidden"'}>${uses.join('')}</g>`;
  });
  const defined = [...rows].map(([body, id]) => `<g id="${id}">${body}</g>`).join('\n');
  // whoever wants no motion sees the first frame
  const style = `<style>${rules.join('\n')}\n@media (prefers-reduced-motion:reduce){g[id^=f]{animation:none!important}}</style>`;
  return shell(frames[0].grid, 'A tour of the dashboard', [style, `<defs>${defined}</defs>`, ...groups].join('\n'));
}
