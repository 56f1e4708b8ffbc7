// A process of its own: follows a fleet as the dashboard does, and says how much memory that takes; in the end it compares what it has with a fresh look.
import {createInterface} from 'node:readline';
import {setTimeout as pause} from 'node:timers/promises';
import {followFleet} from '../../build/fleet/fleet-store.js';
import {Redactor} from '../../build/kernel/redact.js';
import {connect} from '../../build/kube/client.js';
import {observeFleet, watchFleet} from '../../build/modes/controller/observe/observe.js';

const stop = new AbortController();
const api = await connect({kubeconfig: process.argv[2], signal: stop.signal, redactor: new Redactor(), warn: () => {}});
const place = {api, namespace: 'default', options: {signal: stop.signal}};
const store = followFleet([{id: 'bench', changes: watchFleet(place, undefined, stop.signal)}]);
let updates = 0;
store.subscribe(() => (updates += 1));
while (store.get().rows.length === 0) await pause(50);
const say = (value) => console.log(JSON.stringify(value));
const memory = () => Math.round(process.memoryUsage().rss / 2 ** 20);
say({clusters: store.get().rows.length, memory: memory()});
const timeless = (views) => JSON.stringify(views.map(({seenAt: _seen, ...view}) => view).toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1)));

createInterface({input: process.stdin}).on('line', async (line) => {
  if (line === 'memory') say({memory: memory(), updates});
  if (line !== 'compare') return;
  const end = Date.now() + 10_000;
  let isEqual = false;
  while (!isEqual && Date.now() < end) {
    await pause(200);
    isEqual = timeless(store.get().rows.map((row) => row.view)) === timeless(await observeFleet(place, undefined));
  }
  say({isEqual, degraded: store.get().rows.filter((row) => row.view.health === 'degraded').length});
  stop.abort();
  api.close();
  process.exit(0);
});
