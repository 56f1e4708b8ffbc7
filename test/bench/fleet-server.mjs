// A process of its own: the embedded management API (SIMULATED) with many clusters in it, at rest or with changes. Reads commands as lines from standard input.
import {createInterface} from 'node:readline';
import {build} from 'esbuild';
import {startManagement} from '../../build/sandbox/management/management.js';

const [clusters, machines] = process.argv.slice(2).map(Number);
const {outputFiles} = await build({entryPoints: [new URL('../support/cluster-api-objects.ts', import.meta.url).pathname], bundle: true, write: false, format: 'esm', platform: 'node'});
const {clusterSet, condition, withConditions} = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);

// nothing is reconciled: the objects are what they are
const api = await startManagement({controllers: false});
const kindOf = (object) => api.kinds.need(object.apiVersion.split('/')[0], object.kind);
// what managers leave in every object, about as large as in real ones
const managedFields = ['manager', 'manager', 'kubectl'].map((manager, index) => ({
  manager,
  operation: index === 2 ? 'Apply' : 'Update',
  time: '2026-11-25T10:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(['Ready', 'Available', 'UpToDate', 'NodeReady', 'NodeHealthy'].map((type) => [`k:{"type":"${type}"}`, {'.': {}, 'f:status': {}, 'f:reason': {}, 'f:message': {}, 'f:lastTransitionTime': {}}])),
}));
const all = [];
const allClusters = [];
for (let number = 0; number < clusters; number += 1) {
  const {objects} = clusterSet({name: `c${number}`, namespace: `ns-${number % 20}`, workers: machines - 1});
  for (const object of objects) {
    api.store.put(kindOf(object), {...object, metadata: {...object.metadata, managedFields}});
    if (object.kind === 'Machine') all.push(object);
    if (object.kind === 'Cluster') allClusters.push(object);
  }
}
console.log(JSON.stringify({kubeconfig: api.kubeconfig.path}));

/** Changes a machine that the number chooses, or each tenth time a cluster; the same number makes the same change. */
function change(number) {
  if (number % 10 === 9) {
    const cluster = allClusters[(number * 7919) % allClusters.length];
    const readyReplicas = machines - 1 - (number % 2 === 0 ? 0 : Math.floor(number / 10) % 2);
    const status = {...cluster.status, workers: {...cluster.status?.workers, readyReplicas}};
    return void api.store.put(kindOf(cluster), {...cluster, metadata: {...cluster.metadata, managedFields}, status});
  }
  const machine = all[(number * 7919) % all.length];
  const isWell = number % 2 === 0;
  const changed = condition('NodeHealthy', isWell ? 'True' : 'False', isWell ? 'NodeHealthy' : 'NodeNotHealthy', isWell ? '' : `lost ${number}`);
  api.store.put(kindOf(machine), withConditions({...machine, metadata: {...machine.metadata, managedFields}}, changed));
}

createInterface({input: process.stdin}).on('line', (line) => {
  const [command, first, second] = line.split(' ');
  if (command === 'stop') void api.stop().then(() => process.exit(0));
  if (command !== 'churn') return;
  const [rate, seconds] = [Number(first), Number(second)];
  const started = Date.now();
  let done = 0;
  const timer = setInterval(() => {
    const due = Math.min(rate * seconds, Math.floor(((Date.now() - started) / 1000) * rate));
    for (; done < due; done += 1) change(done);
    if (done < rate * seconds) return;
    clearInterval(timer);
    console.log(JSON.stringify({changes: done, seconds: (Date.now() - started) / 1000}));
  }, 20);
});
