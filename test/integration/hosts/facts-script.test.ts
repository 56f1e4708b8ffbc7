import {spawnSync} from 'node:child_process';
import {chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {hostname, release, tmpdir, totalmem} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parseFacts} from '../../../src/hosts/facts-parse.ts';
import {factsScript, simulatedFactsPath, type FactsScriptOptions} from '../../../src/hosts/facts-script.ts';
import {gatherFacts} from '../../../src/hosts/gather-facts.ts';
import {newBoundary} from '../../../src/hosts/script/frame.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {localRunner} from './local-runner.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'trireme-facts-'));
});
afterEach(() => rm(root, {recursive: true, force: true}));

const agent = {
  program: '/usr/local/lib/trireme',
  seen: '/var/lib/trireme/seen.json',
  lock: '/var/lib/trireme/lock.json',
  content: '/var/lib/trireme/content/sha256',
  socket: '/run/trireme/agent.sock',
};
const isLinux = process.platform === 'linux';

/** A shell counts when it runs an empty script. */
const shells = ([['/bin/sh'], ['dash'], ['bash', '--posix'], ['busybox', 'ash']] as const).map((shell) => ({
  shell,
  name: shell.join(' '),
  present: spawnSync(shell[0], [...shell.slice(1), '-c', ':']).status === 0,
}));

async function run(options: Partial<FactsScriptOptions> = {}, shell: readonly [string, ...string[]] = ['/bin/sh'], env: Readonly<Record<string, string>> = {}) {
  const boundary = newBoundary();
  const sentAt = Date.now();
  const result = await localRunner({host: 'here', shell, env}).run(factsScript({agent, ...options}, boundary), {deadline: 20_000});
  return {...result, facts: parseFacts(result.stdout, {host: 'here', boundary, sentAt, receivedAt: Date.now()})};
}

async function place(path: string, content: string): Promise<void> {
  await mkdir(join(root, path, '..'), {recursive: true});
  await writeFile(join(root, path), content);
}

describe.runIf(isLinux)('the facts script on this computer', () => {
  for (const {shell, name, present} of shells) {
    it.skipIf(!present)(`tells the truth through ${name}`, async () => {
      const {facts, code, stderr} = await run({sysctls: ['kernel.ostype'], endpoint: 'localhost'}, shell);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      expect(facts.hostname).toBe(hostname());
      expect(facts.kernel.release).toBe(release());
      expect(facts.architecture).toBe(process.arch === 'x64' ? 'amd64' : 'arm64');
      expect(Math.abs(facts.memory.total - totalmem() / 1024 / 1024)).toBeLessThan(2);
      expect(facts.cpus).toBeGreaterThan(0);
      expect(Math.abs(facts.clockOffset)).toBeLessThan(2000);
      expect(facts.sysctls).toMatchObject({'kernel.ostype': 'Linux', 'kernel.pid_max': (await readFile('/proc/sys/kernel/pid_max', 'utf8')).trim()});
      expect(facts.mounts.find(({path}) => path === '/')?.size).toBeGreaterThan(100);
      expect(facts.interfaces.map(({name: link}) => link)).toContain('lo');
      expect(facts.tools['sh']).toMatch(/\/sh$/);
      expect(facts.endpointAddresses).toEqual(expect.arrayContaining([expect.stringMatching(/^(127\.|::1)/)]));
    });
  }

  it('has at least one shell to be tried with', () => {
    expect(shells.some(({present}) => present)).toBe(true);
  });

  it('sees a port that something listens on', async () => {
    const {createServer} = await import('node:net');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const {port} = server.address() as {port: number};
    try {
      const {facts} = await run();
      expect(facts.listening).toContainEqual(expect.objectContaining({protocol: 'tcp', address: '127.0.0.1', port}));
    } finally {
      server.close();
    }
  });

  it('runs nothing that a name in its options says', async () => {
    await run({endpoint: `x'; touch '${root}/pwned`, sysctls: [`a;touch ${root}/pwned`, '../../etc/passwd'], folders: [`/$(touch ${root}/pwned)`]});
    expect(await readdir(root)).toEqual([]);
  });
});

describe('the facts script below TRIREME_ROOT', () => {
  it.runIf(isLinux)('reads files of an image, and writes none', async () => {
    await place('etc/os-release', 'ID=rocky\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n');
    await place('etc/machine-id', 'a'.repeat(32));
    await place('etc/sysctl.d/99-cis.conf', '# hardened\nnet.ipv4.ip_forward = 0\n');
    await place('etc/kubernetes/manifests/etcd.yaml', 'kind: Pod\n');
    await mkdir(join(root, 'etc/cni/net.d'), {recursive: true});
    await place('usr/sbin/modprobe', '#!/bin/sh\n');
    await chmod(join(root, 'usr/sbin/modprobe'), 0o755);
    await place('usr/sbin/iptables', 'not executable\n');
    await place('etc/environment', 'https_proxy=http://ann:secret@proxy:3128\n');
    await place('etc/systemd/network/lan.network', '# the wire\n[Match]\nType=ether\n\n[Network]\nAddress=10.0.2.15/24\n');
    const before = await tree(root);
    const {facts} = await run({}, ['/bin/sh'], {TRIREME_ROOT: root});
    expect(facts).toMatchObject({
      os: {id: 'rocky', idLike: ['rhel', 'centos', 'fedora']},
      machineId: 'a'.repeat(32),
      sysctlOverrides: [{file: '/etc/sysctl.d/99-cis.conf', key: 'net.ipv4.ip_forward', value: '0'}],
      leftovers: ['/etc/kubernetes/manifests'],
      environmentProxy: {https_proxy: 'http://proxy:3128'},
      networkdFiles: [{path: '/etc/systemd/network/lan.network', match: {Type: 'ether'}}],
    });
    expect(facts.tools).toEqual({modprobe: '/usr/sbin/modprobe'});
    expect(await tree(root)).toEqual(before);
  });

  it('takes a simulated host from its file, and the agent from what the agent wrote', async () => {
    const digest = 'b'.repeat(64);
    await place(simulatedFactsPath, JSON.stringify({cpus: 2, hostname: 'sim1', address: '127.0.0.9'}));
    await place('var/lib/trireme/seen.json', JSON.stringify({protocol: 1, member: true}));
    await place('var/lib/trireme/lock.json', JSON.stringify({owner: 'ann'}));
    await place(`var/lib/trireme/content/sha256/${digest}`, 'x');
    await place('usr/local/lib/trireme/current/digests.json', JSON.stringify({program: 'sha256:p', runtime: 'sha256:r'}));
    const {facts} = await run({}, ['/bin/sh'], {TRIREME_ROOT: root, PATH: `${root}/bin:${process.env['PATH']}`});
    expect(facts).toMatchObject({
      simulated: true,
      host: 'here',
      cpus: 2,
      hostname: 'sim1',
      defaultRoute: {address: '127.0.0.9'},
      lock: {owner: 'ann'},
      content: [`sha256:${digest}`],
      agent: {installed: true, seen: {protocol: 1, member: true}, programDigest: 'sha256:p', runtimeDigest: 'sha256:r'},
    });
    await place('bin/systemctl', '#!/bin/sh\n[ "$1 $2" = "is-active trireme-agent.service" ] && echo active\n');
    await chmod(join(root, 'bin/systemctl'), 0o755);
    expect((await run({}, ['/bin/sh'], {TRIREME_ROOT: root, PATH: `${root}/bin:${process.env['PATH']}`})).facts.agent.active).toBe(true);
  });
});

async function tree(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, {recursive: true});
  return Promise.all(names.toSorted().map(async (name) => `${name} ${(await stat(join(folder, name))).mtimeMs}`));
}

describe('gathering from many hosts', () => {
  const targets = ['h1', 'h2', 'h3', 'h4'].map((host) => ({host}));

  beforeEach(() => place(simulatedFactsPath, '{}'));

  it('makes one round trip a host, and an observation of every failure', async () => {
    const runners = new Map(
      targets.map(({host}) => [
        host,
        localRunner({host, env: {TRIREME_ROOT: root}, ...(host === 'h3' ? {shell: ['/bin/sh', '-c', 'echo Go away; cat >/dev/null'] as const} : {})}),
      ]),
    );
    const seen: string[] = [];
    const observations = await gatherFacts(targets, {
      open: async ({host}) => {
        if (host === 'h2') throw new TriremeError('host.unreachable', "Can't reach h2.");
        if (host === 'h4') throw new RangeError('a bug');
        return runners.get(host) ?? Promise.reject(new Error(host));
      },
      script: {agent},
      concurrency: 2,
      onObservation: ({host}) => seen.push(host),
    });
    expect(observations.map(({host}) => host)).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect(observations[0]).toMatchObject({facts: {host: 'h1', simulated: true}});
    expect(observations[1]).toEqual({host: 'h2', problem: expect.objectContaining({code: 'host.unreachable', host: 'h2'})});
    expect(observations[2]).toMatchObject({problem: {code: 'host.facts-unreadable', message: expect.stringContaining('Go away')}});
    expect(observations[3]).toMatchObject({problem: {code: 'bug.unexpected', host: 'h4'}});
    expect(seen.toSorted()).toEqual(['h1', 'h2', 'h3', 'h4']);
    expect([...runners.values()].map(({roundTrips}) => roundTrips)).toEqual([1, 0, 1, 0]);
  });

  it('stops for a signal', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(
      gatherFacts(targets, {open: async ({host}) => localRunner({host}), script: {agent}, concurrency: 2, signal: controller.signal}),
    ).rejects.toMatchObject({name: 'AbortError'});
  });
});
