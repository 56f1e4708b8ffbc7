// A new user's whole way with only what is on the screen: `trireme` alone opens the wizard; after it the cluster is made before one's eyes, and `trireme`
// alone opens the dashboard, which says Ready. Both modes, in the sandbox.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openTerminal, type TestTerminal} from '../support/terminal.ts';
import {agentPath, controllerPath} from '../support/wizard-paths.ts';
import {answerAll, asks} from '../support/wizard.ts';

describe('a new user', () => {
  let home = '';
  let terminal: TestTerminal;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-path-'));
  });
  afterEach(async () => {
    await terminal.close();
    await rm(home, {recursive: true, force: true});
  });

  it.each([
    {
      mode: 'agent',
      args: ['--control-planes', '1', '--workers', '1'],
      path: agentPath,
      run: /Join|kubelet|cp1/,
      ready: /harbour\s+✔ healthy\s+agent\s.*1\/1\s+1\/1/,
    },
    {
      mode: 'controller',
      args: ['--mode', 'controller'],
      path: controllerPath,
      run: /control plane/i,
      ready: /harbour\s+✔ healthy\s+controller\s.*1\/1\s+\d\/\d/,
    },
  ])(
    'gets in $mode mode from nothing to a cluster that the dashboard shows Ready',
    async ({mode, args, path, run, ready}) => {
      terminal = openTerminal(['sandbox', 'shell', '--bare', ...args], {
        env: {HOME: home, SHELL: '/bin/sh', PS1: 'prompt> '},
        columns: 120,
        rows: 40,
        patience: 120_000,
      });
      await terminal.shows('Begin with: trireme');
      const started = Date.now();
      const before = terminal.presses;
      terminal.type('trireme\n');
      await answerAll(terminal, path);
      await asks(terminal, /Apply this to harbour\?/);
      terminal.key('y', 'enter');
      await terminal.shows(run);
      await terminal.shows(/SIMULATED ✔ harbour: apply succeeded/);
      const applied = Date.now();
      terminal.type('trireme\n');
      await terminal.shows(() => terminal.isAlternate());
      await terminal.shows(ready, {visible: true});
      expect(terminal.screen()).toContain('SIMULATED');
      const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
      process.stdout.write(
        `${mode} mode: ${path.length + 1} questions, ${terminal.presses - before} keys; ${seconds(started, applied)} s to the end of the run, ${seconds(applied, Date.now())} s until the dashboard showed it Ready\n`,
      );
      // its run is found again
      terminal.type(':history');
      terminal.key('enter');
      await terminal.shows(/Fleet → History[^]*❯ \d{8}-\d{6}-\S+\s+harbour\s+apply\s+succeeded/, {visible: true});
      terminal.key('escape');
      await terminal.shows(/❯ harbour/, {visible: true});
      terminal.key('q');
      await terminal.shows(() => !terminal.isAlternate());
      terminal.type('exit\n');
      expect(await terminal.exited).toBe(0);
    },
    300_000,
  );
});
