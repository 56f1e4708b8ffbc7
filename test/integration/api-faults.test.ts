// The faults of test/e2e/api-faults.test.ts, shorter, and on a small API in process.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe} from 'vitest';
import {faultTimeout, testApiFaults} from '../support/api-faults.ts';
import {kubeconfigFor} from '../support/kube-connection.ts';
import {SmallApi} from '../support/small-api.ts';

describe('through faults, on a small API, a view comes right and writes stay exact', {timeout: faultTimeout}, () => {
  testApiFaults({cutEvery: 300, cuts: 8, failing: 2000, silent: 1500, busy: 1500, latency: 300}, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'small-api-'));
    const small = await new SmallApi().open();
    const server = `http://127.0.0.1:${small.port}`;
    const kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, kubeconfigFor(server));
    return {
      upstream: {server},
      kubeconfig,
      close: async () => {
        await small.close();
        await rm(folder, {recursive: true, force: true});
      },
    };
  });
});
