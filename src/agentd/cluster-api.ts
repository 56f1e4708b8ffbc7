// A small client of the Kubernetes API on Node's own HTTP: the full client costs more memory than the whole agent may use.
import {readFile} from 'node:fs/promises';
import {request as httpRequest, Agent as HttpAgent, type IncomingMessage} from 'node:http';
import {request as httpsRequest, Agent as HttpsAgent} from 'node:https';
import {parse} from 'yaml';
import {withDeadline} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {KubernetesAnswer, KubernetesRequest} from '../hostcluster/protocol.ts';

export interface ApiCredentials {
  /** `https://host:port`, or `http://` for a simulated cluster. */
  readonly server: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly token?: string;
  /** For health checks on this very host: components there have certificates that nobody signed. */
  readonly insecureLocal?: boolean;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
}

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Default `application/json`; of a PATCH `application/merge-patch+json`. */
  readonly type?: string;
  /** In ms; default 10 s. */
  readonly deadline?: number;
  /** May be sent a second time when a kept connection turns out to be gone; default: a GET. */
  readonly isRepeatable?: boolean;
  readonly signal?: AbortSignal;
}

/** What the API says when it refuses. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
}

/** How a connection that the other side has left breaks when something is sent on it. */
const gone = new Set(['ECONNRESET', 'EPIPE']);

/** One API server, with at most two kept connections. */
export class ClusterApi {
  readonly server: string;
  readonly #credentials: ApiCredentials;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(credentials: ApiCredentials) {
    this.server = credentials.server;
    this.#credentials = credentials;
    const options = {keepAlive: true, maxSockets: 2};
    this.#agent = credentials.server.startsWith('https:')
      ? new HttpsAgent({
          ...options,
          ca: credentials.ca,
          cert: credentials.certificate,
          key: credentials.key,
          rejectUnauthorized: credentials.insecureLocal !== true,
        })
      : new HttpAgent(options);
  }

  /** Sends one request; the answer's status is returned, whatever it is. Throws `host.unreachable` when there's no answer. */
  async send<T = unknown>(request: ApiRequest): Promise<ApiAnswer<T>> {
    const method = request.method ?? 'GET';
    const text = request.body === undefined ? undefined : typeof request.body === 'string' ? request.body : JSON.stringify(request.body);
    const type = request.type ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json');
    const {status, text: answer} = await this.#exchange({
      method,
      path: request.path,
      headers: {accept: 'application/json', ...(text === undefined ? {} : {'content-type': type})},
      text,
      deadline: request.deadline ?? 10_000,
      isRepeatable: request.isRepeatable ?? method === 'GET',
      signal: request.signal,
    });
    return {status, body: parseBody(answer) as T};
  }

  /** Sends another's request as it is. */
  async pass(question: KubernetesRequest, signal: AbortSignal): Promise<KubernetesAnswer> {
    const {method, path, body, lines} = question;
    const headers = {accept: 'application/json', ...question.headers};
    const answer = await this.#exchange({method, path, headers, text: body, deadline: 25_000, isRepeatable: method === 'GET', signal});
    if (lines === undefined) return answer;
    return {
      ...answer,
      text: answer.text
        .split('\n')
        .filter((line) => line.startsWith(lines))
        .join('\n'),
    };
  }

  async #exchange(request: Exchange): Promise<KubernetesAnswer> {
    const {method, path, text, deadline} = request;
    const url = new URL(path, this.server);
    const headers: Record<string, string> = {...request.headers, 'user-agent': 'trireme-agent'};
    if (text !== undefined) headers['content-length'] = String(Buffer.byteLength(text));
    if (this.#credentials.token !== undefined) headers['authorization'] = `Bearer ${this.#credentials.token}`;
    const signal = withDeadline(request.signal, deadline);
    try {
      const open = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const ask = () =>
        new Promise<IncomingMessage>((resolve, reject) => {
          const sent = open(url, {method, headers, agent: this.#agent, signal}, resolve);
          // a kept connection whose server went away in the meantime: https://nodejs.org/docs/latest-v20.x/api/http.html#requestreusedsocket
          // The next one may be such a one, too; a new one isn't, so this ends.
          sent.on('error', (error: NodeJS.ErrnoException) =>
            request.isRepeatable && sent.reusedSocket && gone.has(error.code ?? '') ? resolve(ask()) : reject(error),
          );
          sent.end(text);
        });
      const response = await ask();
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return {status: response.statusCode ?? 0, headers: toldHeaders(response), text: Buffer.concat(chunks).toString('utf8')};
    } catch (error) {
      if (request.signal?.aborted) throw error;
      const why = signal.aborted ? `no answer within ${deadline / 1000} s` : (error as Error).message;
      throw new TriremeError('host.unreachable', `The Kubernetes API at ${this.server} doesn't answer: ${why}.`, {cause: error});
    }
  }

  /** The object at this path, or undefined when there's none. */
  async get<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
    const answer = await this.send<T>({path, ...(signal === undefined ? {} : {signal})});
    if (answer.status === 404) return undefined;
    return requireOk(answer, `GET ${path}`);
  }

  /** Sends a change and throws unless it's taken. */
  async change<T = unknown>(request: ApiRequest): Promise<T> {
    return requireOk(await this.send<T>(request), `${request.method ?? 'GET'} ${request.path}`);
  }

  close(): void {
    this.#agent.destroy();
  }
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | undefined;
  /** In ms. */
  readonly deadline: number;
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Those that say how the answer is to be taken. */
function toldHeaders(response: IncomingMessage): Readonly<Record<string, string>> {
  const told = ['content-type', 'retry-after', 'warning'].map((name) => [name, response.headers[name]] as const);
  return Object.fromEntries(told.filter((entry): entry is readonly [string, string] => typeof entry[1] === 'string'));
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function requireOk<T>(answer: ApiAnswer<T>, what: string): T {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  const status = answer.body as Status;
  throw new TriremeError('agent.failed', `The Kubernetes API refuses ${what}: ${status?.message ?? `status ${answer.status}`}`, {
    details: {status: answer.status, ...(status?.reason === undefined ? {} : {reason: status.reason})},
  });
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly clusters?: readonly {
    readonly name: string;
    readonly cluster: {readonly server: string; readonly 'certificate-authority-data'?: string; readonly 'certificate-authority'?: string};
  }[];
  readonly contexts?: readonly {readonly name: string; readonly context: {readonly cluster: string; readonly user: string}}[];
  readonly users?: readonly {readonly name: string; readonly user: Readonly<Record<string, string>>}[];
}

/** Credentials of a kubeconfig's current context. Files that it names are read through `at`. */
export async function credentialsOf(text: string, at: (path: string) => string): Promise<ApiCredentials> {
  const config = parse(text) as Kubeconfig;
  const context = config.contexts?.find((one) => one.name === config['current-context'])?.context ?? config.contexts?.[0]?.context;
  const cluster = config.clusters?.find((one) => one.name === context?.cluster)?.cluster;
  const user = config.users?.find((one) => one.name === context?.user)?.user ?? {};
  if (cluster === undefined) throw new TriremeError('kubeconfig.invalid', 'The kubeconfig on the host has no cluster.');
  const decode = async (data: string | undefined, file: string | undefined) =>
    data !== undefined ? Buffer.from(data, 'base64').toString('utf8') : file === undefined ? undefined : readFile(at(file), 'utf8');
  const [ca, certificate, key] = await Promise.all([
    decode(cluster['certificate-authority-data'], cluster['certificate-authority']),
    decode(user['client-certificate-data'], user['client-certificate']),
    decode(user['client-key-data'], user['client-key']),
  ]);
  const given = Object.fromEntries(Object.entries({ca, certificate, key, token: user['token']}).filter(([, value]) => value !== undefined));
  return {server: cluster.server, ...given};
}
