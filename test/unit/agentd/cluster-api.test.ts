// The agent's small client of the API: a connection that was kept, and whose server went away in the meantime.
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {ClusterApi} from '../../../src/agentd/cluster-api.ts';

let server: Server;
let api: ClusterApi;
afterEach(() => {
  api.close();
  server.closeAllConnections();
  server.close();
});

/** Answers but for the requests with these numbers, whose connections it resets. */
async function begin(...broken: readonly number[]): Promise<() => number> {
  let count = 0;
  server = createServer((request, response) => {
    count += 1;
    if (broken.includes(count)) return void request.socket.resetAndDestroy();
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new ClusterApi({server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`});
  return () => count;
}

describe('a kept connection that is gone', () => {
  it('is no failure of what may be asked twice', async () => {
    const count = await begin(2, 4);
    for (const request of [{path: '/'}, {path: '/'}, {method: 'POST', path: '/', body: {}, isRepeatable: true}] as const)
      expect((await api.send(request)).status).toBe(200);
    expect(count()).toBe(5);
  });

  it('is one of a change, which the server may have made', async () => {
    const count = await begin(2);
    await api.send({path: '/'});
    await expect(api.send({method: 'POST', path: '/', body: {}})).rejects.toMatchObject({code: 'host.unreachable'});
    expect(count()).toBe(2);
  });

  it('is asked again only once, and a new one not at all', async () => {
    const count = await begin(1);
    await expect(api.send({path: '/'})).rejects.toMatchObject({code: 'host.unreachable'});
    expect(count()).toBe(1);
  });
});
