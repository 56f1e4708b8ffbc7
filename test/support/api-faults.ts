// The faults, one after another, on whichever API server: a small one in process, or a real one.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {Redactor} from '../../src/kernel/redact.ts';
import type {KubeApi} from '../../src/kube/api.ts';
import {connect} from '../../src/kube/client.ts';
import {FaultProxy, type Upstream} from './fault-proxy.ts';
import {configMaps, Crew, differences, FollowedView, makeCounter, Writer} from './fault-run.ts';
import {kubeconfigFor, quickTiming, testCertificate} from './kube-connection.ts';

export interface FaultTarget {
  readonly upstream: Upstream;
  /** Of an administrator, without the proxy. */
  readonly kubeconfig: string;
  close(): Promise<void>;
}

export interface FaultTimes {
  /** In ms. */
  readonly cutEvery: number;
  readonly cuts: number;
  readonly failing: number;
  readonly silent: number;
  readonly busy: number;
  readonly latency: number;
}

const namespace = 'harbour';
const elapse = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Long enough for the longest fault, and for everything to come right after it, in ms. */
export const faultTimeout = 90_000;

/** Tests for a `describe` of the caller's. */
export function testApiFaults(times: FaultTimes, open: () => Promise<FaultTarget>): void {
  let folder: string;
  let target: FaultTarget;
  let proxy: FaultProxy;
  let direct: KubeApi;
  let api: KubeApi;
  let view: FollowedView;
  const stop = new AbortController();
  const valid = testCertificate('api.test', {until: 24});
  const expired = testCertificate('api.test', {from: -48, until: -24, key: valid.key});
  const renewed = testCertificate('api.test', {until: 48, key: valid.key});
  let counted = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kube-faults-'));
    target = await open();
    proxy = await new FaultProxy(target.upstream, valid).listen();
    proxy.tokens.add('first-token');
    await writeFile(join(folder, 'token'), 'first-token\n');
    await writeFile(join(folder, 'ca.crt'), valid.cert);
    const cluster = {'certificate-authority': 'ca.crt', 'tls-server-name': 'api.test'};
    await writeFile(join(folder, 'kubeconfig'), kubeconfigFor(proxy.server, {cluster, user: {tokenFile: 'token'}}));
    const common = {signal: stop.signal, redactor: new Redactor(), warn: () => {}, env: {}, watchTiming: quickTiming};
    direct = await connect({...common, kubeconfig: target.kubeconfig});
    api = await connect({...common, kubeconfig: join(folder, 'kubeconfig')});
    await makeCounter(direct, namespace);
    for (let index = 0; index < 50; index += 1) {
      await direct.apply({apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: `berth-${index}`, namespace}, data: {text: 'x'.repeat(2000)}});
    }
    view = new FollowedView(api, namespace, 20); // three pages at least
    await view.until(() => view.objects.size >= 51);
  });

  afterAll(async () => {
    await view?.end();
    stop.abort();
    api?.close();
    direct?.close();
    await proxy?.close();
    await target?.close();
    await rm(folder, {recursive: true, force: true});
  });

  /** Holds the fault for as long as `fault` takes, with a crew and a writer at work; then everything must come right by itself. */
  async function during(fault: (writer: Writer) => Promise<void>): Promise<{readonly whys: string; readonly errors: string}> {
    const toldBefore = view.told.length;
    const struckBefore = proxy.struck;
    const crew = new Crew(direct, namespace);
    const writer = new Writer(api, namespace, counted);
    await fault(writer);
    await expect.poll(() => crew.changes, {timeout: 30_000, interval: 50}).toBeGreaterThan(5);
    await crew.stop();
    counted = await writer.stop();
    await expectSameView();
    await expectExactWrites();
    const whys = view.told.slice(toldBefore).flatMap((one) => (one.type === 'stale' ? [one.why] : []));
    return {
      whys: [...whys, ...(proxy.struck > struckBefore ? [] : ['(nothing struck)'])].join('\n'),
      errors: writer.errors.map((error) => error.message).join('\n'),
    };
  }

  /** The view becomes, object by object, what the server has, and is told to be fresh. */
  async function expectSameView(): Promise<void> {
    await expect
      .poll(async () => ({isStale: view.isStale, differences: await differences(view, direct, namespace)}), {timeout: 30_000, interval: 100})
      .toEqual({isStale: false, differences: []});
    expect(view.doubled).toEqual([]);
  }

  /** Every step of the counter was accepted once, in order, and each entry made once. */
  async function expectExactWrites(): Promise<void> {
    const done = proxy.writes.filter((one) => one.status < 300);
    const counts = done.filter((one) => one.path.endsWith('/counter')).map((one) => /"count":"(\d+)"\}\}\]$/.exec(one.body)?.[1]);
    const all = Array.from({length: counted}, (_, index) => String(index + 1));
    expect(counts).toEqual(all);
    const entries = done
      .filter((one) => one.method === 'POST' && one.path.endsWith('/configmaps'))
      .map((one) => (JSON.parse(one.body) as {metadata: {name: string}}).metadata.name);
    expect(entries).toEqual(all.map((count) => `entry-${count}`));
    expect(await direct.get(configMaps, {name: 'counter', namespace})).toMatchObject({data: {count: String(counted)}});
  }

  it('connections that are cut again and again', async () => {
    const before = view.lists;
    const {whys} = await during(async () => {
      for (let cut = 0; cut < times.cuts; cut += 1) {
        await elapse(times.cutEvery);
        proxy.cut();
      }
    });
    expect(whys).not.toContain('nothing struck');
    expect(view.lists).toBe(before); // a cut is no reason to list again
  });

  it('410 on every watch, for a while', async () => {
    const before = view.lists;
    await during(async () => {
      proxy.isGone = true;
      proxy.cut();
      await view.until(() => view.lists >= before + 3);
      proxy.isGone = false;
    });
    expect(view.lists).toBeGreaterThanOrEqual(before + 3);
  });

  it('429 to everything, for a while', async () => {
    const {whys} = await during(async () => {
      proxy.refusal = {status: 429, reason: 'TooManyRequests', message: 'too many requests', headers: {'retry-after': '1'}};
      proxy.cut();
      await elapse(times.busy);
      // stale it is as soon as the connection is cut, before anybody was refused
      await view.until(() => view.isStale && view.whys.includes('answers 429'));
      proxy.refusal = undefined;
    });
    expect(whys).toMatch(/answers 429 when asked to watch configmaps in namespace harbour: too many requests/);
  });

  it('500 to everything, for a while', async () => {
    const {whys, errors} = await during(async (writer) => {
      proxy.refusal = {status: 500, reason: 'InternalError', message: 'etcdserver: no leader'};
      proxy.cut();
      await elapse(times.failing);
      await view.until(() => view.isStale && view.whys.includes('answers 500'));
      // reads are tried again before they fail: it lasts until one did
      await expect.poll(() => writer.errors.map((error) => error.message).join('\n'), {timeout: 60_000}).toContain('answers 500 when asked to get');
      proxy.refusal = undefined;
    });
    expect(whys).toMatch(/answers 500 when asked to watch configmaps in namespace harbour: etcdserver: no leader/);
    expect(errors).toMatch(/answers 500 when asked to get configmaps/);
  });

  it('silence in both directions', async () => {
    const {whys} = await during(async () => {
      proxy.silence(true);
      await Promise.all([elapse(times.silent), view.until(() => view.isStale)]);
      proxy.silence(false);
      proxy.struck += 1;
    });
    expect(whys).toMatch(/the server went silent|doesn't answer within/);
  });

  it('a slow way there and back', async () => {
    await during(async () => {
      proxy.latency = times.latency;
      proxy.cut();
      const from = counted;
      const began = Date.now();
      await api.serverVersion();
      expect(Date.now() - began).toBeGreaterThanOrEqual(times.latency);
      await view.until(() => view.objects.has(`entry-${from + 2}`));
      proxy.latency = 0;
    });
  });

  it('a certificate that expires, and is renewed', async () => {
    const {whys, errors} = await during(async () => {
      // they sign themselves, so the authority in the kubeconfig goes with them: its file is read again
      await writeFile(join(folder, 'ca.crt'), expired.cert);
      proxy.certificate(expired);
      await view.until(() => view.whys.includes('expired'));
      await writeFile(join(folder, 'ca.crt'), renewed.cert);
      proxy.certificate(renewed);
    });
    expect(`${whys}${errors}`).toMatch(/the server's certificate \(api\.test\) has expired on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
  });

  it('a token that is refused in the middle, and given anew', async () => {
    const {whys} = await during(async () => {
      proxy.tokens.clear();
      proxy.tokens.add('second-token');
      proxy.cut();
      // stale it is as soon as the connection is cut, before anybody has refused the token
      await view.until(() => view.whys.includes("doesn't accept the token"));
      await writeFile(join(folder, 'token'), 'second-token\n');
    });
    expect(whys).toMatch(/doesn't accept the token in .*token of the context test/);
  });
}
