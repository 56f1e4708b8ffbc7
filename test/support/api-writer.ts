// A client that writes to a cluster all the time, and knows in the end which writes were acknowledged.
import {Agent, request} from 'node:https';
import {setTimeout as pause} from 'node:timers/promises';
import {parse} from 'yaml';

interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface ApiWriter {
  /** Ends the writing; what was acknowledged, and the longest time without any acknowledgement, in ms. */
  stop(): Promise<{readonly acknowledged: readonly string[]; readonly failed: number; readonly longestGap: number}>;
  /** Names of the objects that are there now. */
  list(): Promise<ReadonlySet<string>>;
}

/** Writes a ConfigMap every `interval` ms, one after the other. A write without an answer counts as neither done nor lost. */
export function startWriter(kubeconfig: string, interval: number): ApiWriter {
  const config = parse(kubeconfig) as {
    clusters: [{cluster: {server: string; 'certificate-authority-data': string}}];
    users: [{user: {'client-certificate-data': string; 'client-key-data': string}}];
  };
  const decode = (text: string) => Buffer.from(text, 'base64').toString('utf8');
  const {cluster} = config.clusters[0];
  const {user} = config.users[0];
  const agent = new Agent({
    keepAlive: true,
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(new URL(path, cluster.server), {method, agent, headers: {'content-type': 'application/json'}, timeout: 5000}, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({status: response.statusCode ?? 0, body: text}));
        response.on('error', reject);
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer in 5 s')));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const path = '/api/v1/namespaces/default/configmaps';
  const acknowledged: string[] = [];
  let failed = 0;
  let longestGap = 0;
  let last = Date.now();
  let isOver = false;
  const writing = (async () => {
    for (let count = 0; !isOver; count += 1) {
      const name = `written-${count}`;
      const answer = await ask('POST', path, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {name, labels: {writer: 'test'}},
        data: {count: String(count)},
      }).catch(() => undefined);
      if (answer?.status === 201) {
        acknowledged.push(name);
        longestGap = Math.max(longestGap, Date.now() - last);
        last = Date.now();
      } else failed += 1;
      await pause(interval);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await writing;
      longestGap = Math.max(longestGap, Date.now() - last);
      return {acknowledged, failed, longestGap};
    },
    list: async () => {
      const {body} = await ask('GET', `${path}?labelSelector=writer%3Dtest`);
      const {items} = JSON.parse(body) as {items: readonly {metadata: {name: string}}[]};
      return new Set(items.map((item) => item.metadata.name));
    },
  };
}
