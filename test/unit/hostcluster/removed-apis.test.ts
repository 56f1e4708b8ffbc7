import {expect, it} from 'vitest';
import type {AgentLink} from '../../../src/hostcluster/link.ts';
import type {KubernetesAnswer, KubernetesRequest} from '../../../src/hostcluster/protocol.ts';
import {findRemovedApis, removedApiWarnings} from '../../../src/hostcluster/removed-apis.ts';

const metrics = `apiserver_requested_deprecated_apis{group="flowcontrol.apiserver.k8s.io",removed_release="1.32",resource="flowschemas",subresource="",version="v1beta3"} 1
apiserver_requested_deprecated_apis{group="",removed_release="",resource="componentstatuses",subresource="",version="v1"} 1
apiserver_requested_deprecated_apis{group="batch",removed_release="1.40",resource="cronjobs",subresource="status",version="v1beta9"} 1`;
const item = (name: string, apiVersion: string) => ({
  metadata: {
    name,
    managedFields: [
      {manager: 'kubectl', apiVersion},
      {manager: 'api-priority', apiVersion: 'flowcontrol.apiserver.k8s.io/v1'},
    ],
  },
});
const answers: Readonly<Record<string, unknown>> = {
  '/apis/flowcontrol.apiserver.k8s.io': {preferredVersion: {version: 'v1'}},
  '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas?limit=500': {
    items: [item('ours', 'flowcontrol.apiserver.k8s.io/v1beta3'), item('new', 'flowcontrol.apiserver.k8s.io/v1')],
  },
};

it('names what the target does not serve any more, and the objects and managers that are behind it', async () => {
  const asked: (readonly [string, KubernetesRequest])[] = [];
  const link = (host: string) =>
    Promise.resolve({
      kubernetes: async (request: KubernetesRequest): Promise<KubernetesAnswer> => {
        asked.push([host, request]);
        const text = request.path === '/metrics' ? (host === 'h2' ? metrics : '') : JSON.stringify(answers[request.path]);
        return {status: text === undefined ? 404 : 200, headers: {}, text: text ?? ''};
      },
    } as unknown as AgentLink);
  const found = await findRemovedApis({link}, {controlPlanes: ['h1', 'h2'], to: 'v1.36.3', signal: AbortSignal.timeout(5000)});
  expect(found).toEqual([{group: 'flowcontrol.apiserver.k8s.io', version: 'v1beta3', resource: 'flowschemas', removedIn: '1.32', objects: ['ours (kubectl)']}]);
  // every API server for itself: each counts what it was asked; and nobody is asked by the old version
  expect(asked.filter(([, request]) => request.path === '/metrics').map(([host, request]) => [host, request.own])).toEqual([
    ['h1', true],
    ['h2', true],
  ]);
  expect(asked.some(([, request]) => request.path.includes('v1beta3'))).toBe(false);
  expect(removedApiWarnings(found, 'v1.36.3')[0]).toMatchObject({
    code: 'api.removed',
    message: expect.stringContaining("v1.32 and so v1.36.3 doesn't serve them any more. Written by it: ours (kubectl)."),
  });
  expect(await findRemovedApis({link}, {controlPlanes: ['h1', 'h2'], to: 'v1.31.0', signal: AbortSignal.timeout(5000)})).toEqual([]);
});
