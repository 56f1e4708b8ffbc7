// Program and agents of different releases: whoever is newer brings agents up to date; whoever is older looks, and is refused with the reason before it
// would take them back or speak of what it doesn't know. Other releases are built from these very sources. SIMULATED hosts.
import {cp, mkdtemp, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {exec} from '../../src/kernel/exec.ts';
import {programVersion} from '../../src/hostcluster/program.ts';
import {protocol} from '../../src/hostcluster/protocol.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {program} from '../support/trireme.ts';

const root = dirname(dirname(program));
const own = programVersion();

interface Said {
  readonly code: number;
  readonly stderr: string;
  readonly result: Record<string, unknown> | null;
  readonly problem?: {readonly code: string; readonly message: string; readonly hints: readonly string[]};
}

/** A package as it would be installed, of another release; with another protocol its program is bundled anew, too. */
async function release(folder: string, version: string, speaks: number): Promise<string> {
  const parts = ['src', 'bin', 'scripts', 'schema', 'dist', 'oclif.manifest.json', 'tsconfig.json'];
  for (const part of parts) await cp(join(root, part), join(folder, part), {recursive: true});
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  const description = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
  await writeFile(join(folder, 'package.json'), JSON.stringify({...description, version}));
  const file = join(folder, 'src/hostcluster/protocol.ts');
  const text = await readFile(file, 'utf8');
  expect(text).toContain(`export const protocol = ${protocol};`);
  await writeFile(file, text.replace(`export const protocol = ${protocol};`, `export const protocol = ${speaks};`));
  for (const bundler of speaks === protocol ? ['bundle-agent.mjs'] : ['bundle-agent.mjs', 'bundle-program.mjs']) {
    const built = await exec(process.execPath, [join(folder, 'scripts', bundler), ...(bundler === 'bundle-program.mjs' ? [join(folder, 'dist')] : [])], {
      deadline: 180_000,
      cwd: folder,
      env: process.env,
    });
    expect(built.code, built.stderr).toBe(0);
  }
  return folder;
}

describe('program and agents of different releases', {timeout: 600_000}, () => {
  let sandbox: TestSandbox;
  let folder: string;
  let newer: string;
  let next: string;

  const run = async (from: string, ...args: readonly string[]): Promise<Said> => {
    const ran = await exec(process.execPath, [join(from, 'bin/run.js'), ...args, '-o', 'json'], {
      deadline: 300_000,
      cwd: sandbox.home,
      env: {PATH: process.env['PATH'], HOME: sandbox.home, ...sandbox.env},
    });
    const envelope = JSON.parse(ran.stdout) as Pick<Said, 'result' | 'problem'>;
    return {code: ran.code, stderr: ran.stderr, result: envelope.result, ...(envelope.problem === undefined ? {} : {problem: envelope.problem})};
  };
  /** The version of each agent, in the hosts' own words. */
  const agents = () =>
    Promise.all(sandbox.hosts.map(async (host) => (JSON.parse(await readFile(join(host.root, 'var/lib/trireme/seen.json'), 'utf8')) as {version: string}).version));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-releases-'));
    sandbox = await startTestSandbox({controlPlanes: 1, workers: 1});
    newer = await release(join(folder, 'newer'), '7.1.0', protocol);
    next = await release(join(folder, 'next'), '8.0.0', protocol + 1);
  });
  afterAll(async () => {
    await sandbox?.stop();
    await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200});
  });

  it('a newer program looks at older agents as they are, and brings them up to date', async () => {
    expect((await run(root, 'apply', '--yes')).code).toBe(0);
    expect(await agents()).toEqual([own, own]);
    expect((await run(newer, 'status')).result).toMatchObject({health: 'healthy'});
    expect((await run(newer, 'plan', '--exit-code')).code).toBe(9);
    expect(await agents()).toEqual([own, own]);
    const ran = await run(newer, 'agent', 'upgrade', '--yes');
    expect(ran.code, ran.stderr).toBe(0);
    expect(await agents()).toEqual(['7.1.0', '7.1.0']);
    // what is wanted names the program that asked for it
    expect((await run(newer, 'plan')).result).toMatchObject({
      hosts: ['cp1', 'w1'].map((host) => ({host, effect: 'none', changes: [{path: 'program', from: own, to: '7.1.0', effect: 'none'}]})),
    });
    expect((await run(newer, 'apply', '--yes')).code).toBe(0);
    expect((await run(newer, 'plan', '--exit-code')).code).toBe(0);
  });

  it('an older program looks at newer agents, and is refused before it would take them back', async () => {
    expect((await run(root, 'status')).result).toMatchObject({health: 'healthy'});
    expect((await run(root, 'cluster', 'kubeconfig')).code).toBe(0);
    for (const args of [['plan'], ['apply', '--yes'], ['agent', 'upgrade', '--yes']]) {
      const ran = await run(root, ...args);
      expect([args, ran.problem?.code, ran.problem?.message]).toEqual([args, 'agent.incompatible', expect.stringContaining(`is 7.1.0, this program is the older ${own}`)]);
      expect(ran.problem?.hints.join(' ')).toContain('trireme 7.1.0 or newer');
    }
    expect(await agents()).toEqual(['7.1.0', '7.1.0']);
  });

  it('a program that speaks a newer protocol says what to do, and apply does it', async () => {
    const looked = await run(next, 'status');
    expect([looked.code, looked.problem?.message]).toEqual([4, expect.stringContaining(`(7.1.0) speaks protocol ${protocol}, this program speaks ${protocol + 1}: trireme apply brings it up to date`)]);
    const ran = await run(next, 'apply', '--yes');
    expect(ran.code, ran.stderr).toBe(0);
    expect(await agents()).toEqual(['8.0.0', '8.0.0']);
    expect((await run(next, 'plan', '--exit-code')).code).toBe(0);
    expect((await run(next, 'status')).result).toMatchObject({health: 'healthy'});
  });

  it('a program that speaks an older protocol is refused with the reason, and touches nothing', async () => {
    for (const args of [['plan'], ['apply', '--yes'], ['agent', 'upgrade', '--yes']]) {
      const ran = await run(root, ...args);
      expect([args, ran.problem?.code, ran.problem?.message]).toEqual([
        args,
        'agent.incompatible',
        expect.stringContaining(`(8.0.0) speaks protocol ${protocol + 1}, this program speaks ${protocol}`),
      ]);
      expect(ran.problem?.hints.join(' ')).toContain('newer trireme');
    }
    const looked = await run(root, 'status');
    expect([looked.code, looked.problem?.message]).toEqual([4, expect.stringContaining(`speaks protocol ${protocol + 1}, this program speaks ${protocol}: use trireme 8.0.0 or newer`)]);
    expect(await agents()).toEqual(['8.0.0', '8.0.0']);
  });
});
