// The program on a real terminal: what a person sees, and types.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startSandbox, type Sandbox} from '../../../src/sandbox/sandbox.ts';
import {openTerminal} from '../../support/terminal.ts';

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

  const open = (...args: readonly string[]) => openTerminal(args, {env: {HOME: home, ...sandbox.env}});

  it('apply shows the plan, asks, and takes no for an answer', async () => {
    const screen = open('apply');
    await screen.shows(/\+ cp1 \(control-plane\): new/);
    await screen.shows(/Apply this to harbour\?.*\(y\/N\)/);
    screen.key('n', 'enter');
    expect(await screen.exited).toBe(5);
    expect(screen.text()).toContain('The answer is no; nothing was changed.');
  });

  it('Ctrl-C in a question is an interruption, not a bug', async () => {
    const screen = open('apply');
    await screen.shows(/Apply this to harbour\?/);
    screen.key('ctrl-c');
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
    screen.type('echo sum-$((20+22))\n');
    await screen.shows(/sum-42/);
    screen.type('exit 0\n');
    expect(await screen.exited).toBe(0);
  });
});
