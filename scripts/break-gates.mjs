// Proves that every gate fails when what it guards is broken: in a copy of the project, each gate's command passes; then, with one small fault after the
// other, it fails and says why. `node scripts/break-gates.mjs [--only NAME] [--list]`. Ends with 1 when a gate let a fault through.
import {spawn, spawnSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {stripVTControlCharacters} from 'node:util';
import {breaks} from './gate-breaks.mjs';
import {build} from './build.mjs';
import {root} from './tree.mjs';

/** How long one command may take, in ms. */
const patience = 300_000;
const lanes = Math.min(2, availableParallelism());

const commandsOf = (one) => (Array.isArray(one.command[0]) ? one.command : [one.command]);
const textOf = (one) =>
  commandsOf(one)
    .map((words) => words.join(' '))
    .join(' && ');

/** A copy of what git would commit, with dist/. node_modules is a folder of links, as the build keeps files of its own in there. */
function copyProject(folder) {
  const {stdout} = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {cwd: root, encoding: 'utf8', maxBuffer: 1 << 26});
  const files = stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  for (const path of [...files, 'dist', 'oclif.manifest.json']) cpSync(join(root, path), join(folder, path), {recursive: true, preserveTimestamps: true});
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!/^\.(trireme|vite|cache)/.test(name)) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
}

function runOne([program, ...args], cwd) {
  return new Promise((resolve) => {
    const path = program === 'node' ? process.execPath : join(cwd, 'node_modules', '.bin', program);
    const child = spawn(path, args, {cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: patience, killSignal: 'SIGTERM', env: {...process.env, NO_COLOR: '1'}});
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    child.on('error', (error) => resolve({ok: false, text: `${program}: ${error.message}`}));
    child.on('close', (code) => resolve({ok: code === 0, text: stripVTControlCharacters(text)}));
  });
}

/** Runs commands one after the other until one fails. */
async function run(commands, cwd) {
  let text = '';
  for (const words of commands) {
    const ended = await runOne(words, cwd);
    text += ended.text;
    if (!ended.ok) return {ok: false, text, failed: words.join(' ')};
  }
  return {ok: true, text};
}

/** Makes the edits and returns the function that takes them back. */
function edit(edits, cwd) {
  const before = new Map();
  for (const [path, from, to] of edits) {
    const full = join(cwd, path);
    const text = existsSync(full) ? readFileSync(full, 'utf8') : undefined;
    if (!before.has(full)) before.set(full, text);
    const changed = (text ?? '').replace(from, to);
    if (changed === text) throw new Error(`The fault no longer fits: ${path} has no ${from}`);
    mkdirSync(dirname(full), {recursive: true});
    writeFileSync(full, changed);
  }
  return () => {
    for (const [full, text] of before) {
      if (text === undefined) rmSync(full);
      else writeFileSync(full, text);
    }
  };
}

/** Works through a list in as many copies as there are lanes; what comes first begins first. */
async function inLanes(folders, list, work) {
  const waiting = [...list];
  await Promise.all(
    folders.map(async (folder) => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one, folder);
    }),
  );
}

/** Commands that fail without any fault, as text to what they said. Suites without a filter go in one run. */
async function findRed(chosen, folders) {
  const red = new Map();
  const all = new Map(chosen.map((one) => [textOf(one), commandsOf(one)]));
  const isSuite = ([words, ...more]) => more.length === 0 && words[0] === 'vitest' && words.length === 3;
  const suites = [...all].filter(([, commands]) => isSuite(commands));
  const batch = [['all suites', [['vitest', 'run', ...new Set(suites.map(([, [words]]) => words[2]))]]]];
  await inLanes(
    folders,
    [...[...all].filter(([, commands]) => !isSuite(commands)), ...(suites.length > 1 ? batch : suites)],
    async ([text, commands], folder) => {
      const {ok, text: said} = await run(commands, folder);
      if (!ok) red.set(text, said);
    },
  );
  if (!red.delete('all suites')) return red;
  await inLanes(folders, suites, async ([text, commands], folder) => {
    const {ok, text: said} = await run(commands, folder);
    if (!ok) red.set(text, said);
  });
  return red;
}

/** What became of one fault, and more about it when it isn't what it should be. */
async function tryBreak(one, folder) {
  const undo = edit(one.edits, folder);
  try {
    const {ok, text, failed} = await run(commandsOf(one), folder);
    if (ok) return {verdict: 'DID NOT FAIL', more: ''};
    const isLast = failed === commandsOf(one).at(-1).join(' ');
    if (isLast && one.says.test(text)) return {verdict: 'fails as it should'};
    return {verdict: 'FAILS FOR ANOTHER REASON', more: `wanted ${one.says}\n${text.slice(-3000)}`};
  } finally {
    undo();
  }
}

async function main() {
  const args = process.argv.slice(2);
  const only = args.flatMap((arg, index) => (arg === '--only' ? [args[index + 1]] : arg.startsWith('--only=') ? [arg.slice(7)] : []));
  if (args.includes('--list')) {
    for (const one of breaks) process.stdout.write(`${one.name.padEnd(28)} ${one.gate}: ${one.how}\n`);
    return 0;
  }
  const chosen = breaks.filter((one) => only.length === 0 || only.includes(one.name) || only.includes(one.gate));
  if (chosen.length === 0) {
    process.stderr.write(`There's no ${only.join(', ')}. Names: ${breaks.map((one) => one.name).join(', ')}\n`);
    return 2;
  }
  const began = Date.now();
  build();
  const place = mkdtempSync(join(tmpdir(), 'gates-'));
  process.on('exit', () => rmSync(place, {recursive: true, force: true}));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
  const folders = Array.from({length: Math.min(lanes, chosen.length)}, (_, lane) => join(place, String(lane)));
  for (const folder of folders) copyProject(folder);

  process.stderr.write('Each gate without a fault ...\n');
  const red = await findRed(chosen, folders);
  for (const [command, said] of red) process.stderr.write(`${command} fails without any fault:\n${said.slice(-3000)}\n`);

  const verdicts = new Map();
  // long ones first, so that no lane waits for the other in the end
  const queue = chosen.toSorted((a, b) => commandsOf(b).length - commandsOf(a).length);
  await inLanes(folders, queue, async (one, folder) => {
    const result = red.has(textOf(one))
      ? {verdict: 'FAILS WITHOUT A FAULT TOO'}
      : await tryBreak(one, folder).catch((error) => ({verdict: 'NOT TRIED', more: error.message}));
    verdicts.set(one, result);
    process.stderr.write(`${one.name}: ${result.verdict}\n${result.more === undefined ? '' : `${result.more}\n`}`);
  });

  const rows = chosen.map((one) => [one.gate, `${one.how} (${one.name})`, textOf(one), verdicts.get(one).verdict]);
  const order = (gate) => Number.parseInt(gate, 10) || 99;
  const sorted = rows.toSorted((a, b) => order(a[0]) - order(b[0]));
  process.stdout.write(`${table([['gate', 'how it was broken', 'command', 'result'], ...sorted])}\n`);
  const bad = [...verdicts.values()].filter(({verdict}) => verdict !== 'fails as it should').length;
  process.stdout.write(`${chosen.length - bad} of ${chosen.length} faults were noticed, in ${((Date.now() - began) / 1000).toFixed(0)} s.\n`);
  return bad === 0 ? 0 : 1;
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

process.exitCode = await main();
