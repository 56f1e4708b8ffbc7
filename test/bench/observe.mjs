// Reading clusters: the whole tree of 300 real machines against clusterctl in the same run, and 1,000 clusters of the embedded API listed and watched.
import {execFile, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {homedir, tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {Redactor} from '../../build/kernel/redact.js';
import {connect} from '../../build/kube/client.js';
import {observeCluster} from '../../build/modes/controller/observe/observe.js';
import {compare, median, report, runProcess} from './measure.mjs';
import {talkTo} from './talk.mjs';

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = here('../../bin/run.js');
const machines = 300;
const verdict = (isMet) => (isMet ? 'met' : 'MISSED');

export async function benchObserve() {
  const home = mkdtempSync(join(tmpdir(), 'trireme-bench-observe-'));
  try {
    await benchFleet(home);
    await benchTree(home);
  } finally {
    rmSync(home, {recursive: true, force: true});
  }
}

/** $MANAGEMENT_KUBECONFIG names a management cluster that is up, and may hold the 300 machines already; without it one is started. */
export async function benchTree(home) {
  const cache = process.env.TESTBED ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trireme-testbed');
  const part = (name) => join(cache, 'bin', name, existsSync(join(cache, 'bin', name)) ? readdirSync(join(cache, 'bin', name)).toSorted().at(-1) : '');
  const [kubectl, clusterctl] = [join(part('kubernetes'), 'kubectl'), join(part('cluster-api'), 'clusterctl')];
  if (!existsSync(kubectl) || !existsSync(clusterctl)) return console.log('the tree of 300 real machines: skipped, needs test/testbed/build.sh kubernetes etcd cluster-api');
  const script = here('../testbed/management-cluster.sh');
  const folder = join(home, 'management');
  const isOwn = process.env.MANAGEMENT_KUBECONFIG === undefined;
  if (isOwn) await run(script, ['up', folder], {maxBuffer: 1 << 26});
  const kubeconfig = process.env.MANAGEMENT_KUBECONFIG ?? join(folder, 'kubeconfig');
  const env = {PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, KUBECONFIG: kubeconfig, CLUSTERCTL_DISABLE_VERSIONCHECK: 'true'};
  try {
    await makeMachines(kubectl, env);
    const ours = (...flags) => () => runProcess(process.execPath, [program, 'cluster', 'describe', 'big', '-n', 'big', ...flags], {cwd: home, env});
    const theirs = (...flags) => () => runProcess(clusterctl, ['describe', 'cluster', 'big', '-n', 'big', ...flags], {cwd: home, env});
    const stop = new AbortController();
    const api = await connect({kubeconfig, signal: stop.signal, redactor: new Redactor(), warn: () => {}});
    const view = await observeCluster({api, namespace: 'big', options: {signal: stop.signal}}, 'big');
    const parts = view.machines.filter((machine) => machine.infrastructure?.missing === false && machine.bootstrap?.missing === false).length;
    console.log(`the whole tree of a real cluster: ${view.machines.length} machines, ${parts} with infrastructure and bootstrap object`);
    console.log(`    ${api.requests} requests   goal <= 15: ${verdict(api.requests <= 15 && parts === view.machines.length && parts >= machines)}`);
    api.close();
    report('    describe --all, against clusterctl describe --grouping=false --echo', await compare(ours('--all'), theirs('--grouping=false', '--echo'), {runs: 3}), {goal: 0.1});
    report('    describe, against clusterctl describe', await compare(ours(), theirs(), {runs: 15}), {goal: 1.5});
  } finally {
    if (isOwn) await run(script, ['down', folder]);
  }
}

async function makeMachines(kubectl, env) {
  const cluster = {
    apiVersion: 'cluster.x-k8s.io/v1beta2',
    kind: 'Cluster',
    metadata: {name: 'big', namespace: 'big'},
    spec: {
      clusterNetwork: {pods: {cidrBlocks: ['192.168.0.0/16']}, services: {cidrBlocks: ['10.128.0.0/12']}, serviceDomain: 'cluster.local'},
      topology: {
        classRef: {name: 'in-memory', namespace: 'default'},
        version: 'v1.35.4',
        controlPlane: {replicas: 1},
        workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: machines - 1}]},
      },
    },
  };
  const list = {apiVersion: 'v1', kind: 'List', items: [{apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'big'}}, cluster]};
  const applying = spawn(kubectl, ['apply', '-f', '-'], {env, stdio: ['pipe', 'ignore', 'inherit']});
  applying.stdin.end(JSON.stringify(list));
  await new Promise((resolve, reject) => applying.on('close', (code) => (code === 0 ? resolve() : reject(new Error('the cluster is refused')))));
  const end = Date.now() + 30 * 60_000;
  for (let ready = 0; ready < machines; ) {
    if (Date.now() > end) throw new Error(`only ${ready} of ${machines} machines have a node after 30 minutes`);
    await pause(5000);
    const {stdout} = await run(kubectl, ['get', 'machines', '-n', 'big', '-o', 'jsonpath={range .items[*]}{.status.nodeRef.name}{"\\n"}{end}'], {env, maxBuffer: 1 << 26});
    ready = stdout.split('\n').filter((line) => line !== '').length;
  }
}

export async function benchFleet(home) {
  const server = talkTo([here('fleet-server.mjs'), '1000', '10']);
  try {
    const {kubeconfig} = await server.next();
    const env = {PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: home, KUBECONFIG: kubeconfig};
    const runs = [];
    for (let count = 0; count < 4; count += 1) {
      const started = Date.now();
      const {stdout, stderr} = await run(process.execPath, ['--import', here('peak-memory.mjs'), program, 'cluster', 'list', '-A'], {cwd: home, env, maxBuffer: 1 << 26});
      runs.push({ms: Date.now() - started, peak: Number(/peak-memory (\d+)/.exec(stderr)?.[1]) / 1024, rows: stdout.trim().split('\n').length - 1});
    }
    const ms = median(runs.slice(1).map((one) => one.ms));
    const peak = Math.max(...runs.map((one) => one.peak));
    console.log(`1,000 clusters with 10,000 machines of the embedded API (SIMULATED): ${runs[0].rows} rows, whole process`);
    console.log(`    listed in ${ms.toFixed(0)} ms   goal <= 2000: ${verdict(ms <= 2000)}`);
    console.log(`    memory ${peak.toFixed(0)} MiB at most   goal <= 250: ${verdict(peak <= 250)}`);
    await benchWatch(server, kubeconfig);
  } finally {
    server.child.stdin.end('stop\n');
    server.child.kill('SIGTERM');
  }
}

async function benchWatch(server, kubeconfig) {
  const watcher = talkTo([here('fleet-watcher.mjs'), kubeconfig]);
  const {clusters, memory: first} = await watcher.next();
  server.child.stdin.write('churn 200 60\n');
  const samples = [];
  const churned = server.next();
  let isDone = false;
  void churned.then(() => (isDone = true));
  while (!isDone) {
    await pause(5000);
    watcher.child.stdin.write('memory\n');
    samples.push((await watcher.next()).memory);
  }
  const {changes, seconds} = await churned;
  watcher.child.stdin.write('compare\n');
  const {isEqual, degraded} = await watcher.next();
  const half = Math.floor(samples.length / 2);
  const [early, late] = [median(samples.slice(1, half)), median(samples.slice(half))];
  console.log(`a watch of ${clusters} clusters through ${changes} changes in ${seconds.toFixed(0)} s`);
  console.log(`    memory ${first} MiB at first, ${early} MiB in the first half, ${late} MiB in the second   goal flat (<= 1.15): ${verdict(late / early <= 1.15)}`);
  console.log(`    compared with a fresh look (${degraded} degraded): ${isEqual ? 'equal' : 'DIFFERENT'}   goal equal: ${verdict(isEqual)}`);
}
