// Three control planes and a worker on real test-bed hosts, by Trireme and by hand with scp and kubeadm: made from nothing, and taken to another version.
// Each side has fresh hosts of the same kind, and what it sends at hand on this computer. Both are done when the same is true: every node Ready with the
// version, flannel on each, both replicas of CoreDNS available.
import {execFile, spawn} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {servePublicPlaces} from '../testbed/public-places.mjs';
import {realAgents, tellRest} from './agent.mjs';
import {report, summaryOf, timed} from './measure.mjs';

const run = promisify(execFile);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const program = path('../../bin/run.js');
const bed = '27';
const hosts = `/var/tmp/trireme-hosts-${bed}`;
const env = {...process.env, BED: bed, HOSTS: hosts};
const versions = {newest: 'v1.36.3', before: 'v1.35.4'};
const roles = ['control-plane', 'control-plane', 'control-plane', 'worker'];

/** Installation of the newest version alone, several times: one alone differs by a quarter from the next, on either side. */
export const benchInstall = () => bench({from: versions.newest, pairs: Number(process.env.BENCH_PAIRS ?? 3)});
/** Installation of the version before, and the upgrade from it. */
export const benchUpgrade = () => bench({from: versions.before, to: versions.newest, pairs: 1});

function whyNot(wanted) {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'needs Linux and root: its hosts are containers with systemd of their own (test/testbed/README.md)';
  const cache = process.env.TESTBED ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'trireme-testbed');
  const missing = wanted.filter((version) => !existsSync(join(cache, 'public/dl.k8s.io/release', version)));
  return missing.length === 0 ? undefined : `Kubernetes ${missing.join(', ')} isn't built. Try: test/testbed/build.sh && test/testbed/build.sh kubernetes-${versions.before} && node test/testbed/public-places.mjs build`;
}

async function bench({from, to, pairs}) {
  const title = `3+1 real hosts to ${from}${to === undefined ? '' : `, then to ${to}`}`;
  const reason = whyNot([from, ...(to === undefined ? [] : [to])]);
  if (reason !== undefined) return console.log(`${title}: skipped, ${reason}`);
  const folder = await mkdtemp(join(tmpdir(), 'trireme-bench-'));
  let places;
  try {
    places = await servePublicPlaces();
    const sides = [await byTrireme({folder: join(folder, 'trireme'), places, from, to}), await byHand({folder: join(folder, 'hand'), from, to})];
    const took = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const times = new Map();
      for (const side of pair % 2 === 0 ? sides : sides.toReversed()) times.set(side, await measure(side, {from, to}));
      took.push(sides.map((side) => times.get(side)));
    }
    const tell = (title, what, goal) => report(`${title}, against scp and kubeadm by hand`, summaryOf(took.map(([a, b]) => ({a: a[what], b: b[what]}))), {goal});
    tell(`installation of ${from} on 3+1 real hosts, until all is Ready`, 'install', 1);
    if (to !== undefined) tell(`upgrade of 3+1 real hosts from ${from} to ${to}`, 'upgrade', 1.1);
  } finally {
    await places?.close();
    if (process.env.BENCH_KEEP === undefined) await rm(folder, {recursive: true, force: true});
    else console.log(`    logs: ${folder}`);
  }
}

/** The hosts are there before the clock runs, and gone after it. */
async function measure(side, {from, to}) {
  try {
    await quietly('hosts.sh', path('../testbed/hosts.sh'), ['up', String(roles.length)]);
    await side.begin();
    const install = await timed(async () => {
      await side.install();
      await allReady(from);
    });
    console.log(`    ${side.name}: ${from} on 3+1 hosts in ${(install / 1000).toFixed(1)} s`);
    await side.rest?.();
    if (to === undefined) return {install};
    const upgrade = await timed(async () => {
      await side.upgrade();
      await allReady(to);
    });
    console.log(`    ${side.name}: ${from} to ${to} in ${(upgrade / 1000).toFixed(1)} s`);
    return {install, upgrade};
  } finally {
    await quietly('hosts.sh', path('../testbed/hosts.sh'), ['down']);
  }
}

/** Asked of the API on the first control plane, whoever made it. */
async function allReady(version) {
  const deadline = Date.now() + 600_000;
  const look = 'for q in nodes "daemonset -n kube-flannel" "deployment -n kube-system"; do kubectl --kubeconfig /etc/kubernetes/admin.conf get $q -o json || exit 1; printf "\\0"; done';
  for (;;) {
    const {stdout} = await run('ssh', ['-F', `${hosts}/ssh_config`, '-o', 'LogLevel=ERROR', 'root@h1', look], {maxBuffer: 1 << 26}).catch(() => ({stdout: ''}));
    const [nodes, networks, deployments] = stdout.split('\0').filter((text) => text.trim() !== '').map((text) => JSON.parse(text).items);
    const areNodes = nodes?.length === roles.length && nodes.every(({status}) => status.nodeInfo.kubeletVersion === version && status.conditions.some(({type, status: is}) => type === 'Ready' && is === 'True'));
    const isNetwork = networks?.length > 0 && networks.every(({status}) => status.numberReady === roles.length);
    const dns = deployments?.find(({metadata}) => metadata.name === 'coredns')?.status;
    if (areNodes && isNetwork && dns?.availableReplicas === 2 && dns.updatedReplicas === 2) return;
    if (Date.now() > deadline) throw new Error(`the cluster isn't ready with ${version} after ten minutes: ${stdout.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function byHand({folder, from, to}) {
  await mkdir(folder, {recursive: true});
  const script = (verb, version) => quietly(`by-hand.sh ${verb}`, path('./by-hand.sh'), [verb, folder, version], join(folder, `${verb}.log`));
  await script('pack', from);
  if (to !== undefined) await script('pack', to);
  return {name: 'by hand', begin: async () => {}, install: () => script('install', from), upgrade: () => script('upgrade', to)};
}

async function byTrireme({folder, places, from, to}) {
  const home = join(folder, 'home');
  let password = '';
  let isRestTold = false;
  await mkdir(home, {recursive: true});
  await writeFile(join(folder, 'flannel.yaml'), await readFile(path('../testbed/flannel/kube-flannel.yaml')));
  const profile = {apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers: {cni: {name: 'flannel', manifest: 'flannel.yaml'}}}};
  await writeFile(join(folder, 'profile.yaml'), JSON.stringify(profile));
  const sources = Object.fromEntries(['dl.k8s.io', 'github.com', 'registry.k8s.io', 'ghcr.io'].map((host) => [host, `${places.url}/${host}`]));
  const write = (version) => writeFile(join(folder, 'trireme.yaml'), JSON.stringify(clusterFile(version, sources), null, 2));
  const trireme = (...args) => quietly(`trireme ${args.join(' ')}`, process.execPath, [program, ...args], join(folder, `${args[0]}-${args[1]}.log`), {cwd: folder, env: {PATH: process.env.PATH, HOME: home, SUDO_PASSWORD: password}});
  // the content is on this computer before the clock runs, as the other side's is
  for (const version of [...(to === undefined ? [] : [to]), from]) {
    await write(version);
    await trireme('bundle', 'build', '--out', join(folder, `bundle-${version}`));
    await rm(join(folder, `bundle-${version}`), {recursive: true});
  }
  return {
    name: 'trireme',
    begin: async () => {
      // nothing is known of hosts that were there before
      await rm(join(home, '.local/state'), {recursive: true, force: true});
      password = (await readFile(join(hosts, 'sudo-password'), 'utf8')).trim();
    },
    install: () => trireme('apply', '--yes', '-o', 'ndjson'),
    upgrade: () => trireme('cluster', 'upgrade', '--to', to, '--yes', '-o', 'ndjson'),
    rest: async () => {
      if (isRestTold) return;
      isRestTold = true;
      await trireme('status', '--wait', '--timeout', '5m');
      await tellRest('real hosts', realAgents());
    },
  };
}

function clusterFile(version, sources) {
  const address = (index) => `10.${bed}.0.${11 + index}`;
  return {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {
      mode: 'agent',
      kubernetes: {version},
      endpoint: {host: address(0)},
      profile: {file: 'profile.yaml'},
      // what these hosts' old kernel needs, on both sides
      configuration: {
        kubelet: {failCgroupV1: false, cgroupDriver: 'cgroupfs', failSwapOn: false},
        kubeProxy: {mode: 'nftables', conntrack: {maxPerCore: 0}},
        kubeadm: {ignorePreflightErrors: ['SystemVerification']},
        containerd: {plugins: {'io.containerd.cri.v1.runtime': {restrict_oom_score_adj: true}}},
      },
      bundle: {sources},
      agent: {
        ssh: {user: 'ops', identityFile: join(hosts, 'id'), knownHosts: [join(hosts, 'known_hosts')], configFile: 'none', sudo: {password: {fromEnv: 'SUDO_PASSWORD'}}},
        preflight: {ignore: ['cgroup-v2']},
        hosts: roles.map((role, index) => ({name: `h${index + 1}`, address: address(index), role})),
      },
    },
  };
}

/** Output goes to a log; what was said last is in the error. Its children may outlive it (hosts), so only its own end counts. */
function quietly(name, command, args, log, options = {env}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {...options, stdio: ['ignore', 'pipe', 'pipe']});
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('exit', async (code) => {
      child.stdout.destroy();
      child.stderr.destroy();
      if (log !== undefined) await writeFile(log, said);
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${code}:\n${said.slice(-4000)}`));
    });
  });
}
