// The embedded management API held by the suite that also runs against a real one (test/long/management-contract.test.ts).
import {describe} from 'vitest';
import {Redactor} from '../../src/kernel/redact.ts';
import {connect} from '../../src/kube/client.ts';
import {startManagement} from '../../src/sandbox/management/management.ts';
import {describeManagementApi} from './management-api.ts';

describe('the embedded management API', () => {
  describeManagementApi(async () => {
    const management = await startManagement({pace: 'fast'});
    const {signal} = new AbortController();
    const open = (kubeconfig: string) => connect({kubeconfig, signal, redactor: new Redactor(), warn: () => {}});
    const viewer = await management.addUser('viewer');
    const [api, readOnly] = await Promise.all([open(management.kubeconfig.path), open(viewer.kubeconfig.path)]);
    return {
      api,
      readOnly,
      patience: 10_000,
      close: async () => {
        api.close();
        readOnly.close();
        await management.stop();
      },
    };
  });
});
