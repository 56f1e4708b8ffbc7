import {spawn} from 'node:child_process';
import {rm, stat, writeFile} from 'node:fs/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {agentPaths, type Secrets, type Wanted} from '../../../src/hostcluster/protocol.ts';
import {closedPort, type ClosedPort} from '../../support/closed-port.ts';
import {bundleAgent, fakeSecrets, program, SimulatedAgent, wantedFor} from './agent-fixture.ts';

const hosts = [
  {name: 'h1', role: 'control-plane', bootstrap: true},
  {name: 'h2', role: 'control-plane', bootstrap: false},
  {name: 'h3', role: 'control-plane', bootstrap: false},
  {name: 'w1', role: 'worker', bootstrap: false},
] as const;

const agents = new Map<string, SimulatedAgent>();
/** The endpoint's, until the first control plane takes it. */
let held: ClosedPort;
let port: number;
let secrets: Secrets;

const agent = (name: string) => agents.get(name) as SimulatedAgent;
const wanted = (name: string, over: Partial<Wanted> = {}) => wantedFor({...(hosts.find((host) => host.name === name) as (typeof hosts)[number]), port}, over);
const secretsFor = (name: string): Secrets =>
  name.startsWith('w') ? {ca: {certificate: secrets.ca.certificate}, bootstrapToken: secrets.bootstrapToken} : secrets;

beforeAll(async () => {
  await bundleAgent();
  held = await closedPort();
  ({port} = held);
  secrets = fakeSecrets();
  await Promise.all(hosts.map(async ({name}) => agents.set(name, await SimulatedAgent.make(name))));
});

afterAll(async () => {
  await Promise.all([...agents.values()].map((one) => one.remove()));
});

describe('a simulated cluster of real agent processes', () => {
  it('says what it is before it has anything to do', async () => {
    const state = await agent('h1').state();
    expect(state).toMatchObject({
      protocol: 1,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      wanted: null,
      wantedDigest: '',
      converged: false,
      member: false,
      secretsDigest: '',
    });
  });

  it('refuses a document of another protocol with 409 and says who is older', async () => {
    const answer = await agent('h1').put({wanted: {...wanted('h1'), protocol: 99}});
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({code: 'agent.incompatible', exit: 8});
  });

  it('tells a worker that comes first what it waits for', async () => {
    expect((await agent('w1').put({wanted: wanted('w1'), secrets: secretsFor('w1')})).status).toBe(200);
    // what doesn't depend on the join isn't held up by it
    await agent('w1').untilState(
      'waits for the API, and has done the rest',
      ({reconcilers}) =>
        reconcilers.some((one) => one.name === 'join' && one.message?.includes('answer') === true) &&
        reconcilers.some((one) => one.name === 'sysctls' && one.status === 'done'),
    );
  });

  it('brings three control planes and a worker to converged, all at once', async () => {
    await held.free();
    await Promise.all(['h1', 'h2', 'h3'].map((name) => agent(name).put({wanted: wanted(name), secrets: secretsFor(name)})));
    await Promise.all(hosts.map(({name}) => agent(name).untilState('is converged', (state) => state.converged && state.member)));
    const state = await agent('h2').untilState('sees 4 ready nodes', ({nodes}) => nodes.length === 4 && nodes.every((node) => node.ready));
    expect(state.simulated).toBe(true);
    expect(state.nodes.map((node) => [node.name, node.roles])).toEqual([
      ['h1', ['control-plane']],
      ['h2', ['control-plane']],
      ['h3', ['control-plane']],
      ['w1', []],
    ]);
    expect(state.conditions).toEqual(
      expect.arrayContaining([
        {type: 'ApiReady', ready: true},
        {type: 'Layer/flannel', ready: true},
      ]),
    );
    // who is told so finds it on disk, too
    expect(JSON.parse(await agent('h2').read(agentPaths.seen))).toMatchObject({converged: true, member: true});
  });

  it('changes nothing when the same document comes again', async () => {
    const before = await agent('h1').state();
    expect(JSON.parse((await agent('h1').put({wanted: wanted('h1'), secrets})).text)).toMatchObject({changed: false});
    const after = await agent('h1').state();
    expect(after.lastSeq).toBe(before.lastSeq);
  });

  it('keeps secrets for root alone and out of state and events', async () => {
    expect((await stat(agent('h1').path(agentPaths.secrets))).mode & 0o777).toBe(0o600);
    expect((await stat(agent('h1').path(agentPaths.socket))).mode & 0o777).toBe(0o600);
    const texts = await Promise.all([agent('h1').get('/v1/state'), agent('h1').get('/v1/events?after=0&follow=0'), agent('h1').read(agentPaths.events)]);
    for (const text of texts) {
      expect(text).not.toContain(secrets.bootstrapToken);
      expect(text).not.toContain(secrets.ca.key?.split('\n')[1]);
    }
    expect(JSON.parse(await agent('h3').get('/v1/secrets'))).toEqual(secrets);
    expect((await agent('w1').send('GET', '/v1/secrets')).status).toBe(400);
  });

  it('carries the API over `dial`', async () => {
    const child = spawn(process.execPath, [program, 'dial'], {env: agent('h1').env, stdio: ['pipe', 'pipe', 'inherit']});
    child.stdin.end('GET /v1/state HTTP/1.1\r\nhost: agent\r\nconnection: close\r\n\r\n');
    let answer = '';
    for await (const chunk of child.stdout) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(answer).toContain('"host":"h1"');
  });

  it('replays events and follows live ones without a gap', async () => {
    const recorded = (await agent('h1').get('/v1/events?after=0&follow=0'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as {seq: number; type: string});
    expect(recorded.map((event) => event.seq)).toEqual(recorded.map((_, index) => index + 1));
    expect(recorded.map((event) => event.type)).toEqual(expect.arrayContaining(['run.started', 'step.finished', 'run.finished']));
    const tail = (await agent('h1').get(`/v1/events?after=${recorded.length - 2}&follow=0`)).trim().split('\n');
    expect(tail).toHaveLength(2);
  });

  it('repairs a deleted sysctl file and a stopped kubelet, and reports both as drift', async () => {
    await rm(agent('w1').path('/etc/sysctl.d/90-trireme.conf'));
    await rm(agent('w1').path('/run/systemd/running/kubelet.service'));
    const state = await agent('w1').untilState('has repaired both', ({drift}) =>
      ['/etc/sysctl.d/90-trireme.conf', 'kubelet.service'].every((subject) => drift.some((one) => one.subject === subject && one.outcome === 'repaired')),
    );
    expect(state.drift).toEqual(
      expect.arrayContaining([expect.objectContaining({area: 'sysctls', found: 'missing'}), expect.objectContaining({area: 'kubelet', found: 'stopped'})]),
    );
    expect(await agent('w1').read('/etc/sysctl.d/90-trireme.conf')).toContain('net.core.somaxconn = 4096');
  });

  it('only reports drift where the policy says so', async () => {
    await agent('w1').put({wanted: wanted('w1', {drift: {...wanted('w1').drift, files: 'report'}})});
    await agent('w1').untilState('is converged', (state) => state.converged && state.wanted?.drift.files === 'report');
    await writeFile(agent('w1').path('/etc/motd'), 'mutiny\n');
    await agent('w1').untilState('reports', ({drift}) => drift.some((one) => one.subject === '/etc/motd' && one.outcome === 'reported'));
    expect(await agent('w1').read('/etc/motd')).toBe('mutiny\n');
    await agent('w1').put({wanted: wanted('w1')});
    await agent('w1').untilState('has repaired it', ({drift}) => drift.some((one) => one.subject === '/etc/motd' && one.outcome === 'repaired'));
    expect(await agent('w1').read('/etc/motd')).toBe('all aboard\n');
  });

  it("sets a worker's label by itself, and its taint through a control plane", async () => {
    const node = {...wanted('w1').node, labels: {zone: 'a'}, taints: [{key: 'gpu', effect: 'NoSchedule' as const}]};
    await agent('w1').put({wanted: wanted('w1', {node})});
    await agent('w1').untilState('waits for a control plane', ({reconcilers}) =>
      reconcilers.some((one) => one.name === 'node' && one.status === 'waiting' && one.message?.includes('gpu') === true),
    );
    const answer = await agent('h3').send('POST', '/v1/nodes/w1', {labels: node.labels, taints: node.taints});
    expect(JSON.parse(answer.text)).toMatchObject({changed: expect.arrayContaining(['taint gpu:NoSchedule'])});
    await agent('w1').untilState('is converged', (state) => state.converged);
    expect(JSON.parse((await agent('h3').send('POST', '/v1/nodes/w1', {labels: node.labels, taints: node.taints})).text)).toEqual({changed: []});
  });

  it('goes on after a power cut, and another control plane serves the API meanwhile', async () => {
    const before = await agent('h1').state();
    expect(before.endpoint).toMatchObject({address: '127.0.0.1', holder: 'h1'});
    await agent('h1').kill();
    const served = await agent('h2').untilState(
      'serves',
      // a look that began before the cut may still tell of h1
      ({nodes, conditions, endpoint}) => endpoint?.holder !== 'h1' && nodes.length === 4 && conditions.some((one) => one.type === 'ApiReady' && one.ready),
    );
    expect(served.endpoint?.holder).toMatch(/^h[23]$/);
    await agent('h1').start();
    const after = await agent('h1').untilState('is converged', (state) => state.converged);
    expect(after.member).toBe(true);
    expect(after.wantedDigest).toBe(before.wantedDigest);
    expect(after.lastSeq).toBeGreaterThanOrEqual(before.lastSeq);
    const events = (await agent('h1').get('/v1/events?after=0&follow=0'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as {seq: number}).seq);
    expect(new Set(events).size).toBe(events.length);
  });

  it('refuses a document of another cluster', async () => {
    const answer = await agent('h2').put({wanted: wanted('h2', {cluster: {name: 'other', id: 'ffff'}})});
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.text)).toMatchObject({code: 'cluster.foreign'});
  });

  it('ends cleanly when it is told to', async () => {
    expect(await agent('h3').stop()).toBe(0);
  });
});

describe('dial without an agent', () => {
  it('says that none runs and exits with 4', async () => {
    const child = spawn(process.execPath, [program, 'dial'], {env: {...process.env, TRIREME_ROOT: '/nonexistent'}, stdio: ['ignore', 'ignore', 'pipe']});
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, said]).toEqual([4, expect.stringContaining("isn't running")]);
  });
});
