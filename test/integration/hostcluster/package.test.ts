// The agent without a push: installed by a script, and baked into a root file system. The hosts are simulated, script, agent and systemd's part are not.
import {execFile, execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {mkdir, readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {digestOf} from '../../../src/kernel/digest.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import type {Architecture} from '../../../src/hostcluster/facts.ts';
import {writeImageTar, writeInstallScript, type AgentPackage} from '../../../src/hostcluster/package.ts';
import {agentProgram, FileDigests} from '../../../src/hostcluster/program.ts';
import {agentPaths, type AgentState, type Enrolment} from '../../../src/hostcluster/protocol.ts';
import {buildAgent} from '../../support/agent-bundle.ts';
import {createBench, type Bench} from '../../support/simulated-host.ts';
import {wantedFixture} from '../../unit/agentd/agentd-fixture.ts';

const bytes = Buffer.from('a program that the host needs\n');
const digest = digestOf(bytes);
const architecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

describe.skipIf(process.platform !== 'linux')('an agent by script and by image (Linux only: it needs sha256sum)', {timeout: 60_000}, () => {
  let bench: Bench;
  let parts: AgentPackage;

  beforeAll(async () => {
    await buildAgent();
    bench = await createBench();
    const digests = new FileDigests();
    // stands for the runtime: 100 MB would be copied and read over and over
    const runtime = join(bench.folder, 'node');
    await writeFile(runtime, `#!/bin/sh\nexec ${process.execPath} "$@"\n`, {mode: 0o755});
    parts = {
      version: '0.0.0-test',
      architecture,
      root: '/opt/trireme',
      program: await agentProgram(digests),
      runtime: await digests.of(runtime),
      content: [{digest, size: bytes.length, stream: () => Readable.from([bytes])}],
      enrolment: enrolment('w1'),
    };
  });
  afterAll(async () => {
    await bench?.stop();
  });

  const enrolment = (name: string, id = '0011223344556677'): Enrolment => ({
    kind: 'TriremeEnrolment',
    wanted: wantedFixture({
      cluster: {name: 'berth', id},
      role: 'worker',
      bootstrap: false,
      distribution: 'simulated',
      node: {name, addresses: ['192.0.2.9'], labels: {}},
      endpoint: {host: '127.0.0.1', port: 1},
      content: [{name: 'tool', kind: 'binary', digest, size: bytes.length}],
    }),
    secrets: {ca: {certificate: 'the CA'}, bootstrapToken: 'abcdef.0123456789abcdef'},
  });
  const run = (host: {readonly root: string}, script: string) =>
    new Promise<{readonly code: number; readonly stdout: string; readonly stderr: string}>((resolve) => {
      const env = {TRIREME_ROOT: host.root, HOME: bench.home, PATH: `${join(host.root, '../bin')}:${process.env['PATH'] ?? ''}`};
      execFile('/bin/sh', [script], {env}, (error, stdout, stderr) => resolve({code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr}));
    });
  const seen = async (host: {readonly root: string}) => {
    const text = await readFile(join(host.root, agentPaths.seen), 'utf8').catch(() => '{}');
    return JSON.parse(text) as Partial<AgentState>;
  };

  it('installs what it carries and enrols the host; run again it changes nothing', async () => {
    const host = await bench.start('w1');
    const script = join(bench.folder, 'w1.sh');
    await writeInstallScript(script, parts);
    expect((await stat(script)).mode & 0o777).toBe(0o700);
    const first = await run(host, script);
    expect(first, first.stderr).toMatchObject({code: 0, stdout: expect.stringMatching(/answers\nenrolled\n$/)});
    const taken = async () => ((await seen(host)).reconcilers?.some((one) => one.name === 'content' && one.status === 'done') === true ? true : undefined);
    expect(await waitFor(taken, {timeout: 20_000, interval: 100})).toBe(true);
    expect((await seen(host)).wanted?.node.name).toBe('w1');
    expect((await stat(join(host.root, agentPaths.secrets))).mode & 0o777).toBe(0o600);
    // nothing of the secrets stays behind where it was unpacked
    expect((await readdir(join(host.root, agentPaths.state))).filter((name) => name.startsWith('package'))).toEqual([]);
    const second = await run(host, script);
    expect(second).toMatchObject({code: 0, stdout: expect.stringMatching(/answers\nunchanged\n$/)});
    expect(second.stdout).not.toContain('started');
    // the places of the push, so that a later apply over SSH finds its own
    expect(JSON.parse(readFileSync(join(host.root, '/opt/trireme/current/digests.json'), 'utf8'))).toEqual({
      program: parts.program.digest,
      runtime: parts.runtime.digest,
    });

    const foreign = join(bench.folder, 'foreign.sh');
    await writeInstallScript(foreign, {...parts, content: [], enrolment: enrolment('w1', '8899aabbccddeeff')});
    expect(await run(host, foreign)).toMatchObject({code: 1, stderr: expect.stringContaining('belongs to the cluster berth')});
  });

  it('changes nothing when it is damaged, and refuses a host of another architecture', async () => {
    const host = await bench.start('w2');
    const script = join(bench.folder, 'w2.sh');
    await writeInstallScript(script, parts);
    const whole = await readFile(script);
    whole[whole.length >> 1]! ^= 1;
    await writeFile(script, whole);
    expect(await run(host, script)).toMatchObject({code: 1, stderr: expect.stringContaining('This script is damaged')});
    await writeInstallScript(script, {...parts, architecture: architecture === 'amd64' ? 'arm64' : 'amd64', content: []});
    expect(await run(host, script)).toMatchObject({code: 3, stderr: expect.stringContaining('hosts, and this host is')});
    expect(existsSync(join(host.root, '/opt/trireme'))).toBe(false);
    expect(existsSync(join(host.root, agentPaths.content))).toBe(false);
  });

  it('starts from an image with the host, takes its enrolment once, and removes it', async () => {
    const host = await bench.start('w3');
    const tar = join(bench.folder, 'w3.tar');
    await writeImageTar(tar, {...parts, enrolment: enrolment('w3')});
    expect((await stat(tar)).mode & 0o777).toBe(0o600);
    await mkdir(host.root, {recursive: true});
    execFileSync('tar', ['-xpf', tar, '-C', host.root]);
    const wants = join(host.root, 'etc/systemd/system/multi-user.target.wants/trireme-agent.service');
    expect(readFileSync(wants, 'utf8')).toContain('/opt/trireme/current/trireme-agent run');
    const env = {TRIREME_ROOT: host.root, PATH: `${join(host.root, '../bin')}:${process.env['PATH'] ?? ''}`};
    // the service manager is in this very process: it must be free to answer
    await promisify(execFile)('systemctl', ['restart', 'trireme-agent.service'], {env});
    expect(await waitFor(async () => (await seen(host)).wanted?.node.name, {timeout: 20_000, interval: 100})).toBe('w3');
    expect(existsSync(join(host.root, agentPaths.enrolment))).toBe(false);
    expect((await stat(join(host.root, agentPaths.secrets))).mode & 0o777).toBe(0o600);
  });
});
