// The dashboard over 1,000 clusters with 10,000 machines at 200 changes a second, on a real pseudo-terminal; beside it kubectl's own watch of the same API.
// TRIREME_BENCH_SECONDS: how long the changes last; default 300.
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {median} from './measure.mjs';
import {talkTo} from './talk.mjs';
import {cpuOf, memoryOf, openWatched} from './watched-terminal.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = here('../../bin/run.js');
const clusters = 1000;
const rate = 200;
const verdict = (isMet) => (isMet ? 'met' : 'MISSED');
const p95 = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;
const goal = (title, value, unit, limit, digits = 0) =>
  console.log(`    ${title} ${value.toFixed(digits)} ${unit}   goal <= ${limit}: ${verdict(value <= limit)}`);

export async function benchDash() {
  const seconds = Number(process.env.TRIREME_BENCH_SECONDS ?? 300);
  const home = mkdtempSync(join(tmpdir(), 'trireme-bench-dash-'));
  const server = talkTo([here('fleet-server.mjs'), String(clusters), '10']);
  try {
    const {kubeconfig} = await server.next();
    const env = {PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, KUBECONFIG: kubeconfig};
    console.log(`the dashboard over ${clusters} clusters with ${clusters * 10} machines of the embedded API (SIMULATED), 120x40`);
    await benchFirstFrame(env, home);
    await benchChanges(server, {env, home, seconds});
  } finally {
    server.child.stdin.end('stop\n');
    server.child.kill('SIGTERM');
    rmSync(home, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  }
}

const isFleet = (lines) => lines.filter((line) => /\bc\d+\b.*controller/.test(line)).length > 20;
const isWhole = (lines) => lines.some((line) => new RegExp(`[✔✖↻?] ${clusters}\\b`).test(line)) || healthSum(lines[0] ?? '') === clusters;
const healthSum = (header) => [...header.matchAll(/[✔✖↻?] (\d+)/g)].reduce((sum, [, number]) => sum + Number(number), 0);

/** From the start of the process until the Fleet's rows are on the screen, over what `--version` takes on the same terminal. */
async function benchFirstFrame(env, cwd) {
  const pairs = [];
  for (let run = 0; run < Number(process.env.TRIREME_BENCH_STARTS ?? 6); run += 1) {
    const version = openWatched(process.execPath, [program, '--version'], {env, cwd});
    const said = (await version.seen((lines) => lines.some((line) => line.includes('trireme')))) - version.started;
    await version.ended;
    const dash = openWatched(process.execPath, [program, 'dash'], {env, cwd});
    const rows = (await dash.seen(isFleet)) - dash.started;
    const whole = (await dash.seen(isWhole)) - dash.started;
    await dash.close();
    if (run > 0) pairs.push({said, rows, whole});
  }
  const over = median(pairs.map((pair) => pair.rows - pair.said));
  const of = (name) => median(pairs.map((pair) => pair[name])).toFixed(0);
  console.log(`    --version ${of('said')} ms, the Fleet's rows ${of('rows')} ms, every cluster counted ${of('whole')} ms`);
  goal("the Fleet's rows, over --version", over, 'ms', 300);
}

async function benchChanges(server, {env, home, seconds}) {
  const probe = join(home, 'frames.json');
  const dash = openWatched(process.execPath, ['--import', here('frame-probe.mjs'), program, 'dash'], {env: {...env, FRAME_PROBE: probe}, cwd: home});
  const kubectl = watchByKubectl(env);
  try {
    await dash.seen(isWhole);
    await pause(3000);
    await framesOf(dash.pid, probe); // those of the start aren't meant
    rmSync(probe);
    const before = {dash: cpuOf(dash.pid), bytes: dash.bytes, kubectl: cpuOf(kubectl.pid), kubectlBytes: kubectl.bytes()};
    server.child.stdin.write(`churn ${rate} ${seconds}\n`);
    const churned = server.next();
    let isDone = false;
    void churned.then(() => (isDone = true));
    const keys = {move: [], page: [], filter: []};
    const rss = [];
    while (!isDone) {
      for (let count = 0; count < 5 && !isDone; count += 1) keys.move.push(await timeKey(dash, count % 2 === 0 ? 'j' : 'k', cursorAt));
      if (!isDone) keys.page.push(await timeKey(dash, '\u001B[6~', cursorAt), await timeKey(dash, '\u001B[5~', cursorAt));
      if (!isDone) keys.filter.push(...(await timeFilter(dash)));
      rss.push(memoryOf(dash.pid).rss);
      await pause(500);
    }
    const {changes, seconds: lasted} = await churned;
    const used = {dash: cpuOf(dash.pid) - before.dash, bytes: dash.bytes - before.bytes};
    const theirs = {cpu: cpuOf(kubectl.pid) - before.kubectl, bytes: kubectl.bytes() - before.kubectlBytes};
    const frames = await framesOf(dash.pid, probe);
    const {peak} = memoryOf(dash.pid);
    console.log(`${changes} changes in ${lasted.toFixed(0)} s: ${frames.length} frames, ${(frames.length / lasted).toFixed(1)} a second`);
    goal('memory at most', peak, 'MiB', 300);
    const half = Math.floor(rss.length / 2);
    console.log(`    memory ${median(rss.slice(0, half)).toFixed(0)} MiB in the first half, ${median(rss.slice(half)).toFixed(0)} MiB in the second`);
    goal('a frame, p95', p95(frames), 'ms', 50, 1);
    goal(`key to screen, p95 of ${keys.move.length + keys.page.length} keys`, p95([...keys.move, ...keys.page]), 'ms', 100);
    goal(`    scrolling by pages, p95 of ${keys.page.length}`, p95(keys.page), 'ms', 100);
    goal(`    filtering, a letter, p95 of ${keys.filter.length}`, p95(keys.filter), 'ms', 100);
    console.log(
      `    CPU ${(used.dash / lasted / 10).toFixed(1)} %, ${(used.bytes / lasted / 1024).toFixed(1)} KiB/s to the terminal; kubectl get clusters -A -w ${(theirs.cpu / lasted / 10).toFixed(1)} %, ${(theirs.bytes / lasted / 1024).toFixed(1)} KiB/s (it sees no machines)`,
    );
    await pause(5000);
    const rest = cpuOf(dash.pid);
    await pause(30_000);
    goal('CPU when nothing changes', (cpuOf(dash.pid) - rest) / 300, '%', 1, 2);
  } finally {
    await dash.close();
    kubectl.child?.kill('SIGTERM');
  }
}

const cursorAt = (lines) => lines.find((line) => line.startsWith('❯')) ?? '';

/** How long until what `look` reads of the screen is another one. */
async function timeKey(dash, key, look) {
  const name = (lines) => look(lines).slice(0, 14);
  const before = name(dash.lines());
  const pressed = performance.now();
  dash.press(key);
  const seen = await dash.seen((lines) => name(lines) !== before);
  await pause(150);
  return seen - pressed;
}

/** Types a filter letter by letter, each until it shows, and takes it away again. */
async function timeFilter(dash) {
  const times = [];
  dash.press('/');
  await dash.seen((lines) => lines.some((line) => /^(?:Filter|\/)/.test(line.trim())));
  for (const typed of ['c', 'c9', 'c99']) {
    const pressed = performance.now();
    dash.press(typed.at(-1));
    times.push((await dash.seen((lines) => lines.some((line) => new RegExp(`(?:Filter|/)[^a-z]*${typed}(?!\\w)`).test(line)))) - pressed);
    await pause(150);
  }
  dash.press('\u001B');
  await dash.seen((lines) => !lines.some((line) => /(?:Filter|\/)[^a-z]*c99/.test(line)));
  return times;
}

async function framesOf(pid, path) {
  process.kill(pid, 'SIGUSR2');
  for (let tries = 0; tries < 100 && !existsSync(path); tries += 1) await pause(50);
  await pause(100);
  return JSON.parse(readFileSync(path, 'utf8'));
}

function watchByKubectl(env) {
  const child = spawn('kubectl', ['get', 'clusters', '-A', '-w'], {env, stdio: ['ignore', 'pipe', 'ignore']});
  let bytes = 0;
  child.stdout.on('data', (chunk) => (bytes += chunk.length));
  child.on('error', () => {});
  return {child, pid: child.pid, bytes: () => bytes};
}
