import {spawnSync} from 'node:child_process';
import {chmod, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parseProbes, probeHosts, probeRequestFor, reachKey, withProbes, type ProbedHost} from '../../../src/hosts/probe-hosts.ts';
import {newBoundary} from '../../../src/hosts/script/frame.ts';
import {probeScript} from '../../../src/hosts/script/probes.ts';
import {simulatedFacts} from '../../../src/hosts/simulated-facts.ts';
import {closedPort, type ClosedPort} from '../../support/closed-port.ts';
import {localRunner} from './local-runner.ts';

let server: Server;
let open: number;
let closed: ClosedPort;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-probe-'));
  const listen = (one: Server) => new Promise<number>((resolve) => one.listen(0, '127.0.0.1', () => resolve((one.address() as {port: number}).port)));
  server = createServer((socket) => socket.destroy());
  open = await listen(server);
  closed = await closedPort();
});
afterAll(async () => {
  server.close();
  await closed.free();
  await rm(folder, {recursive: true, force: true});
});

/** A PATH with nothing but these programs. */
async function pathWith(name: string, programs: readonly string[]): Promise<string> {
  const bin = await mkdtemp(join(folder, `${name}-`));
  for (const program of programs) {
    const found = spawnSync('sh', ['-c', `command -v ${program}`], {encoding: 'utf8'}).stdout.trim();
    if (found !== '') await symlink(found, join(bin, program));
  }
  return bin;
}

/** The script adds the usual folders to PATH, so that a tool is hidden only by taking those away. */
async function probe(path: string | undefined, addresses: readonly {address: string; port: number}[]) {
  const boundary = newBoundary();
  const script = probeScript({reach: addresses, mtu: [], neighbours: []}, boundary);
  const own = path === undefined ? script : script.replace(/^PATH=.*$/m, `PATH='${path}'; export PATH`);
  const {stdout} = await localRunner({host: 'here'}).run(own, {deadline: 20_000});
  return parseProbes(stdout, boundary);
}

const places = () => [
  {address: '127.0.0.1', port: open},
  {address: '127.0.0.1', port: closed.port},
  {address: '255.255.255.255', port: 9},
];
const answers = () => ({[`127.0.0.1:${open}`]: 'open', [`127.0.0.1:${closed.port}`]: 'refused', '255.255.255.255:9': 'none'});
const isPresent = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

describe('trying connections', () => {
  it.skipIf(!isPresent('bash') || !isPresent('timeout'))('tells open, refused and none apart with bash', async () => {
    expect(await probe(await pathWith('bash', ['bash', 'timeout']), places())).toMatchObject({reachTool: 'bash', reach: answers()});
  });

  it.skipIf(!isPresent('python3'))('tells them apart with python3', async () => {
    const bin = await pathWith('python', []);
    // by its real path: the program on PATH may be a shim that needs more
    const real = spawnSync('python3', ['-c', 'import sys; print(sys.executable)'], {encoding: 'utf8'}).stdout.trim();
    await writeFile(join(bin, 'python3'), `#!/bin/sh\nexec '${real}' "$@"\n`);
    await chmod(join(bin, 'python3'), 0o755);
    expect(await probe(bin, places())).toMatchObject({reachTool: 'python3', reach: answers()});
  });

  it('says so when there is nothing to try with', async () => {
    expect(await probe(await pathWith('none', []), places())).toEqual({reachTool: 'none', reach: {}, mtuTo: {}, neighbours: {}});
  });
});

describe('what each host tries', () => {
  const host = (name: string, role: ProbedHost['role'], address: string, mtu = 1500): ProbedHost => {
    const facts = simulatedFacts(name, {address});
    return {
      host: name,
      role,
      nodeAddresses: [address],
      facts: {...facts, simulated: false, interfaces: facts.interfaces.map((item) => (item.name === 'eth0' ? {...item, mtu} : item))},
    };
  };
  const hosts = [host('cp1', 'control-plane', '10.0.0.1'), host('cp2', 'control-plane', '10.0.0.2'), host('w1', 'worker', '10.0.0.3', 9000)];
  const endpoint = {addresses: ['10.0.0.100'], port: 6443};

  it('follows the roles: etcd among control planes, the API from all, the kubelet from control planes', () => {
    expect(probeRequestFor(hosts, 0, endpoint).reach.map(({address, port}) => reachKey(address, port))).toEqual([
      '10.0.0.2:6443',
      '10.0.0.2:2379',
      '10.0.0.2:2380',
      '10.0.0.2:10250',
      '10.0.0.3:10250',
      '10.0.0.100:6443',
    ]);
    expect(probeRequestFor(hosts, 2, endpoint).reach.map(({address, port}) => reachKey(address, port))).toEqual([
      '10.0.0.1:6443',
      '10.0.0.2:6443',
      '10.0.0.100:6443',
    ]);
  });

  it('begins with the largest packet that the interface takes, and ends with one that any path takes', () => {
    expect(probeRequestFor(hosts, 2, endpoint).mtu[0]).toEqual({address: '10.0.0.1', payloads: [8972, 1472, 1422, 1372, 1252, 56]});
    expect(probeRequestFor(hosts, 0, endpoint).mtu[0]).toEqual({address: '10.0.0.2', payloads: [1472, 1422, 1372, 1252, 56]});
  });

  it('asks who has an address only where nobody may have it, and hears only those who answer', () => {
    expect(probeRequestFor(hosts, 0, endpoint).neighbours).toEqual([]);
    expect(probeRequestFor(hosts, 0, {...endpoint, isServed: true}).neighbours).toEqual(['10.0.0.100']);
    const boundary = newBoundary();
    const lines = ['10.0.0.100 dev eth0 lladdr 52:54:00:ff:00:01 REACHABLE', '10.0.0.101 dev eth0  FAILED', '10.0.0.102 dev eth0  INCOMPLETE'];
    const output = [`${boundary} neighbours`, ...lines, `${boundary} end`, ''].join('\n');
    expect(parseProbes(output, boundary)?.neighbours).toEqual({'10.0.0.100': '52:54:00:ff:00:01'});
  });

  it('puts the results into the facts of the hosts that answered', async () => {
    const local = [
      {...(hosts[0] as ProbedHost), nodeAddresses: ['127.0.0.1']},
      {...(hosts[1] as ProbedHost), nodeAddresses: ['127.0.0.1']},
      {...(hosts[2] as ProbedHost), nodeAddresses: [], facts: undefined},
    ];
    const probes = await probeHosts(local, {
      open: async ({host: name}) => (name === 'cp2' ? Promise.reject(new Error('gone')) : localRunner({host: name})),
      endpoint: {addresses: ['127.0.0.1'], port: open},
      concurrency: 4,
    });
    expect([...probes.keys()]).toEqual(['cp1']);
    const [first, second] = withProbes(
      local.slice(0, 2).map((one) => ({host: one.host, facts: one.facts as NonNullable<ProbedHost['facts']>})),
      probes,
    );
    expect(first).toMatchObject({facts: {reach: {[`127.0.0.1:${open}`]: 'open'}}});
    expect(second).toMatchObject({facts: {reach: {}, reachTool: undefined}});
  });
});
