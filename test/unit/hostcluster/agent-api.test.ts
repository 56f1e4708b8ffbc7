import {describe, expect, it} from 'vitest';
import {apiThroughAgents} from '../../../src/hostcluster/agent-api.ts';
import type {AgentLink} from '../../../src/hostcluster/link.ts';
import type {KubernetesAnswer, KubernetesRequest} from '../../../src/hostcluster/protocol.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {nodes} from '../../../src/kube/node-pods.ts';

type Answer = (request: KubernetesRequest) => KubernetesAnswer;

/** Links to agents that answer by these functions, and what was asked of whom. */
function fleet(answers: Readonly<Record<string, Answer>>) {
  const asked: string[] = [];
  const forgotten: string[] = [];
  const scope = {
    link: async (host: string) =>
      ({
        kubernetes: async (request: KubernetesRequest) => {
          asked.push(`${host} ${request.method} ${request.path.split('?')[0]}`);
          return (answers[host] as Answer)(request);
        },
      }) as unknown as AgentLink,
    forget: async (host: string) => void forgotten.push(host),
  };
  return {asked, forgotten, api: apiThroughAgents(scope, {controlPlanes: Object.keys(answers), signal: AbortSignal.timeout(5000), settling: 40})};
}

const json = (status: number, body: unknown): KubernetesAnswer => ({status, headers: {'content-type': 'application/json'}, text: JSON.stringify(body)});
const node = {apiVersion: 'v1', kind: 'Node', metadata: {name: 'h4'}};
const silent: Answer = () => {
  throw new TriremeError('agent.not-answering', 'The agent on h1 does not answer.', {host: 'h1'});
};

describe('the API through agents', () => {
  it('asks the next control plane when one is silent, dials that one anew, and stays with who answered', async () => {
    const {api, asked, forgotten} = fleet({h1: silent, h2: () => json(200, node)});
    expect((await api.get(nodes, {name: 'h4'}))?.metadata.name).toBe('h4');
    await api.get(nodes, {name: 'h4'});
    expect(asked).toEqual(['h1 GET /api/v1/nodes/h4', 'h2 GET /api/v1/nodes/h4', 'h2 GET /api/v1/nodes/h4']);
    expect(forgotten).toEqual(['h1']);
  });

  it('takes a refusal of the API for its answer: nobody else is asked', async () => {
    const {api, asked} = fleet({h1: () => json(403, {kind: 'Status', message: 'no', reason: 'Forbidden'}), h2: () => json(200, node)});
    await expect(api.patch(nodes, {name: 'h4'}, {type: 'merge', body: {}})).rejects.toMatchObject({code: 'api.forbidden'});
    expect(new Set(asked)).toEqual(new Set(['h1 PATCH /api/v1/nodes/h4']));
  });

  it('asks a server again that has just started and forbids its administrators everything', async () => {
    let asked = 0;
    const {api} = fleet({h1: () => json((asked += 1) === 1 ? 403 : 200, asked === 1 ? {kind: 'Status', message: 'no', reason: 'Forbidden'} : node)});
    expect((await api.get(nodes, {name: 'h4'}))?.metadata.name).toBe('h4');
    expect(asked).toBe(2);
  });

  it('says so when nobody answers a change', async () => {
    const {api} = fleet({h1: silent});
    await expect(api.patch(nodes, {name: 'h4'}, {type: 'merge', body: {}})).rejects.toMatchObject({code: 'api.unreachable'});
  });

  it('passes on what an older agent says of a question that it does not know', async () => {
    const old: Answer = () => {
      throw new TriremeError('usage.invalid', "The agent's API has no POST /v1/kubernetes.");
    };
    await expect(fleet({h1: old, h2: () => json(200, node)}).api.get(nodes, {name: 'h4'})).rejects.toThrow('/v1/kubernetes');
  });
});
