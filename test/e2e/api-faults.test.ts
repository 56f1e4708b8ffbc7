// Faults between us and a real kube-apiserver with etcd, with the times that the issue names.
import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {Redactor} from '../../src/kernel/redact.ts';
import {requireAccess} from '../../src/kube/access.ts';
import type {AccessCheck} from '../../src/kube/api.ts';
import {connect} from '../../src/kube/client.ts';
import {faultTimeout, testApiFaults} from '../support/api-faults.ts';
import {configMaps} from '../support/fault-run.ts';
import {missingManagementCluster, startManagementCluster} from '../support/management-cluster.ts';

const reason = await missingManagementCluster({apiOnly: true});
const decoded = (text: string) => Buffer.from(text, 'base64').toString('utf8');

describe.skipIf(reason !== undefined)(`a real API server${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  describe('through faults, a view comes right and writes stay exact', {timeout: faultTimeout}, () => {
    testApiFaults({cutEvery: 5000, cuts: 4, failing: 30_000, silent: 10_000, busy: 5000, latency: 300}, async () => {
      const cluster = await startManagementCluster({apiOnly: true});
      await cluster.kubectl(['create', 'namespace', 'harbour']);
      const config = parse(await readFile(cluster.kubeconfig, 'utf8')) as {
        clusters: [{cluster: {server: string; 'certificate-authority-data': string}}];
        users: [{user: {'client-certificate-data': string; 'client-key-data': string}}];
      };
      const [{cluster: entry}] = config.clusters;
      const [{user}] = config.users;
      return {
        upstream: {
          server: entry.server,
          ca: decoded(entry['certificate-authority-data']),
          cert: decoded(user['client-certificate-data']),
          key: decoded(user['client-key-data']),
        },
        kubeconfig: cluster.kubeconfig,
        close: () => cluster.stop(),
      };
    });
  });

  it('lets a user with read-only rights read, and every write is refused before it begins, with the right named', {timeout: 120_000}, async () => {
    const cluster = await startManagementCluster({apiOnly: true});
    const stop = new AbortController();
    try {
      await cluster.kubectl(['create', 'namespace', 'harbour']);
      await cluster.kubectl(['create', 'configmap', 'berth', '-n', 'harbour']);
      await cluster.kubectl(['create', 'rolebinding', 'reads', '-n', 'harbour', '--clusterrole=view', '--user=reader']);
      const kubeconfig = await cluster.user('reader');
      const api = await connect({kubeconfig, signal: stop.signal, redactor: new Redactor(), warn: () => {}, env: {}});
      // the authorizer reads bindings by a watch of its own, and may not have seen this one
      const names = async () => (await api.list(configMaps, {namespace: 'harbour'})).items.map((one) => one.metadata.name);
      await expect.poll(() => names().catch(() => []), {timeout: 60_000, interval: 100}).toContain('berth');
      const check = (verb: string): AccessCheck => ({verb, group: '', resource: 'configmaps', namespace: 'harbour'});
      await requireAccess(api, ['get', 'list', 'watch'].map(check));
      const refusal = await requireAccess(api, ['get', 'create', 'patch', 'delete'].map(check)).catch((error: unknown) => error);
      expect(refusal).toMatchObject({code: 'api.forbidden', exit: 5, details: {missing: [{verb: 'create'}, {verb: 'patch'}, {verb: 'delete'}]}});
      for (const verb of ['create', 'patch', 'delete']) expect((refusal as Error).message).toContain(`${verb} configmaps in namespace harbour`);
      // what would have happened without the question
      await expect(api.remove(configMaps, {name: 'berth', namespace: 'harbour'})).rejects.toMatchObject({
        code: 'api.forbidden',
        exit: 5,
        details: {verb: 'delete', namespace: 'harbour'},
      });
      await expect(api.list(configMaps)).rejects.toMatchObject({code: 'api.forbidden', details: {verb: 'list', resource: 'configmaps'}});
      api.close();
    } finally {
      stop.abort();
      await cluster.stop();
    }
  });
});
