// The program on a real terminal: what a person sees, and types.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {spawn, type IPty} from '@lydell/node-pty';
import xterm from '@xterm/headless';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startSandbox, type Sandbox} from '../../../src/sandbox/sandbox.ts';
import {program} from '../../support/trireme.ts';

interface Screen {
  readonly pty: IPty;
  readonly exited: Promise<number>;
  /** The lines now on the screen. */
  text(): string;
  /** Resolves once the screen matches; rejects with what is on it when the program ends without. */
  shows(pattern: RegExp): Promise<void>;
}

describe('on a terminal', () => {
  let sandbox: Sandbox;
  let home = '';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-tty-'));
    sandbox = await startSandbox({controlPlanes: 1, workers: 0});
  });
  afterAll(async () => {
    await sandbox.stop();
    await rm(home, {recursive: true});
  });

  function open(...args: readonly string[]): Screen {
    const terminal = new xterm.Terminal({cols: 100, rows: 30, allowProposedApi: true});
    const pty = spawn(process.execPath, [program, ...args], {
      cols: 100,
      rows: 30,
      env: {PATH: process.env['PATH'], HOME: home, TERM: 'xterm', LANG: 'C.UTF-8', CI: 'false', ...sandbox.env},
    });
    const listeners = new Set<() => void>();
    pty.onData((data) => terminal.write(data, () => listeners.forEach((listener) => listener())));
    const exited = new Promise<number>((resolve) => pty.onExit(({exitCode}) => terminal.write('', () => resolve(exitCode))));
    const text = () =>
      Array.from({length: terminal.buffer.active.length}, (_, row) => terminal.buffer.active.getLine(row)?.translateToString(true) ?? '')
        .join('\n')
        .trimEnd();
    const shows = (pattern: RegExp) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!pattern.test(text())) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void exited.then(() => (pattern.test(text()) ? resolve() : reject(new Error(`ended without ${pattern}:\n${text()}`))));
      });
    return {pty, exited, text, shows};
  }

  it('apply shows the plan, asks, and takes no for an answer', async () => {
    const screen = open('apply');
    await screen.shows(/\+ cp1 \(control-plane\): new/);
    await screen.shows(/Apply this to harbour\?.*\(y\/N\)/);
    screen.pty.write('n\r');
    expect(await screen.exited).toBe(5);
    expect(screen.text()).toContain('The answer is no; nothing was changed.');
  });

  it('Ctrl-C in a question is an interruption, not a bug', async () => {
    const screen = open('apply');
    await screen.shows(/Apply this to harbour\?/);
    screen.pty.write('\u0003');
    expect(await screen.exited).toBe(130);
    expect(screen.text()).not.toContain('bug');
  });

  it('apply draws one block while it runs and leaves the summary', async () => {
    const screen = open('apply', '--yes');
    await screen.shows(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    expect(await screen.exited, screen.text()).toBe(0);
    expect(screen.text()).toMatch(/SIMULATED ✔ harbour: apply succeeded/);
    expect(screen.text()).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
  }, 90_000);

  it('host shell is a shell', async () => {
    const screen = open('host', 'shell', 'cp1');
    // the simulated host has no terminal of its own, which would make a newline of the return key
    screen.pty.write('echo sum-$((20+22))\n');
    await screen.shows(/sum-42/);
    screen.pty.write('exit 0\n');
    expect(await screen.exited).toBe(0);
  });
});
