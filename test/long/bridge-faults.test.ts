// The dashboard while what it looks at goes away: the last view stays and says how old it is, the header says what is wrong, every key is heard, and
// everything returns by itself. Embedded management API and simulated hosts (SIMULATED).
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {startManagement, type ManagementApi} from '../../src/sandbox/management/management.ts';
import type {SshFaults} from '../../src/sandbox/ssh-server.ts';
import {FaultProxy} from '../support/fault-proxy.ts';
import {startFleet, type Fleet} from '../support/fleet.ts';
import {kubeconfigFor, testCertificate} from '../support/kube-connection.ts';
import {openTerminal, type TestTerminal} from '../support/terminal.ts';
import {trireme} from '../support/trireme.ts';

/** How long the API is away, in ms. */
const outage = 60_000;
const size = {columns: 120, rows: 30, patience: 90_000};

/** Letters that are typed while nothing answers: each must be on the screen. */
async function everyKeyIsHeard(terminal: TestTerminal): Promise<void> {
  terminal.key('/');
  for (const letter of 'harbourwide') terminal.type(letter);
  await terminal.shows(/harbourwide/, {visible: true});
  terminal.key('escape');
  await terminal.shows((text) => !text.includes('harbourwide'), {visible: true});
}

describe('a management cluster', () => {
  let root: string;
  let management: ManagementApi;
  let proxy: FaultProxy;
  let terminal: TestTerminal;
  const certificate = testCertificate('api.test', {until: 24});
  const env = () => ({HOME: root, XDG_STATE_HOME: join(root, 'state')});
  const scaleTo = async (count: number) => {
    const changed = await trireme(['cluster', 'scale', 'dock', `md-0=${count}`, '--yes', '--wait', '--kubeconfig', management.kubeconfig.path], {
      cwd: root,
      env: {PATH: process.env['PATH'], HOME: root, XDG_STATE_HOME: join(root, 'elsewhere')},
    });
    expect(changed.code, changed.stderr).toBe(0);
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-faults-'));
    management = await startManagement();
    const upstream = {server: management.server, ca: management.certificate, token: management.token};
    proxy = await new FaultProxy(upstream, certificate).listen();
    proxy.tokens.add('first-token');
    await writeFile(join(root, 'token'), 'first-token\n');
    await writeFile(join(root, 'ca.crt'), certificate.cert);
    const cluster = {'certificate-authority': 'ca.crt', 'tls-server-name': 'api.test'};
    await writeFile(join(root, 'kubeconfig'), kubeconfigFor(proxy.server, {cluster, user: {tokenFile: 'token'}}));
    await writeFile(
      join(root, 'dock.yaml'),
      `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: dock}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    kubeconfig: kubeconfig
    namespace: default
    class: in-memory
    controlPlane: {replicas: 1}
    pools: [{name: md-0, class: default-worker, replicas: 1}]
`,
    );
    const made = await trireme(['apply', '-f', 'dock.yaml', '--yes'], {cwd: root, env: {...env(), PATH: process.env['PATH']}});
    if (made.code !== 0) throw new Error(made.stderr);
    terminal = openTerminal(['dash'], {...size, env: env(), cwd: root});
    await terminal.shows(/dock\s+✔ healthy.* 1\/1\s+1\/1/, {visible: true});
  }, 120_000);
  afterAll(async () => {
    await terminal?.close();
    await proxy?.close();
    await management?.stop();
    await rm(root, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  });

  it('that is gone for 60 s leaves its last view, with its age, and is there again by itself', async () => {
    const port = Number(new URL(proxy.server).port);
    const {tokens} = proxy;
    await proxy.close();
    const gone = Date.now();
    await terminal.shows(/▲ \d+\w+ without test: Can't reach https:\S+ nobody listens/, {visible: true});
    expect(terminal.screen()).toMatch(/dock\s.* 1\/1\s+1\/1/);
    await everyKeyIsHeard(terminal);
    await scaleTo(2);
    await expect.poll(() => Date.now() - gone >= outage, {timeout: outage + 1000, interval: 500}).toBe(true);
    await terminal.shows(/▲ 1m without test/, {visible: true});
    expect(terminal.screen()).toMatch(/dock\s.* 1\/1\s+1\/1/);
    proxy = await new FaultProxy({server: management.server, ca: management.certificate, token: management.token}, certificate).listen(port);
    for (const token of tokens) proxy.tokens.add(token);
    const back = Date.now();
    await terminal.shows(/dock\s+✔ healthy.* 1\/1\s+2\/2/, {visible: true});
    await terminal.shows((text) => !text.includes('▲'), {visible: true});
    process.stdout.write(
      `the API was gone for ${((back - gone) / 1000).toFixed(0)} s; the dashboard was right ${((Date.now() - back) / 1000).toFixed(1)} s after it was back\n`,
    );
  }, 240_000);

  it('whose credentials expired says so, and goes on with new ones', async () => {
    proxy.tokens.clear();
    proxy.cut();
    await terminal.shows(/▲ \d+\w+ without test: .*(?:credentials|token|Unauthorized|401)/i, {visible: true});
    expect(terminal.screen()).toMatch(/dock\s.* 1\/1\s+2\/2/);
    await everyKeyIsHeard(terminal);
    await scaleTo(3);
    await writeFile(join(root, 'token'), 'second-token\n');
    proxy.tokens.add('second-token');
    await terminal.shows(/dock\s+✔ healthy.* 1\/1\s+3\/3/, {visible: true});
    await terminal.shows((text) => !text.includes('▲'), {visible: true});
  }, 240_000);
});

describe('hosts', () => {
  let fleet: Fleet;
  let terminal: TestTerminal;
  const faults: SshFaults = {};
  const host = (name: string) => {
    const found = fleet.hosts.get(name);
    if (found === undefined) throw new Error(`no host ${name}`);
    return found;
  };

  beforeAll(async () => {
    fleet = await startFleet([
      {name: 'h1', role: 'control-plane'},
      {name: 'h2', host: {faults}},
    ]);
    const made = await fleet.trireme(['apply', '--yes']);
    if (made.code !== 0) throw new Error(made.stderr);
    terminal = openTerminal(['dash'], {...size, env: {...fleet.env, HOME: fleet.folder}, cwd: fleet.folder});
    await terminal.shows(/✔ healthy\s+agent.* 1\/1\s+1\/1/, {visible: true});
  }, 180_000);
  afterAll(async () => {
    await terminal?.close();
    await fleet?.stop();
  });

  it('of which one does not answer are told by its name, the rest is seen, and it comes back by itself', async () => {
    faults.refuseLogins = true;
    host('h2').server.dropConnections();
    await terminal.shows(/agent\s.* 1\/1\s+0\/1\s.*h2/, {visible: true});
    await everyKeyIsHeard(terminal);
    faults.refuseLogins = false;
    await terminal.shows(/✔ healthy\s+agent.* 1\/1\s+1\/1/, {visible: true});
  }, 240_000);

  it('whose agent is cut off say so, and are well again when it is back', async () => {
    await host('h2').services.control(['stop', 'trireme-agent']);
    await terminal.shows(/(?:degraded|unknown|progressing)\s+agent\s.*h2/, {visible: true});
    await everyKeyIsHeard(terminal);
    await host('h2').services.control(['start', 'trireme-agent']);
    await terminal.shows(/✔ healthy\s+agent.* 1\/1\s+1\/1/, {visible: true});
  }, 240_000);
});
