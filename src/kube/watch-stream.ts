// One watch: a response of JSON lines, one event each. Read only as fast as it's taken, so memory stays flat.
import type {IncomingMessage} from 'node:http';
import type {ListOptions, Resource} from './api.ts';
import {errorOf} from './api-error.ts';
import {retryAfter} from './attempts.ts';
import {complete, partialObject, projected} from './list.ts';
import {numberAt, textAt, type KubeObject} from './object.ts';
import {collectionPath, query} from './paths.ts';
import {parseBody, type Rest} from './rest.ts';
import {NoAnswer} from './transport.ts';
import {unreachable} from './unreachable.ts';
import type {WatchTiming} from './watch.ts';

export type WatchLine =
  | {readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject; readonly version: string | undefined}
  | {readonly type: 'BOOKMARK'; readonly version: string | undefined}
  | {readonly type: 'ERROR'; readonly code: number; readonly message: string; readonly version?: undefined};

interface StreamOptions {
  /** What was asked for. */
  readonly list: ListOptions;
  /** When it is over at the latest, in ms since 1970. */
  readonly deadline: number;
  /** Asks the server whether it's there. */
  isAlive(): Promise<boolean>;
  /** In ms. */
  readonly pingAfter: number;
}

export class WatchStream {
  readonly #response: IncomingMessage;
  readonly #resource: Resource;
  readonly #options: ListOptions;
  readonly #lines: AsyncIterator<string>;
  readonly #began = Date.now();
  readonly #deadline: number;
  readonly #isAlive: () => Promise<boolean>;
  readonly #pingAfter: number;
  #heard = Date.now();
  #isAsking = false;
  /** Why it ended before its time; undefined while it runs and after an orderly end. */
  failure: Error | undefined;

  private constructor(response: IncomingMessage, resource: Resource, options: StreamOptions) {
    this.#response = response;
    this.#resource = resource;
    this.#options = options.list;
    this.#deadline = options.deadline;
    this.#isAlive = options.isAlive;
    this.#pingAfter = options.pingAfter;
    this.#lines = this.#read();
  }

  /** Throws `api.*`; details.status is 410 when the server no longer knows `from`. */
  static async open(
    rest: Rest,
    resource: Resource,
    options: ListOptions & {readonly signal: AbortSignal},
    from: string,
    timing: WatchTiming,
  ): Promise<WatchStream> {
    const lifetime = Math.round(timing.lifetime * (1 + Math.random() / 2));
    const subject = {
      verb: 'watch',
      group: resource.group,
      resource: resource.plural,
      ...(options.namespace === undefined ? {} : {namespace: options.namespace}),
    };
    const path =
      collectionPath(resource, options.namespace) +
      query({
        watch: 1,
        allowWatchBookmarks: true,
        resourceVersion: from,
        timeoutSeconds: Math.max(1, Math.ceil(lifetime / 1000)),
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
      });
    const context = rest.contextOf({method: 'GET', subject});
    const opening = new AbortController();
    const timer = setTimeout(
      () => opening.abort(new NoAnswer(new Error(`it doesn't answer within ${timing.openPatience / 1000} s`), true)),
      timing.openPatience,
    );
    try {
      const headers = options.metadataOnly === true ? {headers: {accept: partialObject}} : {};
      const signal = AbortSignal.any([options.signal, rest.signal, opening.signal]);
      const response = await rest.transport.open({method: 'GET', path, signal, isWatch: true, ...headers});
      const status = response.statusCode ?? 0;
      if (status === 200) {
        const isAlive = () => rest.ping(timing.pingPatience);
        return new WatchStream(response, resource, {list: options, deadline: Date.now() + lifetime + timing.grace, isAlive, pingAfter: timing.pingAfter});
      }
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk as string;
      throw errorOf(status, parseBody({status, headers: response.headers, text}), context, retryAfter(response.headers['retry-after']));
    } catch (error) {
      if (error instanceof NoAnswer) throw unreachable(error, context);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The server was asked, and said nothing. */
  isSilent = false;

  /** When the server last gave a sign of life, in ms since 1970. */
  get heard(): number {
    return this.#heard;
  }

  /** In ms. */
  get lived(): number {
    return Date.now() - this.#began;
  }

  /** The next event; undefined at the end. */
  async next(): Promise<WatchLine | undefined> {
    for (;;) {
      const {value, done} = await this.#lines.next();
      if (done === true) return undefined;
      if (value.trim() === '') continue;
      let event: Readonly<Record<string, unknown>>;
      try {
        event = JSON.parse(value) as typeof event;
      } catch {
        // a line cut short: the connection broke, or something in between spoke
        this.failure = new Error('the connection was cut in the middle of an event');
        return undefined;
      }
      return this.#parse(event);
    }
  }

  close(): void {
    this.#response.destroy();
  }

  #parse(event: Readonly<Record<string, unknown>>): WatchLine {
    const {type, object} = event;
    if (type === 'ERROR')
      return {type, code: numberAt(object, 'code') ?? 500, message: textAt(object, 'message') ?? 'the server ended the watch with an error'};
    const version = textAt(object, 'metadata', 'resourceVersion');
    if (type === 'BOOKMARK') return {type, version};
    return {type: type as 'ADDED' | 'MODIFIED' | 'DELETED', version, object: projected(complete(object as KubeObject, this.#resource), this.#options)};
  }

  /** An idle watch and a dead connection look alike, until somebody asks. */
  async #look(): Promise<void> {
    const isOver = Date.now() > this.#deadline;
    if (!isOver && (this.#isAsking || Date.now() - this.#heard < this.#pingAfter)) return;
    this.#isAsking = true;
    const isAlive = !isOver && (await this.#isAlive());
    this.#isAsking = false;
    if (isAlive) this.#heard = Date.now();
    if (isAlive || this.#response.destroyed) return;
    this.isSilent = true;
    this.#response.destroy(new Error('the server went silent'));
  }

  async *#read(): AsyncGenerator<string, void> {
    const response = this.#response.setEncoding('utf8');
    const looking = setInterval(() => void this.#look(), Math.min(this.#pingAfter / 2, 1000));
    // pieces of an event that spans several chunks; joined once
    let pieces: string[] = [];
    try {
      for await (const chunk of response as AsyncIterable<string>) {
        this.#heard = Date.now();
        let start = 0;
        for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
          pieces.push(chunk.slice(start, end));
          const line = pieces.length === 1 ? (pieces[0] as string) : pieces.join('');
          pieces = [];
          start = end + 1;
          yield line;
        }
        if (start < chunk.length) pieces.push(chunk.slice(start));
      }
      if (!response.complete) this.failure = new Error('the connection was cut');
    } catch (error) {
      const {code} = error as NodeJS.ErrnoException;
      this.failure = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' ? new Error('the connection was cut') : (error as Error);
    } finally {
      clearInterval(looking);
      response.destroy();
    }
  }
}
