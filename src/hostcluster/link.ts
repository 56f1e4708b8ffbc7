// The operator's side of the agent's API: HTTP over `trireme-agent dial` on the host, so that no port is opened anywhere.
import {Agent, request, type ClientRequestArgs, type IncomingMessage} from 'node:http';
import {createInterface} from 'node:readline';
import {Readable, type Duplex} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {withDeadline} from '../kernel/cancel.ts';
import {isAbortError, isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {errorOf, type Problem} from '../kernel/problem.ts';
import type {HostRunner} from '../ssh/runner.ts';
import {DialSocket} from './dial-socket.ts';
import {
  agentPaths,
  protocol,
  type AgentState,
  type ClusterEvent,
  type KubernetesAnswer,
  type KubernetesRequest,
  type PutWanted,
  type WantedTaint,
} from './protocol.ts';
import {rootedPath} from './shell.ts';
import {programPaths} from './unit.ts';

/** How long one answer may take, in ms; reading events has no such limit. */
const answerDeadline = 30_000;

export interface NodeWishes {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly WantedTaint[];
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** What the program says to one host's agent. Every method throws `agent.not-installed`, `agent.not-answering`, `agent.incompatible`, or the agent's own problem. */
export interface AgentLink {
  readonly host: string;
  state(options?: RequestOptions): Promise<AgentState>;
  putWanted(body: PutWanted, options?: RequestOptions): Promise<void>;
  /** Recorded events after `after`, then each as it happens, until the signal aborts or the link breaks (which throws). */
  events(after: number, options?: RequestOptions): AsyncGenerator<TriremeEvent>;
  /** An administrator's kubeconfig; only control planes have one. */
  kubeconfig(options?: RequestOptions): Promise<string>;
  /** Labels and taints of a node, which only a control plane may set. */
  postNode(node: string, wishes: NodeWishes, options?: RequestOptions): Promise<void>;
  /** Events that were recorded after `after`; ends where the record ends. */
  recorded(after: number, options?: RequestOptions): Promise<readonly TriremeEvent[]>;
  /** What was reported in the cluster lately; only control planes know. */
  clusterEvents(options?: RequestOptions): Promise<readonly ClusterEvent[]>;
  /** Has the agent look at its certificates now; with `at` those that were made before are made anew, due or not. */
  renewCertificates(at?: string, options?: RequestOptions): Promise<void>;
  /** A copy of the cluster's data, from a control plane. The stream has to be read to its end, or destroyed. */
  snapshot(options?: RequestOptions): Promise<Snapshot>;
  /** Hands a backup's data to a host that belongs to no cluster yet. */
  putSnapshot(snapshot: {readonly size: number; readonly digest: string; readonly chunks: AsyncIterable<Buffer>}, options?: RequestOptions): Promise<void>;
  /** Has a control plane send a request to the Kubernetes API; the answer is returned, whatever it is. */
  kubernetes(request: KubernetesRequest, options?: RequestOptions): Promise<KubernetesAnswer>;
  /** Takes a host's member out of etcd; false when it had none. Throws `plan.refused` when etcd would lose its majority. */
  removeEtcdMember(host: string, addresses: readonly string[], options?: RequestOptions): Promise<boolean>;
  close(): void;
}

export interface Snapshot {
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
  /** Version of the program that wrote the data. */
  readonly version: string;
  readonly simulated: boolean;
  readonly stream: Readable;
}

export interface LinkOptions {
  /** The folder of the agent's program, `spec.agent.root`. */
  readonly root?: string;
}

/** A link that dials when it is first used, keeps its channel open between requests, and dials anew after a break. */
export function openAgentLink(runner: HostRunner, options: LinkOptions = {}): AgentLink {
  return new DialedLink(runner, options.root ?? agentPaths.program);
}

/** Dials over the host's runner; the shell says 127 when there's no program to dial with. */
class DialAgent extends Agent {
  readonly #dial: () => Promise<DialSocket>;

  constructor(dial: () => Promise<DialSocket>) {
    super({keepAlive: true, maxSockets: 2, maxFreeSockets: 1});
    this.#dial = dial;
  }

  override createConnection(_options: ClientRequestArgs, done?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#dial().then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  }
}

class DialedLink implements AgentLink {
  readonly host: string;
  readonly #runner: HostRunner;
  readonly #script: string;
  readonly #agent: DialAgent;
  #last: DialSocket | undefined;

  constructor(runner: HostRunner, root: string) {
    this.host = runner.host;
    this.#runner = runner;
    this.#script = `p=${rootedPath(programPaths(root).launcher)}; [ -x "$p" ] || exit 127; exec "$p" dial`;
    this.#agent = new DialAgent(async () => {
      this.#last = new DialSocket(await this.#runner.open(this.#script, {root: true}));
      return this.#last;
    });
  }

  async state(options: RequestOptions = {}): Promise<AgentState> {
    const state = JSON.parse(await this.#exchange('GET', '/v1/state', undefined, options)) as AgentState;
    if (state.protocol !== protocol) throw incompatible(this.host, state.protocol, state.version);
    return state;
  }

  async putWanted(body: PutWanted, options: RequestOptions = {}): Promise<void> {
    await this.#exchange('PUT', '/v1/wanted', body, options);
  }

  async kubeconfig(options: RequestOptions = {}): Promise<string> {
    return this.#exchange('GET', '/v1/kubeconfig', undefined, options);
  }

  async postNode(node: string, wishes: NodeWishes, options: RequestOptions = {}): Promise<void> {
    await this.#exchange('POST', `/v1/nodes/${encodeURIComponent(node)}`, wishes, options);
  }

  async kubernetes(request: KubernetesRequest, options: RequestOptions = {}): Promise<KubernetesAnswer> {
    return JSON.parse(await this.#exchange('POST', '/v1/kubernetes', request, options, request.method === 'GET')) as KubernetesAnswer;
  }

  async removeEtcdMember(host: string, addresses: readonly string[], options: RequestOptions = {}): Promise<boolean> {
    const query = new URLSearchParams(addresses.map((address): [string, string] => ['address', address]));
    const path = `/v1/etcd-members/${encodeURIComponent(host)}?${query}`;
    return (JSON.parse(await this.#exchange('DELETE', path, undefined, options)) as {readonly existed: boolean}).existed;
  }

  async *events(after: number, options: RequestOptions = {}): AsyncGenerator<TriremeEvent> {
    const response = await this.#send('GET', `/v1/events?after=${after}`, undefined, options);
    try {
      for await (const line of createInterface({input: response, crlfDelay: Number.POSITIVE_INFINITY})) {
        if (line.trim() !== '') yield JSON.parse(line) as TriremeEvent;
      }
    } catch (error) {
      if (isAbortError(error) || options.signal?.aborted) throw options.signal?.reason ?? error;
      throw await this.#brokenBy(error);
    } finally {
      response.destroy();
    }
    options.signal?.throwIfAborted();
    throw notAnswering(this.host, 'it closed the stream of events');
  }

  async recorded(after: number, options: RequestOptions = {}): Promise<readonly TriremeEvent[]> {
    const text = await this.#exchange('GET', `/v1/events?after=${after}&follow=0`, undefined, options);
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as TriremeEvent]));
  }

  async clusterEvents(options: RequestOptions = {}): Promise<readonly ClusterEvent[]> {
    return JSON.parse(await this.#exchange('GET', '/v1/cluster-events', undefined, options)) as readonly ClusterEvent[];
  }

  async renewCertificates(at?: string, options: RequestOptions = {}): Promise<void> {
    await this.#exchange('POST', '/v1/certificates', at === undefined ? {} : {at}, options);
  }

  async snapshot(options: RequestOptions = {}): Promise<Snapshot> {
    try {
      const response = await this.#send('GET', '/v1/snapshot', undefined, options);
      const header = (name: string) => String(response.headers[name] ?? '');
      return {
        size: Number(header('content-length')),
        digest: header('trireme-digest'),
        version: header('trireme-data-version'),
        simulated: header('trireme-simulated') === 'true',
        stream: response,
      };
    } catch (error) {
      options.signal?.throwIfAborted();
      throw await this.#brokenBy(error);
    }
  }

  async putSnapshot(
    {size, digest, chunks}: {readonly size: number; readonly digest: string; readonly chunks: AsyncIterable<Buffer>},
    options: RequestOptions = {},
  ): Promise<void> {
    const headers = {host: 'agent', 'trireme-protocol': String(protocol), 'content-length': size, 'trireme-digest': digest};
    const path = '/v1/snapshot';
    try {
      await new Promise<void>((resolve, reject) => {
        const asked = request({agent: this.#agent, method: 'PUT', path, headers, signal: options.signal}, (response) => {
          // read to its end either way: a channel whose answer is left lying is never used again
          void textOf(response).then(
            (text) => (response.statusCode === 200 ? resolve() : reject(this.#refusal(response.statusCode ?? 500, 'PUT', path, text))),
            reject,
          );
        });
        asked.on('error', reject);
        pipeline(Readable.from(chunks), asked).catch(reject);
      });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw await this.#brokenBy(error);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** What may be said twice is, once, over a new channel: the old one may have broken while it was idle. */
  async #exchange(method: string, path: string, body: unknown, options: RequestOptions, isRepeatable = true): Promise<string> {
    const signal = withDeadline(options.signal, answerDeadline);
    const once = async () => textOf(await this.#send(method, path, body, {signal}));
    try {
      return await once().catch((error: unknown) => {
        if (isTriremeError(error) || isAbortError(error) || !isRepeatable) throw error;
        return once();
      });
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      if (isTriremeError(error)) throw error;
      if (signal.aborted) throw notAnswering(this.host, `no answer to ${method} ${path} in ${answerDeadline / 1000} s`);
      throw await this.#brokenBy(error);
    }
  }

  #send(method: string, path: string, body: unknown, options: RequestOptions): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      host: 'agent',
      'trireme-protocol': String(protocol),
      ...(payload === undefined ? {} : {'content-type': 'application/json', 'content-length': Buffer.byteLength(payload)}),
    };
    return new Promise((resolve, reject) => {
      const asked = request({agent: this.#agent, method, path, headers, signal: options.signal}, (response) => {
        if ((response.statusCode ?? 500) < 300) resolve(response);
        else void textOf(response).then((text) => reject(this.#refusal(response.statusCode ?? 500, method, path, text)), reject);
      });
      asked.on('error', reject);
      asked.end(payload);
    });
  }

  #refusal(status: number, method: string, path: string, text: string): TriremeError {
    const problem = problemIn(text);
    if (problem !== undefined) return errorOf({...problem, host: problem.host ?? this.host});
    const message = `The agent on ${this.host} answers ${method} ${path} with ${status}: ${text.slice(0, 200).trim() || 'no reason given'}`;
    return new TriremeError(status === 404 ? 'agent.incompatible' : 'agent.failed', message, {
      host: this.host,
      hints: [`Look at its log: trireme agent logs ${this.host}`],
    });
  }

  /** Why a channel broke, told by how the program on the host ended. */
  async #brokenBy(error: unknown): Promise<Error> {
    if (isTriremeError(error)) return error;
    const end = await Promise.race([this.#last?.ended, new Promise<undefined>((resolve) => setTimeout(resolve, 1000, undefined).unref())]);
    if (end?.code === 127) return notInstalled(this.host);
    return notAnswering(this.host, end?.message || (error instanceof Error ? error.message : String(error)), error);
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The agent answers a refusal with a Problem, bare or under `problem`. */
function problemIn(text: string): Problem | undefined {
  try {
    const body = JSON.parse(text) as Partial<Problem> & {readonly problem?: Problem};
    const problem = body.problem ?? body;
    return typeof problem.code === 'string' && typeof problem.message === 'string' ? ({hints: [], ...problem} as Problem) : undefined;
  } catch {
    return undefined;
  }
}

/** No agent on the host. */
export function notInstalled(host: string): TriremeError {
  return new TriremeError('agent.not-installed', `There's no Trireme agent on ${host}.`, {host, hints: ['Install it: trireme apply']});
}

function notAnswering(host: string, why: string, cause?: unknown): TriremeError {
  const lastLine = why.split('\n').at(-1)?.trim() ?? why;
  return new TriremeError('agent.not-answering', `The agent on ${host} doesn't answer: ${lastLine}`, {
    host,
    cause,
    hints: [`Look at its log: trireme agent logs ${host}`, 'Start it again: trireme apply'],
  });
}

/** The two sides speak different protocols. */
export function incompatible(host: string, theirs: number, version: string): TriremeError {
  const older = theirs < protocol;
  return new TriremeError('agent.incompatible', `The agent on ${host} (${version}) speaks protocol ${theirs}, this program speaks ${protocol}.`, {
    host,
    hints: [older ? 'Bring it up to date: trireme apply' : 'Use a newer trireme on this computer.'],
  });
}
