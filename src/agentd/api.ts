// The agent's API: HTTP over a unix socket that only root may open.
import {createReadStream} from 'node:fs';
import {chmod, mkdir, rm} from 'node:fs/promises';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {dirname} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {TriremeError} from '../kernel/errors.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import type {ErrorCode} from '../kernel/error-codes.ts';
import {problemOf} from '../kernel/problem.ts';
import type {KubernetesRequest, PutWanted} from '../hostcluster/protocol.ts';
import type {Agent} from './agent.ts';
import type {NodeWish} from './reconciler.ts';

/** In bytes: manifests of layers and files are in a wanted document. */
const longestBody = 64 * 1024 * 1024;
/** In ms: an empty line now and then shows both ends that the stream lives. */
const heartbeat = 20_000;

const statusByCode: Partial<Record<ErrorCode, number>> = {
  'agent.incompatible': 409,
  'cluster.foreign': 409,
  'plan.refused': 409,
  'usage.invalid': 400,
  'cluster.not-made': 404,
  'host.not-found': 404,
  'host.unreachable': 503,
  'backup.damaged': 400,
};

/** Serves until `close`. A socket left by a killed agent is replaced. */
export async function serveApi(agent: Agent, socket: string): Promise<{close(): Promise<void>}> {
  await mkdir(dirname(socket), {recursive: true, mode: 0o700});
  await rm(socket, {force: true});
  const server = createServer((request, response) => void answer(agent, request, response));
  server.keepAliveTimeout = 0;
  // `dial` passes the end of its input on; an answer that is under way is still sent. Node has the switch but no type for it.
  (server as unknown as {httpAllowHalfOpen: boolean}).httpAllowHalfOpen = true;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // nobody gets in between listen and chmod
    const before = process.umask(0o177);
    server.listen(socket, () => resolve());
    process.umask(before);
  });
  await chmod(socket, 0o600);
  return {close: () => closeServer(server, socket)};
}

async function closeServer(server: Server, socket: string): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await rm(socket, {force: true});
}

async function answer(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    await route(agent, request, response);
  } catch (error) {
    const problem = problemOf(error);
    if (response.headersSent) response.destroy();
    else sendJson(response, statusByCode[problem.code] ?? 500, problem);
  }
}

async function route(agent: Agent, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  const [, version, name, rest] = url.pathname.split('/');
  const what = version === 'v1' ? `${request.method} ${name}` : '';
  switch (what) {
    case 'GET state':
      return sendJson(response, 200, await agent.freshState());
    case 'PUT wanted': {
      const changed = await agent.putWanted((await readBody(request)) as PutWanted);
      return sendJson(response, 200, {changed, wantedDigest: agent.wantedDigest});
    }
    case 'GET events':
      return sendEvents(agent, Number(url.searchParams.get('after') ?? 0), url.searchParams.get('follow') !== '0', response);
    case 'GET kubeconfig':
      response.setHeader('content-type', 'application/yaml');
      response.end(await agent.kubeconfig());
      return;
    case 'GET secrets':
      return sendJson(response, 200, agent.secretsOfControlPlane());
    case 'POST nodes': {
      const changed = await agent.setNode(decodeURIComponent(rest ?? ''), requireWish(await readBody(request)));
      return sendJson(response, 200, {changed});
    }
    case 'POST certificates': {
      const {at} = (await readBody(request)) as {readonly at?: string};
      await agent.renewCertificates(at);
      return sendJson(response, 202, {});
    }
    case 'GET cluster-events':
      return sendJson(response, 200, await agent.clusterEvents());
    case 'GET snapshot':
      return sendSnapshot(agent, response);
    case 'PUT snapshot':
      await agent.receiveSnapshot(request, String(request.headers['trireme-digest'] ?? ''));
      return sendJson(response, 200, {});
    case 'POST kubernetes':
      return sendJson(response, 200, await agent.askKubernetes(requireQuestion(await readBody(request))));
    case 'DELETE etcd-members': {
      const addresses = url.searchParams.getAll('address');
      return sendJson(response, 200, {existed: await agent.removeEtcdMember(decodeURIComponent(rest ?? ''), addresses)});
    }
    default:
      throw new TriremeError('usage.invalid', `The agent's API has no ${request.method} ${url.pathname}.`);
  }
}

function requireWish(body: unknown): NodeWish {
  const {labels, taints} = (body ?? {}) as Partial<NodeWish>;
  if (typeof labels !== 'object' || labels === null) throw new TriremeError('usage.invalid', 'The body lacks `labels`.');
  if (taints !== undefined && !Array.isArray(taints)) throw new TriremeError('usage.invalid', "`taints` isn't a list.");
  return {labels, ...(taints === undefined ? {} : {taints})};
}

function requireQuestion(body: unknown): KubernetesRequest {
  const question = (body ?? {}) as Partial<KubernetesRequest>;
  if (typeof question.method !== 'string' || typeof question.path !== 'string' || !question.path.startsWith('/'))
    throw new TriremeError('usage.invalid', 'The body lacks `method` or `path`.');
  return question as KubernetesRequest;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > longestBody) throw new TriremeError('usage.invalid', `The document is larger than ${longestBody / 1024 / 1024} MiB.`);
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new TriremeError('usage.invalid', `The document isn't JSON: ${(error as Error).message}`, {cause: error});
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const text = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {'content-type': 'application/json', 'content-length': Buffer.byteLength(text)});
  response.end(text);
}

/** The copy is gone from this host when it has been sent, or the link broke. */
async function sendSnapshot(agent: Agent, response: ServerResponse): Promise<void> {
  const snapshot = await agent.takeSnapshot();
  try {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': snapshot.size,
      'trireme-digest': snapshot.digest,
      'trireme-data-version': snapshot.version,
      'trireme-simulated': String(snapshot.simulated),
    });
    await pipeline(createReadStream(snapshot.path, {highWaterMark: 1 << 18}), response);
  } finally {
    await snapshot.remove();
  }
}

/** Recorded events after `after`, then live ones, as one JSON object a line. */
async function sendEvents(agent: Agent, after: number, follow: boolean, response: ServerResponse): Promise<void> {
  if (!Number.isInteger(after) || after < 0) throw new TriremeError('usage.invalid', '`after` is the number of an event.');
  response.writeHead(200, {'content-type': 'application/x-ndjson'});
  response.flushHeaders();
  let last = after;
  const send = (event: TriremeEvent) => {
    if (event.seq <= last) return;
    last = event.seq;
    response.write(`${JSON.stringify(event)}\n`);
  };
  // what happens while the old ones are read is kept back, then sent in order
  const backlog: TriremeEvent[] = [];
  let isLive = false;
  const unfollow = agent.events.follow((event) => (isLive ? send(event) : backlog.push(event)));
  response.on('close', unfollow);
  for await (const event of agent.events.replay(after)) send(event);
  for (const event of backlog) send(event);
  isLive = true;
  if (!follow) {
    unfollow();
    response.end();
    return;
  }
  const beat = setInterval(() => response.write('\n'), heartbeat);
  response.on('close', () => clearInterval(beat));
}
