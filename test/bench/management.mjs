// The embedded management API with 1,000 clusters: how long all its machines take to be listed, and whether a watch follows 200 changes a second.
// The server is a process of its own, so that the client's memory is the client's alone.
import {fork} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const clusters = 1000;
const perCluster = 10;
const perSecond = 200;
/** In s. */
const watched = Number(process.env['WATCH_SECONDS'] ?? 60);
const mib = (bytes) => Math.round(bytes / 1024 / 1024);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

if (process.argv[2] === 'serve') await serve();

async function serve() {
  const {startManagement} = await import('../../build/sandbox/management/management.js');
  const {seedFleet, churnMachines} = await import('../../build/sandbox/management/scale-out.js');
  const api = await startManagement({controllers: false});
  const started = Date.now();
  seedFleet(api, {clusters, machines: perCluster});
  process.send({kubeconfig: api.kubeconfig.path, seeded: Date.now() - started});
  let churn;
  process.on('message', async (message) => {
    if (message === 'churn') churn = churnMachines(api, perSecond);
    if (message === 'still') process.send({changes: churn.stop(), memory: process.memoryUsage().rss});
    if (message === 'stop') {
      await api.stop();
      process.exit(0);
    }
  });
}

export async function benchManagement() {
  const server = fork(fileURLToPath(import.meta.url), ['serve']);
  const told = () => new Promise((resolve) => server.once('message', resolve));
  try {
    const {kubeconfig, seeded} = await told();
    const {connect} = await import('../../build/kube/client.js');
    const {Redactor} = await import('../../build/kernel/redact.js');
    const controller = new AbortController();
    const api = await connect({kubeconfig, signal: controller.signal, redactor: new Redactor(), warn: () => {}});
    const machines = await api.resource({apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'Machine'});
    const started = performance.now();
    const first = await api.list(machines);
    const took = performance.now() - started;
    const peak = mib(process.resourceUsage().maxRSS * 1024);
    console.log(`the embedded management API: ${clusters} clusters seeded in ${seeded} ms`);
    console.log(`    ${first.items.length} machines listed in ${took.toFixed(0)} ms   goal <= 2000: ${took <= 2000 ? 'met' : 'MISSED'}`);
    console.log(`    memory of the client ${peak} MiB at most   goal <= 250: ${peak <= 250 ? 'met' : 'MISSED'}`);
    await follow(api, machines, {server, told, controller});
    api.close();
  } finally {
    server.send('stop');
    await new Promise((resolve) => server.once('exit', resolve));
  }
}

async function follow(api, machines, {server, told, controller}) {
  const view = new Map();
  let events = 0;
  const watching = (async () => {
    for await (const event of api.watch(machines, {signal: controller.signal})) {
      if (event.type === 'listed') for (const one of event.items) view.set(one.metadata.name, one.metadata.resourceVersion);
      else if (event.type === 'deleted') view.delete(event.object.metadata.name);
      else if ('object' in event) view.set(event.object.metadata.name, event.object.metadata.resourceVersion);
      if ('object' in event) events += 1;
    }
  })().catch(() => {});
  while (view.size === 0) await sleep(20);
  server.send('churn');
  const memory = [];
  for (let second = 0; second < watched; second += 1) {
    await sleep(1000);
    if (second % 5 === 4) memory.push(mib(process.memoryUsage().heapUsed));
  }
  server.send('still');
  const {changes, memory: serverMemory} = await told();
  const wanted = (await api.list(machines)).items;
  const deadline = Date.now() + 5000;
  const differing = () => wanted.filter((one) => view.get(one.metadata.name) !== one.metadata.resourceVersion).length;
  while (differing() > 0 && Date.now() < deadline) await sleep(20);
  const different = differing() + Math.abs(view.size - wanted.length);
  controller.abort(new Error('done'));
  await watching;
  const half = Math.floor(memory.length / 2);
  const low = (values) => Math.min(...values);
  const growth = low(memory.slice(half)) - low(memory.slice(0, Math.max(1, half)));
  console.log(`    watched ${watched} s: ${changes} changes, ${events} events, ${different} objects differ in the end: ${events === changes && different === 0 ? 'met' : 'MISSED'}`);
  console.log(`    heap of the client ${low(memory.slice(0, Math.max(1, half)))} to ${low(memory.slice(half))} MiB (lowest of each half)   goal: flat: ${growth <= 16 ? 'met' : 'MISSED'}; server ${mib(serverMemory)} MiB`);
}
