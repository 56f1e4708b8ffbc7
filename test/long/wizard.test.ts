// A new user's path through a terminal with only what is on the screen: questions, file, plan, apply. Both modes, in the sandbox.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {freePort, startSandbox} from '../../src/sandbox/sandbox.ts';
import {openTerminal, type TestTerminal} from '../support/terminal.ts';
import {resultOf, trireme} from '../support/trireme.ts';
import {agentPath, controllerPath} from '../support/wizard-paths.ts';
import {answerAll, asks} from '../support/wizard.ts';

describe('a new user', () => {
  let home = '';
  let terminal: TestTerminal;
  const shell = (...args: readonly string[]) =>
    openTerminal(['sandbox', 'shell', '--bare', ...args], {env: {HOME: home, SHELL: '/bin/sh', PS1: 'prompt> '}, columns: 120, rows: 40, patience: 90_000});

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-wizard-'));
  });
  afterEach(async () => {
    await terminal.close();
    await rm(home, {recursive: true, force: true});
  });

  it('gets from an empty folder and two hosts to a cluster that is Ready', async () => {
    terminal = shell('--control-planes', '1', '--workers', '1');
    await terminal.shows('Begin with: trireme init');
    const started = Date.now();
    const before = terminal.presses;
    terminal.type('trireme init\n');
    await answerAll(terminal, agentPath);
    await terminal.shows(/Plan: 2 new/);
    await asks(terminal, /Apply this to harbour\?/);
    terminal.key('y', 'enter');
    await terminal.shows(/SIMULATED ✔ harbour: apply succeeded/);
    process.stdout.write(
      `agent mode: ${agentPath.length + 1} questions, ${terminal.presses - before} keys, ${((Date.now() - started) / 1000).toFixed(1)} s with the run\n`,
    );
    terminal.type('trireme status\n');
    await terminal.shows(/healthy/);
    // what was asked, and what the printed flags say, is the same file
    terminal.type('cp trireme.yaml asked.yaml; rm trireme.yaml\n');
    const flags = /any:\n\s+(trireme init .*)/.exec(terminal.text())?.[1];
    terminal.type(`${flags} > /dev/null && cmp trireme.yaml asked.yaml && echo same-bytes-$((20+22))\n`);
    await terminal.shows('same-bytes-42');
    terminal.type('exit\n');
    expect(await terminal.exited).toBe(0);
  }, 180_000);

  it('gets from a management cluster to a cluster that is there', async () => {
    terminal = shell('--mode', 'controller');
    await terminal.shows('Begin with: trireme init');
    const started = Date.now();
    const before = terminal.presses;
    terminal.type('trireme init\n');
    await answerAll(terminal, controllerPath);
    await asks(terminal, /Apply this to harbour\?/);
    terminal.key('y', 'enter');
    await terminal.shows(/SIMULATED ✔ harbour: apply succeeded/);
    process.stdout.write(
      `controller mode: ${controllerPath.length + 1} questions, ${terminal.presses - before} keys, ${((Date.now() - started) / 1000).toFixed(1)} s with the run\n`,
    );
    terminal.type('cat trireme.yaml; cp trireme.yaml asked.yaml; rm trireme.yaml\n');
    await terminal.shows('machineSize: medium');
    const flags = /any:\n\s+(trireme init .*)/.exec(terminal.text())?.[1];
    terminal.type(`${flags} > /dev/null && cmp trireme.yaml asked.yaml && echo same-bytes-$((20+22))\n`);
    await terminal.shows('same-bytes-42');
    terminal.type('exit\n');
    expect(await terminal.exited).toBe(0);
  }, 180_000);

  it.each([
    ['agent', ['--control-planes', '1', '--workers', '1'], agentPath],
    ['controller', ['--mode', 'controller'], controllerPath],
  ] as const)(
    'leaves with Ctrl-C at each question of %s mode, and goes on with --resume',
    async (_mode, args, path) => {
      terminal = shell(...args);
      await terminal.shows('Begin with: trireme init');
      terminal.type('trireme init --no-apply\n');
      for (const [question, deed] of path) {
        await asks(terminal, question);
        terminal.key('ctrl-c');
        await terminal.shows('Go on where you were: trireme init --resume');
        terminal.type('clear\n');
        await terminal.shows((text) => !text.includes('Go on where you were'));
        terminal.type('trireme init --resume --no-apply\n');
        await asks(terminal, question);
        await answerAll(terminal, [[question, deed]]);
      }
      await terminal.shows('Wrote trireme.yaml for cluster harbour.');
      terminal.type('trireme validate; ls -l $XDG_STATE_HOME/trireme/init\n');
      await terminal.shows('total 0');
      terminal.type('exit\n');
      expect(await terminal.exited).toBe(0);
    },
    180_000,
  );

  it('leaves with Ctrl-C before the run, and is asked again with --resume', async () => {
    terminal = shell('--mode', 'controller');
    await terminal.shows('Begin with: trireme init');
    terminal.type('trireme init\n');
    await answerAll(terminal, controllerPath);
    await asks(terminal, /Apply this to harbour\?/);
    terminal.key('ctrl-c');
    await terminal.shows('trireme.yaml is written; nothing was applied.');
    terminal.type('clear\n');
    await terminal.shows((text) => !text.includes('nothing was applied'));
    terminal.type('trireme init --resume\n');
    await asks(terminal, /Apply this to harbour\?/);
    terminal.key('n', 'enter');
    await terminal.shows('Nothing was applied. Later: trireme apply');
    terminal.type('exit\n');
    expect(await terminal.exited).toBe(0);
  }, 120_000);
});

it('does the same from flags without a terminal: trusts, writes, plans and applies', async () => {
  const sandbox = await startSandbox({controlPlanes: 1, workers: 0, bare: true});
  try {
    const answers = ['--name', 'pier', '--control-plane', 'cp1=cp1', '--distribution', 'simulated', '--endpoint', `127.0.0.1:${await freePort()}`];
    const ran = await trireme(['init', ...answers, '--sudo-password-file', '../sudo-password', '--trust', '--apply', '-o', 'json'], {
      cwd: sandbox.cwd as string,
      env: {HOME: sandbox.folder, ...sandbox.env},
    });
    expect(ran.code, ran.stderr).toBe(0);
    expect(resultOf(ran)).toEqual({file: 'trireme.yaml', cluster: 'pier', files: ['trireme.yaml'], applied: true});
    expect(ran.stderr).toMatch(/recorded: cp1 .*SHA256:/);
  } finally {
    await sandbox.stop();
  }
}, 120_000);
