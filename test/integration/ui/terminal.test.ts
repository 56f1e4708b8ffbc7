// However the dashboard ends, the terminal is as it was before: cursor, echo, main screen.
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openPty, type PtyScreen} from '../../support/pty.ts';
import {program} from '../../support/trireme.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const built = join(root, 'node_modules', `.trireme-living-dash-${process.pid}`);
const living = join(built, 'living-dash.js');
const secret = 'correct-horse-battery';
// oxlint-disable-next-line no-control-regex -- escapes are what this is about
const looks = /\u001B\[[\d;]*m/g;
// oxlint-disable-next-line no-control-regex -- under NO_COLOR bold, underlined and inverse are all that is left
const plainLook = /^\u001B\[[0147;]*m$/;

describe('the terminal', () => {
  let home = '';
  let env: Record<string, string> = {};

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-ui-'));
    // split, as the program is: what Ink would load for developers stays unloaded
    await build({
      entryPoints: [join(root, 'test', 'support', 'living-dash.ts')],
      outdir: built,
      bundle: true,
      splitting: true,
      platform: 'node',
      target: 'node20.19',
      format: 'esm',
      jsx: 'automatic',
      external: ['ssh2', 'cpu-features', '@aws-sdk/*', 'react-devtools-core', '@xterm/headless', '@oclif/core'],
      define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
      banner: {js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);"},
      logLevel: 'error',
    });
    env = {LIVING_ROOT: root, HOME: home, XDG_STATE_HOME: join(home, 'state'), LIVING_PID: join(home, 'pid'), LIVING_SECRET: secret};
  });
  afterAll(async () => {
    await rm(home, {recursive: true});
    await rm(built, {recursive: true, force: true});
  });

  /** A shell that says how the terminal is before and after, and the dashboard in between. */
  const open = async () => {
    const screen = openPty(
      '/bin/sh',
      ['-c', `stty -g > "$HOME/before"; "${process.execPath}" "${living}"; code=$?; stty -g > "$HOME/after"; echo "ended with $code"`],
      {
        env,
      },
    );
    await screen.shows(/NAME[^]*berth/);
    expect([screen.isAlternate(), screen.isCursorShown()]).toEqual([true, false]);
    return screen;
  };
  const signal = async (name: NodeJS.Signals) => process.kill(Number(await readFile(join(home, 'pid'), 'utf8')), name);
  const isAsBefore = async (screen: PtyScreen) => {
    await screen.exited;
    expect([screen.isAlternate(), screen.isCursorShown()]).toEqual([false, true]);
    expect(await readFile(join(home, 'after'), 'utf8')).toBe(await readFile(join(home, 'before'), 'utf8'));
    expect(screen.written().lastIndexOf('\u001B[?7h')).toBeGreaterThan(screen.written().lastIndexOf('\u001B[?7l'));
  };

  it('is as before after q', async () => {
    const screen = await open();
    screen.write('q');
    await isAsBefore(screen);
    expect(screen.text()).toContain('ended with 0');
  });

  it.each([
    ['SIGTERM', 130],
    ['SIGHUP', 130],
  ] as const)('is as before after %s', async (name, code) => {
    const screen = await open();
    await signal(name);
    await isAsBefore(screen);
    expect(screen.text()).toContain(`ended with ${code}`);
  });

  it.each([
    ['an exception in a component', 'SIGUSR2'],
    ['an error that nobody catches', 'SIGUSR1'],
  ] as const)('is as before after %s, and there is a report that names no secret', async (_what, name) => {
    const folder = join(home, 'state', 'trireme', 'bugs');
    const before = await readdir(folder).catch((): readonly string[] => []);
    const screen = await open();
    await signal(name);
    await isAsBefore(screen);
    expect(screen.text()).toContain('ended with 70');
    const reports = (await readdir(folder)).filter((file) => !before.includes(file));
    expect(reports).toHaveLength(1);
    const report = await readFile(join(folder, reports[0] ?? ''), 'utf8');
    expect(report).toContain('[redacted]');
    expect(report + screen.written()).not.toContain(secret);
  });

  it('is as before while the dashboard sleeps after Ctrl-Z, and fg brings it back', async () => {
    const screen = openPty('bash', ['--norc', '--noprofile', '-i'], {env: {...env, PS1: 'shell> '}});
    await screen.shows(/shell> /);
    screen.write(`"${process.execPath}" "${living}"\r`);
    await screen.shows(() => screen.isAlternate() && /berth/.test(screen.text()));
    screen.write('\u001A');
    await screen.shows(() => !screen.isAlternate() && /Stopped/.test(screen.text()));
    expect(screen.isCursorShown()).toBe(true);
    screen.write('stty -a | grep -o -e "-*echo " -e "-*icanon"\r');
    // lines of the answer: the words are in the question, too
    await screen.shows(/^-?icanon$[^]*^-?echo ?$/m);
    expect(screen.text()).not.toMatch(/^-(echo|icanon)/m);
    screen.write('fg\r');
    await screen.shows(() => screen.isAlternate() && /NAME[^]*berth/.test(screen.text()));
    screen.write('q');
    await screen.shows(() => !screen.isAlternate());
    screen.write('exit\r');
    await screen.exited;
  });

  it('ends with its terminal', async () => {
    const screen = await open();
    const pid = Number(await readFile(join(home, 'pid'), 'utf8'));
    screen.kill('SIGKILL'); // the shell, whose terminal goes with it
    await expect.poll(() => isAlive(pid), {timeout: 10_000}).toBe(false);
  });

  it('trireme alone is the dashboard where clusters are known, and gives the terminal back', async () => {
    const known = {name: 'harbour', mode: 'agent', files: [join(home, 'gone.yaml')], digest: '', hosts: []};
    await mkdir(join(home, 'state', 'trireme'), {recursive: true});
    await writeFile(join(home, 'state', 'trireme', 'clusters.json'), JSON.stringify({version: 1, clusters: [known]}));
    const screen = openPty(process.execPath, [program], {env: {...env, NO_COLOR: '1'}, cwd: home});
    await screen.shows(() => screen.isAlternate() && /harbour[^]*gone\.yaml/.test(screen.text()));
    expect(
      screen
        .written()
        .match(looks)
        ?.filter((look) => !plainLook.test(look)),
    ).toEqual([]);
    screen.write('q');
    expect(await screen.exited).toBe(0);
    expect([screen.isAlternate(), screen.isCursorShown()]).toEqual([false, true]);
  });

  it('a terminal that knows no cursor, and a screen reader, get plain lines', async () => {
    const screen = openPty(process.execPath, [program, 'dash'], {env: {...env, TERM: 'dumb'}, cwd: home});
    await screen.shows(/1 cluster: 1 unknown[^]*harbour is unknown/);
    // oxlint-disable-next-line no-control-regex -- not a single escape
    expect(screen.written()).not.toMatch(/\u001B/);
    screen.write('\u0003');
    expect(await screen.exited).toBe(130);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
