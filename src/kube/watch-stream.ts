// One watch: a response of JSON lines, one event each. Read only as fast as it's taken, so memory stays flat.
import type {IncomingMessage} from 'node:http';
import type {ListOptions, Resource} from './api.ts';
import {errorOf} from './api-error.ts';
import {complete, partialObject} from './list.ts';
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

/** Until the headers of a watch are there, in ms. */
const openPatience = 15_000;

export class WatchStream {
  readonly #response: IncomingMessage;
  readonly #resource: Resource;
  readonly #lines: AsyncIterator<string>;
  readonly #began = Date.now();
  readonly #deadline: number;
  #heard = Date.now();
  /** Why it ended before its time; undefined while it runs and after an orderly end. */
  failure: Error | undefined;

  private constructor(response: IncomingMessage, resource: Resource, deadline: number) {
    this.#response = response;
    this.#resource = resource;
    this.#deadline = deadline;
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
    const timer = setTimeout(() => opening.abort(new NoAnswer(new Error(`it doesn't answer within ${openPatience / 1000} s`), true)), openPatience);
    try {
      const headers = options.metadataOnly === true ? {headers: {accept: partialObject}} : {};
      const signal = AbortSignal.any([options.signal, rest.signal, opening.signal]);
      const response = await rest.transport.open({method: 'GET', path, signal, isWatch: true, ...headers});
      const status = response.statusCode ?? 0;
      if (status === 200) return new WatchStream(response, resource, Date.now() + lifetime + timing.grace);
      response.setEncoding('utf8');
      let text = '';
      for await (const chunk of response) text += chunk as string;
      throw errorOf(status, parseBody({status, headers: response.headers, text}), context);
    } catch (error) {
      if (error instanceof NoAnswer) throw unreachable(error, context);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** When a byte last came, in ms since 1970. */
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
      try {
        return this.#parse(JSON.parse(value) as Readonly<Record<string, unknown>>);
      } catch {
        // a line cut short: the connection broke, or something in between spoke
        this.failure = new Error('the connection was cut in the middle of an event');
        return undefined;
      }
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
    return {type: type as 'ADDED' | 'MODIFIED' | 'DELETED', version, object: complete(object as KubeObject, this.#resource)};
  }

  async *#read(): AsyncGenerator<string, void> {
    const response = this.#response.setEncoding('utf8');
    const silence = setTimeout(() => response.destroy(new Error('the server went silent')), this.#deadline - Date.now());
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
      clearTimeout(silence);
      response.destroy();
    }
  }
}
