// The wizard on a real terminal, and init without one: what a person sees, what is written, and what never is.
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startSandbox, type Sandbox} from '../../../src/sandbox/sandbox.ts';
import {openTerminal} from '../../support/terminal.ts';
import {resultOf, trireme} from '../../support/trireme.ts';
import {answerAll, asks, enter, pick, write} from '../../support/wizard.ts';

let sandbox: Sandbox;
let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'trireme-wizard-'));
  sandbox = await startSandbox({controlPlanes: 1, workers: 1, bare: true});
});
afterAll(async () => {
  await sandbox.stop();
  await rm(home, {recursive: true});
});

const environment = () => ({HOME: home, ...sandbox.env});
const cwd = () => join(sandbox.folder, 'harbour');
const run = (args: readonly string[]) => trireme(args, {cwd: cwd(), env: environment()});

describe('the wizard', () => {
  it('asks with a way back, says what is wrong at once, writes no secret, and the same file as its flags', async () => {
    const terminal = openTerminal(['init', '--no-apply'], {cwd: cwd(), env: environment(), rows: 24, columns: 80});
    await asks(terminal, /Which mode\?/);
    await terminal.shows(/OS mutability +mutable/);
    terminal.key('enter');
    await asks(terminal, /What is the cluster called\?/);
    terminal.type('Not A Name');
    terminal.key('enter');
    await terminal.shows(/> .*"Not A Name": a name has lower-case letters/);
    terminal.key('escape');
    await terminal.shows((text) => !text.includes('What is the cluster called?'));
    await answerAll(terminal, [
      [/Which mode\?/, enter],
      [/What is the cluster called\?/, enter],
      [/Which hosts are control planes\?/, pick('space')],
      [/Which hosts are workers\?/, pick('space')],
      [/Change anything else\?/, enter],
      [/Trust these hosts/, pick('y')],
      [/Where does sudo's password come from\?/, enter],
      [/Which file holds the password\?/, write('../sudo-password')],
      [/Where is the Kubernetes API reached\?/, enter],
      [/Which version of Kubernetes\?/, enter],
    ]);
    await terminal.shows('Wrote trireme.yaml for cluster harbour.');
    expect(await terminal.exited).toBe(0);
    const asked = await readFile(join(cwd(), 'trireme.yaml'), 'utf8');
    const password = (await readFile(join(sandbox.folder, 'sudo-password'), 'utf8')).trim();
    expect(asked).toContain('distribution: simulated');
    expect(asked).toContain('sudo: {password: {fromFile: ../sudo-password}}');
    expect(asked + terminal.raw).not.toContain(password);
    expect(await readdir(join(sandbox.env['XDG_STATE_HOME'] ?? '', 'trireme/init'))).toEqual([]);

    const words = /any:\n\s+trireme init (.*)/.exec(terminal.text())?.[1]?.split(' ') ?? [];
    expect((await run(['init', '-f', 'flags.yaml', ...words])).code).toBe(0);
    expect(await readFile(join(cwd(), 'flags.yaml'), 'utf8')).toBe(asked);
  }, 60_000);
});

it('asks without colours and in ASCII where that is wanted', async () => {
  const terminal = openTerminal(['init', '--ascii', '-f', 'plain.yaml', '--mode', 'agent'], {cwd: cwd(), env: {...environment(), NO_COLOR: '1'}});
  await asks(terminal, /What is the cluster called\?/);
  terminal.key('enter');
  await asks(terminal, /Which hosts are control planes\?/);
  terminal.key('space', 'ctrl-c');
  expect(await terminal.exited).toBe(130);
  expect(terminal.text()).toContain('Go on where you were: trireme init --resume -f plain.yaml');
  // oxlint-disable-next-line no-control-regex -- colours are escapes
  expect(terminal.raw).not.toMatch(/\u001B\[[\d;]*m/);
  // oxlint-disable-next-line no-control-regex -- what isn't ASCII is meant
  expect(terminal.text()).not.toMatch(/[^\u0000-\u007f]/);
});

describe('init without a terminal', () => {
  it('names everything that is missing and ends with 2 before any work', async () => {
    const ran = await run(['init', '-f', 'none.yaml', '--mode', 'agent', '-o', 'json']);
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toMatchObject({problem: {code: 'usage.answer-required', details: {missing: [{flag: '--name NAME'}, {}, {}]}}});
    expect(await readdir(cwd())).not.toContain('none.yaml');
  });

  it('takes the mode that the advisor recommends from its answers', async () => {
    const ran = await run(['init', '-f', 'none.yaml', '--machines', 'api', '--credentials', 'yes']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('--class');
  });

  it('writes a pod network beside the file, and leaves one alone that somebody changed', async () => {
    const args = ['init', '-f', 'net.yaml', '--name', 'berth', '--control-plane', 'h1=10.0.0.11', '--cni', 'flannel', '-o', 'json'];
    const ran = await run(args);
    expect(resultOf(ran)).toEqual({
      file: 'net.yaml',
      cluster: 'berth',
      files: ['net.yaml', 'flannel/profile.yaml', 'flannel/kube-flannel.yaml'],
      applied: false,
    });
    const other = await run([...args.slice(0, 2), 'other.yaml', ...args.slice(3), '--pods', '10.9.0.0/16']);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('flannel/kube-flannel.yaml is there already')]);
  });
});

describe('advise', () => {
  it('recommends with reasons, and names what is missing with exit code 2', async () => {
    const [settled, open] = await Promise.all([run(['advise', '--machines', 'existing', '--system', 'own', '--boot', 'measured']), run(['advise'])]);
    expect(settled.code).toBe(0);
    expect(settled.stdout).toContain('agent mode fits best.');
    expect(settled.stdout).toContain('Give up Trusted Boot');
    expect([open.code, open.stderr]).toEqual([2, expect.stringContaining('--machines existing|api|medium')]);
  });
});
