import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Resource, WatchEvent} from '../../../src/kube/api.ts';
import {connectTo, type Connection} from '../../support/kube-connection.ts';
import {respondStatus, SmallApi} from '../../support/small-api.ts';

const boats: Resource = {group: 'fleet.example', version: 'v1', plural: 'boats', kind: 'Boat', namespaced: true};

let folder: string;
let small: SmallApi;
let connection: Connection;
let follower: Follower;

/** Follows, keeps the view that the events make, and lets a test wait for what it expects. */
class Follower {
  readonly events: WatchEvent[] = [];
  readonly view = new Map<string, string | undefined>();
  readonly stop = new AbortController();
  readonly done: Promise<void>;
  #listeners = new Set<() => void>();

  constructor(source: (signal: AbortSignal) => AsyncIterable<WatchEvent>) {
    this.done = this.#follow(source(this.stop.signal));
    this.done.catch(() => {});
  }

  async #follow(source: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of source) {
      this.events.push(event);
      if (event.type === 'listed') {
        this.view.clear();
        for (const item of event.items) this.view.set(item.metadata.name, item.metadata.resourceVersion);
      } else if (event.type === 'deleted') this.view.delete(event.object.metadata.name);
      else if (event.type === 'added' || event.type === 'modified') this.view.set(event.object.metadata.name, event.object.metadata.resourceVersion);
      for (const listener of this.#listeners) listener();
    }
  }

  /** Resolves as soon as the events so far make it true; the test's own time limit ends it else. */
  until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!isTrue()) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
    });
  }

  count(type: WatchEvent['type']): number {
    return this.events.filter((one) => one.type === type).length;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.done;
  }
}

const wanted = () => new Map(small.objects('boats').map((one) => [one.metadata.name, one.metadata.resourceVersion]));
const isSame = () => JSON.stringify([...follower.view].toSorted()) === JSON.stringify([...wanted()].toSorted());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-watch-'));
  small = await new SmallApi().open();
  connection = await connectTo(folder, `http://127.0.0.1:${small.port}`);
  small.put('boats', 'a');
  follower = new Follower((signal) => connection.api.watch(boats, {signal}));
});

afterEach(async () => {
  follower.stop.abort();
  connection.api.close();
  await small.close();
  await rm(folder, {recursive: true, force: true});
});

describe('a watch', () => {
  it('lists, then follows, and ends quietly with its signal', async () => {
    await waitForWatch();
    small.put('boats', 'b');
    small.put('boats', 'a', {spec: {sails: 2}});
    small.delete('boats', 'b');
    await follower.until(() => follower.count('deleted') === 1);
    await follower.end();
    expect(follower.events.map((one) => one.type)).toEqual(['listed', 'added', 'modified', 'deleted']);
    expect(follower.events[1]).toMatchObject({object: {apiVersion: 'fleet.example/v1', kind: 'Boat'}});
  });

  it('goes on after a cut from where it was: nothing is listed again, nothing is told twice', async () => {
    for (let round = 1; round <= 5; round += 1) {
      await follower.until(() => follower.count('listed') === 1 && isSame());
      await waitForWatch();
      small.cut(round % 2 === 0);
      small.put('boats', `b${round}`);
      await follower.until(isSame);
    }
    expect(follower.count('listed')).toBe(1);
    expect(follower.count('added')).toBe(5);
    await follower.end();
  });

  it('resumes from a bookmark, so that an old version is no reason to list again', async () => {
    await waitForWatch();
    small.put('configmaps', 'other');
    small.bookmark();
    small.put('boats', 'b'); // comes after the bookmark
    await follower.until(isSame);
    await follower.end();
    const before = small.version;
    follower = new Follower((signal) => connection.api.watch(boats, {signal}));
    await waitForWatch();
    small.put('configmaps', 'more');
    small.bookmark();
    const bookmark = small.version;
    small.put('boats', 'c');
    await follower.until(isSame);
    expect(Number(bookmark)).toBeGreaterThan(Number(before));
    small.compact();
    small.cut();
    small.put('boats', 'd');
    await follower.until(isSame);
    const resumed = small.seen.filter((one) => one.url.searchParams.has('watch')).map((one) => one.url.searchParams.get('resourceVersion'));
    expect(resumed.at(-1)).not.toBe(before);
  });

  it('lists again when the server no longer knows where it was', async () => {
    await waitForWatch();
    small.answer(({url}, response) => {
      if (!url.searchParams.has('watch')) return false;
      response.socket?.destroy();
      return true;
    });
    small.cut();
    small.put('boats', 'b');
    small.delete('boats', 'a');
    small.compact();
    small.answer(undefined);
    await follower.until(() => follower.count('listed') === 2 && isSame());
    expect([...follower.view.keys()]).toEqual(['b']);
  });

  it.each([
    ['410 as the status of the answer', (response: Parameters<typeof respondStatus>[0]) => respondStatus(response, 410, 'Gone', 'too old')],
    [
      '410 as an event',
      (response: Parameters<typeof respondStatus>[0]) => {
        response.writeHead(200, {'content-type': 'application/json'});
        response.end(`${JSON.stringify({type: 'ERROR', object: {code: 410, message: 'too old'}})}\n`);
      },
    ],
  ])('that only ever gets %s pauses between its lists', async (_title, refuse) => {
    await waitForWatch();
    const times: number[] = [];
    small.answer(({url}, response) => {
      if (!url.searchParams.has('watch')) {
        times.push(Date.now());
        return false;
      }
      refuse(response);
      return true;
    });
    small.cut();
    await follower.until(() => follower.count('listed') >= 5);
    // the first again is at once; the pauses grow from 100 ms on
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300);
    small.answer(undefined);
    small.put('boats', 'b');
    await follower.until(isSame);
  });

  it('says that the view is stale while the server is away, why and since when, and that it is fresh again', async () => {
    await waitForWatch();
    const before = Date.now();
    small.answer((_seen, response) => {
      respondStatus(response, 500, 'InternalError', 'etcd has no leader');
      return true;
    });
    small.cut();
    const refused = (one: WatchEvent) => one.type === 'stale' && one.why.includes('etcd has no leader');
    // where the first refusal takes long to come, the cut is told before it
    await follower.until(() => follower.events.some(refused));
    small.put('boats', 'b');
    small.answer(undefined);
    await follower.until(() => follower.count('fresh') === 1 && isSame());
    const stale = follower.events.find(refused);
    expect(Date.parse(stale?.type === 'stale' ? stale.since : '')).toBeGreaterThanOrEqual(before - 1000);
    expect(follower.count('listed')).toBe(1);
  });

  it('on a server that went silent finds out by asking, and goes on when it speaks again', async () => {
    await waitForWatch();
    let isSilent = true;
    small.answer(() => isSilent);
    await follower.until(() => follower.count('stale') === 1);
    expect(follower.events.at(-1)).toMatchObject({type: 'stale', why: expect.stringContaining('silent')});
    isSilent = false;
    small.put('boats', 'b');
    await follower.until(() => follower.count('fresh') === 1 && isSame());
  });

  it('that idles on a server which answers is left alone', async () => {
    await waitForWatch();
    await follower.until(() => true);
    const pinged = () => small.seen.filter((one) => one.url.pathname === '/livez').length;
    await new Promise<void>((resolve) => {
      small.answer(() => {
        if (pinged() === 2) resolve();
        return false;
      });
    });
    expect(follower.events.map((one) => one.type)).toEqual(['listed']);
    expect(small.watches).toBe(1);
  });

  it('throws what keeps it from ever beginning', async () => {
    await follower.end();
    small.answer((_seen, response) => {
      respondStatus(response, 403, 'Forbidden', 'boats is forbidden');
      return true;
    });
    follower = new Follower((signal) => connection.api.watch(boats, {signal, namespace: 'fleet'}));
    await expect(follower.done).rejects.toMatchObject({code: 'api.forbidden', details: {verb: 'list', namespace: 'fleet'}});
  });

  it('reads events in pieces, however they are cut, with letters of several bytes', async () => {
    await waitForWatch();
    small.answer(async ({url}, response) => {
      if (!url.searchParams.has('watch')) return false;
      response.writeHead(200, {'content-type': 'application/json'});
      const object = {apiVersion: 'fleet.example/v1', kind: 'Boat', metadata: {name: 'ünï⛵', resourceVersion: '900'}};
      for (const byte of Buffer.from(`${JSON.stringify({type: 'ADDED', object})}\n\n`)) {
        response.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return true;
    });
    small.cut();
    await follower.until(() => follower.view.get('ünï⛵') === '900');
  });

  it('releases its connection when nobody reads on', async () => {
    await follower.end();
    for await (const event of connection.api.watch(boats, {signal: new AbortController().signal})) {
      if (event.type === 'added') break;
      setTimeout(() => small.put('boats', 'z'), 50);
    }
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (small.watches > 0) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
  });
});

async function waitForWatch(): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (small.watches === 0) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
}
