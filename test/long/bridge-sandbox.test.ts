// The dashboard on the living sandbox fleet (SIMULATED): it opens at once, things happen by themselves, an action really acts, and nothing is left
// behind, also when it is killed.
import {mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openTerminal, type TestTerminal} from '../support/terminal.ts';

describe('sandbox dash', () => {
  let home: string;
  let terminal: TestTerminal;
  const open = () => openTerminal(['sandbox', 'dash'], {env: {HOME: home, TMPDIR: home}, columns: 120, rows: 36, patience: 120_000});
  /** What is left of the sandbox: its folder is made in $TMPDIR. */
  const left = async () => (await readdir(home)).filter((name) => name.startsWith('trireme-'));

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 't-'));
  });
  afterEach(async () => {
    await terminal.close();
    await rm(home, {recursive: true, force: true, maxRetries: 5, retryDelay: 200});
  });

  it('shows clusters of both modes, one that is upgraded and one that is broken, scales one, and leaves nothing', async () => {
    const started = Date.now();
    terminal = open();
    await terminal.shows(/harbour\s.*controller[^]*quay\s.*agent/, {visible: true});
    process.stdout.write(`the first screen after ${((Date.now() - started) / 1000).toFixed(1)} s`);
    await terminal.shows(/lagoon\s.*upgrading to v1\.35/, {visible: true});
    await terminal.shows(/reef\s+✖ degraded/, {visible: true});
    await terminal.shows(/harbour\s+✔ healthy.* 1\/1\s+2\/2/, {visible: true});
    await terminal.shows(/quay\s+✔ healthy\s+agent.* 1\/1\s+2\/2/, {visible: true});
    process.stdout.write(`, everything of it after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
    expect(terminal.screen()).toContain('SIMULATED');
    terminal.key('/');
    terminal.type('harbour');
    terminal.key('enter');
    await terminal.shows(/❯ harbour/, {visible: true});
    terminal.key('=');
    await terminal.shows(/control-plane=1 workers=2/, {visible: true});
    terminal.key('\u0015');
    terminal.type('control-plane=1 workers=3');
    terminal.key('enter');
    await terminal.shows(/y scale/, {visible: true});
    terminal.key('y');
    await terminal.shows(/✔ scale harbour .*succeeded in/, {visible: true});
    terminal.key('escape');
    await terminal.shows(/harbour\s+✔ healthy.* 1\/1\s+3\/3/, {visible: true});
    terminal.key('q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.isAlternate()).toBe(false);
    expect(await left()).toEqual([]);
  }, 300_000);

  it('leaves nothing when it is killed', async () => {
    terminal = open();
    await terminal.shows(/lagoon\s/, {visible: true});
    const [folder] = await left();
    expect(folder).toBeDefined();
    process.kill(terminal.pty.pid, 'SIGKILL');
    await terminal.exited;
    await expect.poll(left, {timeout: 20_000, interval: 200}).toEqual([]);
  }, 120_000);
});
