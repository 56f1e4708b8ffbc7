// The suite of the embedded management API, against a real kube-apiserver with Cluster API's own managers and the in-memory provider.
import {afterAll, describe} from 'vitest';
import {Redactor} from '../../src/kernel/redact.ts';
import {connect} from '../../src/kube/client.ts';
import {describeManagementApi} from '../contract/management-api.ts';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';

const missing = await missingManagementCluster();

const readOnlyRole = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: {name: 'contract-viewer'},
      rules: [{apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch']}],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: {name: 'contract-viewer'},
      roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'contract-viewer'},
      subjects: [{apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'viewer'}],
    },
  ],
});

describe.skipIf(missing !== undefined)(`a real management API${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  let management: ManagementCluster | undefined;

  // whatever happened, even when it never opened; hooks of the end run last to first
  afterAll(async () => management?.stop());

  describeManagementApi(async () => {
    management = await startManagementCluster();
    await management.kubectl(['apply', '-f', '-'], {input: readOnlyRole});
    const {signal} = new AbortController();
    const open = (kubeconfig: string) => connect({kubeconfig, signal, redactor: new Redactor(), warn: () => {}});
    const [api, readOnly] = await Promise.all([open(management.kubeconfig), open(await management.user('viewer'))]);
    return {
      api,
      readOnly,
      patience: 120_000,
      close: async () => {
        api.close();
        readOnly.close();
      },
    };
  });
});
