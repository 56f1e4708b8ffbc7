import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {simulatedFactsPath} from '../../../src/hosts/facts-script.ts';
import {startTestSandbox, type TestSandbox} from '../../support/sandbox-run.ts';

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await startTestSandbox({controlPlanes: 1, workers: 1});
});
afterAll(() => sandbox.stop());

/** Changes what a simulated host says of itself, for one test. */
async function withFacts<T>(host: string, change: object, work: () => Promise<T>): Promise<T> {
  const path = join(sandbox.hosts.find(({name}) => name === host)?.root ?? '', simulatedFactsPath);
  const before = await readFile(path, 'utf8');
  await writeFile(path, JSON.stringify({...(JSON.parse(before) as object), ...change}));
  try {
    return await work();
  } finally {
    await writeFile(path, before);
  }
}

const sick = {cgroup: {version: 1, controllers: ['cpu', 'cpuset', 'memory', 'pids']}, swapOn: true, swaps: ['/dev/zram0']};

describe('preflight', () => {
  it('passes healthy hosts with exit 0, and says that they are simulated', async () => {
    const ran = await sandbox.trireme(['preflight', '--no-color']);
    expect(ran).toMatchObject({code: 0, stdout: expect.stringMatching(/^SIMULATED \d\d checks on 2 hosts: 0 errors, 0 warnings\n$/)});
  });

  it('ends with 10 and tells observed, wanted and remedy by host', async () => {
    const ran = await withFacts('cp1', sick, () => sandbox.trireme(['preflight', '--no-color', '--ascii']));
    expect(ran.code).toBe(10);
    expect(ran.stdout).toMatch(/^cp1\n {2}x cgroup-v2 +cgroup v1\n {4}wanted: cgroup v2\n {4}-> add systemd\.unified_cgroup_hierarchy=1/m);
    expect(ran.stdout).toMatch(/^ {2}x swap +on: \/dev\/zram0$/m);
    expect(ran.stdout).not.toMatch(/^w1$/m);
    expect(ran.stderr).toContain('found 2 errors: cgroup-v2, swap');
  });

  it('takes ignored errors for warnings that still show, and runs only what is asked for', async () => {
    const ran = await withFacts('cp1', sick, () => sandbox.trireme(['preflight', '--only', 'cgroup-v2', '--ignore', 'cgroup-v2', '-o', 'json']));
    expect(ran.code).toBe(0);
    const {result} = JSON.parse(ran.stdout) as {result: {checks: number; ignored: number; results: {host: string; status: string}[]}};
    expect(result).toMatchObject({checks: 1, errors: 0, warnings: 1, ignored: 1});
    expect(result.results.filter(({status}) => status !== 'ok')).toMatchObject([{host: 'cp1', status: 'warning', ignored: true}]);
  });

  it('prints JUnit XML with nothing else on stdout', async () => {
    const ran = await withFacts('cp1', sick, () => sandbox.trireme(['preflight', '-o', 'junit']));
    expect(ran.code).toBe(10);
    expect(ran.stdout).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="trireme preflight harbour \(SIMULATED\)"[\s\S]*<\/testsuites>\n$/,
    );
    expect(ran.stdout).toContain('<failure type="cgroup-v2" message="cgroup v1">');
  });

  it('refuses an unknown check with exit 2', async () => {
    const ran = await sandbox.trireme(['preflight', '--only', 'cgroups']);
    expect(ran).toMatchObject({code: 2, stdout: ''});
    expect(ran.stderr).toMatch(/no preflight check has that id/);
  });
});

describe('host', () => {
  it('list reads the file only, and limits', async () => {
    const ran = await sandbox.trireme(['host', 'list', '--limit', 'role=control-plane', '-o', 'name']);
    expect(ran).toMatchObject({code: 0, stdout: 'cp1\n'});
  });

  it('facts shows one host, in JSON all of it', async () => {
    const ran = await sandbox.trireme(['host', 'facts', 'cp1', '-o', 'json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ok: true,
      result: {host: 'cp1', simulated: true, facts: {hostname: 'cp1', cpus: 4, sudo: {root: true, passwordRequired: true}}},
    });
    const text = await sandbox.trireme(['host', 'facts', 'cp1', '--no-color']);
    expect(text.stdout).toMatch(/^host +cp1 \(SIMULATED\)$/m);
  });

  it('check gives each host a line, and one that is away its own code and remedy while the others go on', async () => {
    const w1 = sandbox.hosts.find(({name}) => name === 'w1');
    await w1?.server.close();
    const ran = await sandbox.trireme(['host', 'check', '-o', 'json']);
    expect(ran.code).toBe(4);
    const {result, problem} = JSON.parse(ran.stdout) as {result: {hosts: unknown[]}; problem: unknown};
    expect(result.hosts).toMatchObject([
      {host: 'cp1', ok: true},
      {host: 'w1', ok: false, remedy: expect.stringMatching(/./), problem: {code: 'host.port-closed', exit: 4}},
    ]);
    expect(problem).toMatchObject({host: 'w1'});
  });
});
