import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {openAgentLink, type AgentLink} from '../../../src/hostcluster/link.ts';
import {localRunner, type LocalRunner} from '../../support/local-runner.ts';
import {agentState, desiredCluster, freshFacts, memberFacts} from './fixtures.ts';
import {hostsOf, wantedOf} from '../../../src/hostcluster/wanted.ts';

const dial = `#!/bin/sh
exec ${process.execPath} -e '
const socket = require("node:net").connect(process.env.TRIREME_ROOT + "/agent.sock");
socket.on("error", (error) => { console.error("nothing answers: " + error.code); process.exitCode = 4; process.stdin.destroy(); });
process.stdin.pipe(socket); socket.pipe(process.stdout); socket.on("close", () => process.stdin.destroy());
'
`;

describe('a link to an agent', () => {
  let root: string;
  let runner: LocalRunner;
  let link: AgentLink;
  let server: Server | undefined;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tl-'));
    runner = localRunner('h1', root);
    link = openAgentLink(runner);
  });
  afterEach(async () => {
    link.close();
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
    await rm(root, {recursive: true, force: true});
  });

  async function install(): Promise<void> {
    const folder = join(root, 'usr/local/lib/trireme/current');
    await mkdir(folder, {recursive: true});
    await writeFile(join(folder, 'trireme-agent'), dial);
    await chmod(join(folder, 'trireme-agent'), 0o755);
  }
  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<void> {
    await install();
    server = createServer(answer);
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server?.listen(join(root, 'agent.sock'), resolve));
  }
  const state = () => {
    const cluster = desiredCluster();
    const facts = freshFacts(cluster);
    const host = hostsOf(cluster)[0];
    if (host === undefined) throw new Error('no host');
    return agentState(wantedOf(cluster, facts, host, memberFacts('h1')));
  };

  it('says that there is no agent', async () => {
    await expect(link.state()).rejects.toMatchObject({code: 'agent.not-installed', host: 'h1'});
  });

  it('says that the agent does not answer, and why', async () => {
    await install();
    await expect(link.state()).rejects.toMatchObject({code: 'agent.not-answering', host: 'h1', message: expect.stringContaining('nothing answers: ENOENT')});
  });

  it('uses one channel for one request after the other', async () => {
    await serve((_request, response) => response.end(JSON.stringify(state())));
    expect((await link.state()).host).toBe('h1');
    expect((await link.state()).host).toBe('h1');
    expect(runner.roundTrips).toBe(1);
  });

  it('dials anew after the channel broke while it was idle', async () => {
    await serve((_request, response) => response.end(JSON.stringify(state())));
    await link.state();
    server?.closeAllConnections();
    expect((await link.state()).host).toBe('h1');
    expect(runner.roundTrips).toBe(2);
  });

  it('refuses an agent of another protocol, and says which side is older', async () => {
    await serve((_request, response) => response.end(JSON.stringify({...state(), protocol: 2, version: '9.0.0'})));
    await expect(link.state()).rejects.toMatchObject({code: 'agent.incompatible', hints: ['Use a newer trireme on this computer.']});
  });

  it("passes the agent's own refusal on, with the host", async () => {
    await serve((_request, response) => {
      response.statusCode = 409;
      response.end(JSON.stringify({code: 'cluster.foreign', message: 'belongs to another', hints: ['reset'], exit: 8}));
    });
    await expect(link.putWanted({wanted: state().wanted as never})).rejects.toMatchObject({
      code: 'cluster.foreign',
      message: 'belongs to another',
      hints: ['reset'],
      host: 'h1',
    });
  });

  it('follows events from a number on, while it asks for the state on a second channel, and ends with the signal', async () => {
    const asked: string[] = [];
    await serve((request, response) => {
      asked.push(request.url ?? '');
      if (request.url?.startsWith('/v1/events') !== true) return void response.end(JSON.stringify(state()));
      response.writeHead(200);
      response.write('{"type":"phase.started","seq":8}\n\n{"type":"phase.started","se');
      setImmediate(() => response.write('q":9}\n'));
    });
    const stop = new AbortController();
    const seen: number[] = [];
    const following = (async () => {
      for await (const event of link.events(7, {signal: stop.signal})) {
        seen.push(event.seq);
        if (event.seq !== 9) continue;
        await link.state();
        stop.abort();
      }
    })();
    await expect(following).rejects.toMatchObject({name: 'AbortError'});
    expect(seen).toEqual([8, 9]);
    expect(asked).toEqual(['/v1/events?after=7', '/v1/state']);
  });

  it('throws when the stream of events breaks, so that it can be taken up again', async () => {
    await serve((_request, response) => {
      response.writeHead(200);
      response.write('{"type":"phase.started","seq":1}\n');
      setTimeout(() => response.destroy(), 20);
    });
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const event of link.events(0)) seen.push(event.seq);
      })(),
    ).rejects.toMatchObject({code: 'agent.not-answering'});
    expect(seen).toEqual([1]);
  });

  it('sends labels and taints of a node, and bodies larger than a pipe', async () => {
    let body = '';
    let path = '';
    await serve((request, response) => {
      path = `${request.method} ${request.url}`;
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end('{}'));
    });
    await link.postNode('h4', {labels: {zone: 'a'}, taints: []});
    expect([path, body]).toEqual(['POST /v1/nodes/h4', '{"labels":{"zone":"a"},"taints":[]}']);
    body = '';
    const wanted = {...state().wanted, layers: [{name: 'cni', kind: 'cni', manifest: 'x'.repeat(3_000_000)}]};
    await link.putWanted({wanted: wanted as never});
    expect(body.length).toBeGreaterThan(3_000_000);
  });
});
