// Pictures for the documentation, from frames of the real screens over data and a clock that are always the same: SVG pictures, an asciinema cast, and
// the same tour as an SVG that moves. With --check nothing is written; what is stale is named.
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {build as bundle} from 'esbuild';
import {gridOf, linesOf} from './pictures/grid.mjs';
import {movingSvg, stillSvg} from './pictures/svg.mjs';
import {root} from './tree.mjs';

async function playTour() {
  // below node_modules, so that packages are found from there
  const outfile = join(root, 'node_modules', `.trireme-tour-${process.pid}.mjs`);
  await bundle({
    entryPoints: [join(root, 'test/support/tour.ts')],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    outfile,
    logLevel: 'warning',
  });
  // a terminal in memory keeps no program alive
  const alive = setInterval(() => {}, 1000);
  try {
    const {playTour: play, tourSize} = await import(pathToFileURL(outfile).href);
    return {moments: await play(), ...tourSize};
  } finally {
    clearInterval(alive);
    rmSync(outfile, {force: true});
  }
}

/** Path to content of every picture. */
export async function pictures() {
  process.env.NODE_ENV = 'production';
  const {moments, columns, rows} = await playTour();
  const frames = [];
  for (const {written, stays, title, picture} of moments) frames.push({grid: await gridOf(written, columns, rows), stays, title, picture});
  const stills = frames.filter(({picture}) => picture !== undefined).map(({picture, grid, title}) => [`docs/pictures/${picture}.svg`, stillSvg(grid, title)]);
  return {...Object.fromEntries(stills), 'docs/pictures/tour.svg': movingSvg(frames), 'docs/pictures/tour.cast': castOf(frames, columns, rows)};
}

/** https://docs.asciinema.org/manual/asciicast/v2/ */
function castOf(frames, columns, rows) {
  const head = {version: 2, width: columns, height: rows, title: 'Trireme: the dashboard (SIMULATED)', env: {TERM: 'xterm-256color'}};
  let at = 0;
  let shown = [];
  const events = frames.map(({grid, stays}) => {
    const lines = linesOf(grid);
    const changed = lines.flatMap((line, row) => (line === shown[row] ? [] : [`\u001B[${row + 1};1H${line}\u001B[0m\u001B[K`]));
    const event = [at / 1000, 'o', `${at === 0 ? '\u001B[?25l\u001B[2J' : ''}${changed.join('')}`];
    at += stays;
    shown = lines;
    return event;
  });
  return `${[head, ...events, [at / 1000, 'o', '\u001B[?25h']].map((line) => JSON.stringify(line)).join('\n')}\n`;
}

if (import.meta.filename === process.argv[1]) {
  const isCheck = process.argv.includes('--check');
  const stale = [];
  for (const [path, content] of Object.entries(await pictures())) {
    const full = join(root, path);
    const found = (() => {
      try {
        return readFileSync(full, 'utf8');
      } catch {
        return undefined;
      }
    })();
    if (found === content) continue;
    stale.push(path);
    if (isCheck) continue;
    mkdirSync(dirname(full), {recursive: true});
    writeFileSync(full, content);
    process.stdout.write(`wrote ${path}\n`);
  }
  if (isCheck && stale.length > 0) {
    process.stderr.write(`Stale: ${stale.join(', ')}. Run: npm run pictures\n`);
    process.exitCode = 1;
  }
  // React keeps a channel open that nobody needs any more
  process.exit();
}
