// The agent's small client of the API: a connection that was kept, and whose server went away in the meantime.
import {createServer, type Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
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

  it('is none when the other one is gone, too', async () => {
    const count = await begin();
    const sockets: Socket[] = [];
    server.on('connection', (socket: Socket) => sockets.push(socket));
    const look = () => api.send({path: '/'});
    await Promise.all([look(), look()]);
    expect(sockets).toHaveLength(2);
    for (const socket of sockets) socket.resetAndDestroy();
    // sent before anything of that can be noticed here
    expect((await look()).status).toBe(200);
    expect([count(), sockets.length]).toEqual([3, 3]);
  });

  it('is one of a change, which the server may have made', async () => {
    const count = await begin(2);
    await api.send({path: '/'});
    await expect(api.send({method: 'POST', path: '/', body: {}})).rejects.toMatchObject({code: 'host.unreachable'});
    expect(count()).toBe(2);
  });

  it('is left, and a new one is not asked again', async () => {
    const count = await begin(1);
    await expect(api.send({path: '/'})).rejects.toMatchObject({code: 'host.unreachable'});
    expect(count()).toBe(1);
  });
});
