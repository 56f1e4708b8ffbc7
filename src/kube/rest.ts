// Requests with a deadline, tried again where that's right, and their failures told.
import {withDeadline} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {CallOptions} from './api.ts';
import {errorOf, nameSubject, type ErrorContext, type Subject} from './api-error.ts';
import {attempt, retryAfter, type Repeat} from './attempts.ts';
import type {Credentials} from './credentials.ts';
import {NoAnswer, type HttpAnswer, type Transport} from './transport.ts';
import {unreachable} from './unreachable.ts';

export interface Call extends CallOptions {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Content type of the body; default application/json. */
  readonly type?: string;
  readonly accept?: string;
  readonly subject: Subject;
  readonly repeat: Repeat;
  /** It changes something, and may not be taken for undone when there's no answer. Default: whatever isn't a GET. */
  readonly isWrite?: boolean;
}

export interface Parsed<T> {
  readonly status: number;
  readonly body: T;
}

/** In ms. */
const defaultDeadline = 30_000;

/** The way to the server: a connection of our own, or somebody who asks for us. */
export type Way = Pick<Transport, 'call' | 'open' | 'close' | 'requests' | 'isSimulated'>;
/** Whom requests are made for, for messages. */
export type Signed = {
  readonly kind: string;
  readonly target: Pick<Credentials['target'], 'context' | 'namespace' | 'isSimulated'> & {readonly cluster: {readonly server: string}};
};

export class Rest {
  readonly transport: Way;
  readonly credentials: Signed;
  readonly signal: AbortSignal;
  #pinging: Promise<boolean> | undefined;

  constructor(transport: Way, credentials: Signed, signal: AbortSignal) {
    this.transport = transport;
    this.credentials = credentials;
    this.signal = signal;
  }

  get server(): string {
    return this.credentials.target.cluster.server;
  }

  /** The answer's body; throws `api.*` for a status from 400 on that isn't in `accepted`. */
  async json<T>(call: Call, accepted: readonly number[] = []): Promise<Parsed<T>> {
    const answer = await this.request(call);
    const body = parseBody(answer);
    if (answer.status >= 400 && !accepted.includes(answer.status))
      throw errorOf(answer.status, body, this.contextOf(call), retryAfter(answer.headers['retry-after']));
    return {status: answer.status, body: body as T};
  }

  /** Whatever is answered; throws `api.unreachable`. */
  async request(call: Call): Promise<HttpAnswer> {
    const patience = call.deadline ?? defaultDeadline;
    const parent = call.signal === undefined ? this.signal : AbortSignal.any([this.signal, call.signal]);
    const signal = withDeadline(parent, patience);
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    let isSent = false;
    const headers = {
      ...(call.accept === undefined ? {} : {accept: call.accept}),
      ...(body === undefined ? {} : {'content-type': call.type ?? 'application/json'}),
    };
    const send = () => {
      isSent = true;
      return this.transport.call({method: call.method, path: call.path, headers, signal, ...(body === undefined ? {} : {body})});
    };
    try {
      return await attempt(send, {repeat: call.repeat, server: this.server, signal, end: Date.now() + patience});
    } catch (error) {
      if (parent.aborted) throw parent.reason;
      if (error instanceof NoAnswer) throw unreachable(error, this.contextOf(call));
      if (!signal.aborted) throw error;
      throw unreachable(new NoAnswer(new Error(`it doesn't answer within ${patience / 1000} s`), isSent), this.contextOf(call));
    }
  }

  /** Whether the server answers at all, whatever it says; many who ask at once ask once. */
  ping(patience: number): Promise<boolean> {
    this.#pinging ??= this.transport
      .call({method: 'GET', path: '/livez', signal: withDeadline(this.signal, patience)})
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        this.#pinging = undefined;
      });
    return this.#pinging;
  }

  contextOf(call: Pick<Call, 'method' | 'subject' | 'isWrite'>): ErrorContext {
    const {target, kind} = this.credentials;
    return {server: this.server, context: target.context, credentials: kind, subject: call.subject, isWrite: call.isWrite ?? call.method !== 'GET'};
  }
}

/** JSON where it is JSON; else the text. */
export function parseBody(answer: HttpAnswer): unknown {
  if (answer.text === '') return undefined;
  if (!String(answer.headers['content-type'] ?? 'application/json').includes('json')) return answer.text;
  try {
    return JSON.parse(answer.text);
  } catch {
    return answer.text;
  }
}

/** Throws when an answer that had to be an object is something else: a portal's sign-in page, for instance. */
export function requireObject<T>(body: unknown, server: string, subject: Subject): T {
  if (body !== null && typeof body === 'object') return body as T;
  throw new TriremeError('api.failed', `${server} answers about ${nameSubject(subject)} with something that is no Kubernetes object.`, {
    hints: ['Is this address a Kubernetes API, and nothing in front of it? kubectl get --raw /version'],
  });
}
