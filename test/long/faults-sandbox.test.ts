// What is pulled, killed, filled or set wrong under a simulated cluster: it ends healthy when the cause is gone, or stops and names host, cause and
// remedy. The same on real hosts: crew-faults-install.test.ts and crew-faults-running.test.ts.
import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {simulatedFactsPath} from '../../src/hosts/facts-script.ts';
import {agentPaths, type AgentState} from '../../src/hostcluster/protocol.ts';
import type {SimulatedHost} from '../../src/sandbox/host.ts';
import {startFleet, type Fleet} from '../support/fleet.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {whyNoMount} from '../support/small-disk.ts';
import {resultOf, type Ran} from '../support/trireme.ts';

const agent = 'trireme-agent.service';
const noMount = await whyNoMount();

interface Told {
  readonly problem: {readonly code: string; readonly host?: string; readonly message: string; readonly hints: readonly string[]};
}
/** Of `-o json`, or of the last line of `-o ndjson`. */
const problemOf = ({stdout}: Ran) => (JSON.parse(stdout.startsWith('{\n') ? stdout : (stdout.trim().split('\n').at(-1) ?? '')) as Told).problem;
const expectCode = (ran: Ran, code: number) => expect(ran.code, `${ran.stderr}\n${ran.stdout.slice(-4000)}`).toBe(code);
const stateOf = async ({root}: SimulatedHost) => JSON.parse(await readFile(join(root, agentPaths.seen), 'utf8')) as AgentState;
/** Names that a write leaves only when it was cut off: those stay. An agent writes all the time, and what it's just writing goes. */
async function expectNoLeftOvers({name, root}: SimulatedHost): Promise<void> {
  const look = async () =>
    (await readdir(root, {recursive: true})).filter((path) => /\.(tmp|part|new)$|\.trireme-part$|\/(lock|secrets)\.json\.\d+$/.test(path));
  await expect.poll(look, {timeout: 15_000, interval: 100, message: name}).toEqual([]);
}

describe('a simulated cluster of 3+1 under faults', () => {
  let sandbox: TestSandbox;
  beforeAll(async () => {
    sandbox = await startTestSandbox({controlPlanes: 3, workers: 1});
  });
  afterAll(() => sandbox?.stop());
  const host = (name: string) => sandbox.hosts.find((one) => one.name === name) as SimulatedHost;

  async function expectHealthy(): Promise<void> {
    const status = await sandbox.trireme(['status', '--wait', '--timeout', '2m', '-o', 'json']);
    expectCode(status, 0);
    expect(resultOf<{machines: {name: string; state: string}[]}>(status).machines.map(({name, state}) => `${name} ${state}`)).toEqual([
      'cp1 ready',
      'cp2 ready',
      'cp3 ready',
      'w1 ready',
    ]);
    // a member for each control plane, and never a second one
    await expect
      .poll(async () => (await stateOf(host('cp1'))).etcdMembers?.map((member) => `${member.name} ${member.healthy}`).toSorted(), {timeout: 90_000})
      .toEqual(['cp1 true', 'cp2 true', 'cp3 true']);
    for (const one of sandbox.hosts) await expectNoLeftOvers(one);
  }

  test('power is lost in the push, and in the join: resumed, it ends healthy', async () => {
    const running = sandbox.start(['apply', '--yes', '-o', 'ndjson']);
    await running.saw(/"type":"transfer.progressed","host":"cp2"/);
    await host('cp2').powerCut();
    // its steps are passed on one by one; of its states, which are looked at each second, the middle may be missed
    await running.saw(
      /"host":"cp3","stream":"stdout","line":"(Join etcd|Register the node)"|"subject":"cp3","condition":"control-plane","status":("false","reason":"working"|"true")/,
    );
    await host('cp3').powerCut();
    await host('cp2').powerOn();
    await host('cp3').powerOn();
    const ran = await running.ended;
    if (ran.code !== 0) {
      expect(problemOf(ran)).toMatchObject({code: 'host.connection-lost', host: 'cp2', hints: [expect.stringMatching(/\w/), ...problemOf(ran).hints.slice(1)]});
      expectCode(await sandbox.trireme(['apply', '--resume', '--yes']), 0);
    }
    await expectHealthy();
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 0);
  });

  test('an agent that is killed five times in a run goes on each time, and the run comes to its end', async () => {
    const file = await readFile(sandbox.file, 'utf8');
    await writeFile(sandbox.file, file.replace('role: worker,', 'role: worker, labels: {zone: a}, configuration: {sysctls: {net.core.somaxconn: 4096}},'));
    const {services} = host('w1');
    const running = sandbox.start(['apply', '--yes', '-o', 'ndjson']);
    await running.saw(/"type":"run.started"/);
    for (let times = 0, last = 0; times < 5; times += 1) {
      await expect.poll(() => services.pidOf(agent) ?? last, {timeout: 20_000, interval: 20}).not.toBe(last);
      last = services.pidOf(agent) as number;
      process.kill(last, 'SIGKILL');
    }
    const ran = await running.ended;
    if (ran.code !== 0) {
      expect(problemOf(ran)).toMatchObject({code: 'agent.not-answering', host: 'w1'});
      expectCode(await sandbox.trireme(['apply', '--resume', '--yes']), 0);
    }
    await expectHealthy();
    expect((await stateOf(host('w1'))).wanted?.node.labels).toEqual({zone: 'a'});
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 0);
  });

  test('all hosts lose power together, and come back Ready without an operator', async () => {
    await Promise.all(sandbox.hosts.map((one) => one.powerCut()));
    await Promise.all(sandbox.hosts.map((one) => one.powerOn()));
    await expectHealthy();
    expectCode(await sandbox.trireme(['plan', '--exit-code']), 0);
  });
});

describe('a host whose clock is ten minutes ahead', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet([{name: 'h1', role: 'control-plane'}, {name: 'h2'}, {name: 'h3', host: {facts: {clockOffset: 600_000}}}]);
  });
  afterAll(() => fleet?.stop());

  test('is named before anything is changed, with what to do; set right, it joins', async () => {
    const ran = await fleet.trireme(['apply', '--yes', '-o', 'json']);
    expectCode(ran, 10);
    expect(problemOf(ran).message).toMatch(/h3.*600\.0 s ahead of the median/s);
    expect(`${problemOf(ran).message} ${problemOf(ran).hints.join(' ')}`).toMatch(/timesync|chrony|time/);
    expect(await readdir(join(fleet.hosts.get('h1')?.root ?? '', 'var/lib')).catch(() => [])).not.toContain('trireme');
    const path = join(fleet.hosts.get('h3')?.root ?? '', simulatedFactsPath);
    await writeFile(path, JSON.stringify({...(JSON.parse(await readFile(path, 'utf8')) as object), clockOffset: 0}));
    expectCode(await fleet.trireme(['apply', '--yes', '-o', 'json']), 0);
  });
});

describe.skipIf(noMount !== undefined)(`a disk that is full${noMount === undefined ? '' : ` (skipped: ${noMount})`}`, () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet([
      {name: 'h1', role: 'control-plane'},
      {name: 'h2', disk: {folder: 'var/lib/trireme', kib: 4096}},
    ]);
  });
  afterAll(() => fleet?.stop());

  test('in the push: named with its file system and what to do; with room, resumed to the end', async () => {
    await fleet.disks.get('h2')?.fill();
    const ran = await fleet.trireme(['apply', '--yes', '-o', 'json']);
    expectCode(ran, 1);
    expect(problemOf(ran)).toMatchObject({code: 'host.disk-full', host: 'h2', hints: [expect.stringMatching(/^Make room/), ...problemOf(ran).hints.slice(1)]});
    await fleet.disks.get('h2')?.clear();
    expectCode(await fleet.trireme(['apply', '--resume', '--yes', '-o', 'json']), 0);
    await expectNoLeftOvers(fleet.hosts.get('h2') as SimulatedHost);
  });

  test('in the run: the same, and the agent goes on by itself once there is room', async () => {
    const path = join(fleet.folder, 'trireme.yaml');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"name":"h2",', '"name":"h2","configuration":{"sysctls":{"net.core.somaxconn":4096}},'));
    await fleet.disks.get('h2')?.fill();
    const ran = await fleet.trireme(['apply', '--yes', '-o', 'json']);
    expectCode(ran, 1);
    expect(problemOf(ran)).toMatchObject({code: 'host.disk-full', host: 'h2', hints: [expect.stringMatching(/room|df/), ...problemOf(ran).hints.slice(1)]});
    await fleet.disks.get('h2')?.clear();
    expectCode(await fleet.trireme(['apply', '--resume', '--yes', '-o', 'json']), 0);
    await expectNoLeftOvers(fleet.hosts.get('h2') as SimulatedHost);
  });
});
