// Writes through an endpoint at a fixed pace, each on a connection of its own, whatever became of the one before: so a gap in what was acknowledged is
// the time in which nobody could have been served, not a client's patience.
import {request} from 'node:https';
import {parse} from 'yaml';

export interface ApiPulse {
  /** When the first write after `since` was acknowledged, that was sent after it, in ms since 1970. Rejects after `timeout` ms. */
  acknowledgedAfter(since: number, timeout: number): Promise<number>;
  /** Ends it; the names that were acknowledged, and those that are there. */
  stop(): Promise<{readonly acknowledged: readonly string[]; readonly present: ReadonlySet<string>; readonly longestGap: number}>;
}

const pace = 100;
const patience = 3000;

/** Begins to write ConfigMaps named `PREFIX-N` at the server that the kubeconfig names. */
export function startPulse(kubeconfig: string, prefix: string): ApiPulse {
  const config = parse(kubeconfig) as {
    clusters: [{cluster: {server: string; 'certificate-authority-data': string}}];
    users: [{user: {'client-certificate-data': string; 'client-key-data': string}}];
  };
  const decode = (text: string) => Buffer.from(text, 'base64').toString('utf8');
  const {cluster} = config.clusters[0];
  const {user} = config.users[0];
  const identity = {
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
  const ask = (method: string, path: string, body?: unknown) =>
    new Promise<{readonly status: number; readonly text: string}>((resolve, reject) => {
      const sent = request(new URL(path, cluster.server), {method, ...identity, agent: false, headers: {'content-type': 'application/json'}}, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({status: response.statusCode ?? 0, text}));
        response.on('error', reject);
      });
      const bell = setTimeout(() => sent.destroy(new Error(`no answer in ${patience} ms`)), patience);
      sent.on('close', () => clearTimeout(bell));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const path = '/api/v1/namespaces/default/configmaps';
  const done: {readonly name: string; readonly sent: number; readonly at: number}[] = [];
  const waiting = new Set<() => void>();
  const underWay = new Set<Promise<void>>();
  let count = 0;
  const beat = () => {
    // a machine that is too slow for the pace gets no queue
    if (underWay.size >= 40) return;
    const name = `${prefix}-${(count += 1)}`;
    const sent = Date.now();
    const work = ask('POST', path, {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name, labels: {pulse: prefix}}}).then(
      ({status}) => {
        if (status !== 201) return;
        done.push({name, sent, at: Date.now()});
        for (const look of waiting) look();
      },
      () => {},
    );
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  };
  const timer = setInterval(beat, pace);
  return {
    acknowledgedAfter: (since, timeout) =>
      new Promise((resolve, reject) => {
        const bell = setTimeout(() => (waiting.delete(look), reject(new Error(`no write was acknowledged in ${timeout} ms`))), timeout);
        const look = () => {
          const found = done.find((one) => one.sent >= since);
          if (found === undefined) return;
          clearTimeout(bell);
          waiting.delete(look);
          resolve(found.at);
        };
        waiting.add(look);
        look();
      }),
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      const {items} = JSON.parse((await ask('GET', `${path}?labelSelector=pulse%3D${prefix}`)).text) as {items: readonly {metadata: {name: string}}[]};
      const times = done.map((one) => one.at).toSorted((a, b) => a - b);
      const longestGap = Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] as number)));
      return {acknowledged: done.map((one) => one.name), present: new Set(items.map((item) => item.metadata.name)), longestGap};
    },
  };
}
