import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {ClusterApi} from '../../../src/agentd/cluster-api.ts';
import {withLease} from '../../../src/agentd/lease.ts';

describe('a turn among agents', () => {
  let server: Server;
  let api: ClusterApi;
  /** How often the API still refuses, as one does that has just been started. */
  let refusals: number;
  let holder: string | undefined;

  beforeEach(async () => {
    refusals = 0;
    holder = undefined;
    server = createServer((request, response) => {
      const answer = (status: number, body: unknown) => response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body));
      if (refusals > 0) {
        refusals -= 1;
        return answer(403, {message: 'forbidden'});
      }
      if (request.method === 'POST') {
        holder = 'h2';
        return answer(201, {});
      }
      if (request.method === 'DELETE') {
        holder = undefined;
        return answer(200, {});
      }
      return holder === undefined ? answer(404, {}) : answer(200, {metadata: {name: 'turn', resourceVersion: '1'}, spec: {holderIdentity: holder}});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = new ClusterApi({server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`});
  });
  afterEach(async () => {
    api.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const turn = (patience?: number, told: string[] = []) =>
    withLease(
      api,
      {name: 'turn', self: 'h2', signal: new AbortController().signal, onWait: (who) => told.push(who), ...(patience === undefined ? {} : {patience})},
      async () => holder,
    );

  it('is held while it lasts, and let go of afterwards', async () => {
    expect(await turn()).toBe('h2');
    expect(holder).toBeUndefined();
  });

  it('waits with patience for an API that is being started anew, and tells so', async () => {
    refusals = 1;
    const told: string[] = [];
    expect(await turn(10_000, told)).toBe('h2');
    expect(told).toEqual([expect.stringContaining('forbidden')]);
  });

  it("doesn't wait without", async () => {
    refusals = 1;
    await expect(turn()).rejects.toMatchObject({code: 'agent.failed'});
  });
});
