import stringWidth from 'string-width';
import {describe, expect, it} from 'vitest';
import type {ClusterView} from '../../../src/modes/mode.ts';
import {gather} from '../../../src/modes/controller/observe/gather.ts';
import {viewCluster} from '../../../src/modes/controller/observe/view.ts';
import type {KubeObject} from '../../../src/kube/object.ts';
import {renderMachine, renderMachines} from '../../../src/output/machine-text.ts';
import {renderObserved, renderObservedTree} from '../../../src/output/observed-text.ts';
import {createStyle, plainStyle} from '../../../src/output/style.ts';
import {clusterSet, condition, withConditions} from '../../support/cluster-api-objects.ts';
import {MemoryApi} from '../../support/memory-api.ts';

const now = Date.parse('2026-11-25T10:10:00Z');

/** Of either depth of look people are shown the same. */
async function see(objects: readonly KubeObject[], name = 'web'): Promise<ClusterView> {
  const [whole, brief] = await Promise.all([false, true].map((brief) => look(objects, name, brief)));
  const texts = (view: ClusterView) => {
    const options = {style: plainStyle, now, wide: true};
    return [renderObservedTree(view, options), renderObserved(view, options), renderMachines(view.machines, options)];
  };
  expect(texts(brief as ClusterView)).toEqual(texts(whole as ClusterView));
  return whole as ClusterView;
}

async function look(objects: readonly KubeObject[], name: string, brief: boolean): Promise<ClusterView> {
  const seen = await gather(new MemoryApi(objects), {namespace: 'fleet', cluster: name, depth: 'full', brief});
  const view = viewCluster(seen, `fleet/${name}`, {context: 'memory', simulated: false, depth: 'full'});
  if (view === undefined) throw new Error('the cluster is not seen');
  return view;
}

const failing = (objects: readonly KubeObject[], name: string, message: string) =>
  objects.map((one) =>
    one.kind === 'DevMachine' && one.metadata.name === name ? withConditions(one, condition('Ready', 'False', 'InstanceFailed', message)) : one,
  );

describe('the tree of a cluster', () => {
  it('folds healthy machines that are alike', async () => {
    const text = renderObservedTree(await see(clusterSet({workers: 40}).objects), {style: plainStyle, now});
    expect(text).toContain('✔ 40 machines ready, v1.36.3: web-md-0-1 … web-md-0-9');
    expect(text).not.toContain('web-md-0-17');
  });

  it('shows every object and condition with --all', async () => {
    const {objects} = clusterSet({workers: 4});
    const text = renderObservedTree(await see(objects), {style: plainStyle, now, all: true});
    for (const one of objects) expect(text).toContain(`${one.kind}/${one.metadata.name}`);
    expect(text).toContain('✔ VMProvisioned True Provisioned 10m00s');
    expect(text).toContain('Node/node-web-md-0-4');
  });

  it('never folds a machine whose infrastructure fails, and says why', async () => {
    const {objects} = clusterSet({workers: 40});
    const text = renderObservedTree(await see(failing(objects, 'web-md-0-17', 'no quota left')), {style: plainStyle, now});
    expect(text).toContain('39 machines ready');
    expect(text).toContain('✖ DevMachine/web-md-0-17');
    expect(text).toContain('▲ Ready False InstanceFailed 10m00s: no quota left');
  });

  it('folds machines of different versions apart', async () => {
    const {objects} = clusterSet({workers: 6});
    const mixed = objects.map((one) =>
      one.kind === 'Machine' && /md-0-[123]$/.test(one.metadata.name) ? {...one, spec: {...(one['spec'] as object), version: 'v1.35.4'}} : one,
    );
    const text = renderObservedTree(await see(mixed), {style: plainStyle, now});
    expect(text).toContain('3 machines ready, v1.35.4');
    expect(text).toContain('3 machines ready, v1.36.3');
    expect(text).toContain('v1.35.4 (3), v1.36.3 (3)');
  });

  it('draws with ASCII only where that is asked for', async () => {
    const {objects} = clusterSet();
    const text = renderObservedTree(await see(failing(objects, 'web-md-0-1', 'no quota')), {style: createStyle({color: false, ascii: true}), now, columns: 80});
    // oxlint-disable-next-line no-control-regex
    expect(text).toMatch(/^[\u0000-\u007E]*$/);
    expect(text).toContain('x DevMachine/web-md-0-1');
  });

  it('keeps to 80 columns, whatever messages and names are', async () => {
    const long = 'x'.repeat(253);
    const {objects} = clusterSet({name: 'web'});
    const message = `* first point that is long enough to be wrapped at least once in a terminal of eighty columns\n* ${long}`;
    const text = renderObservedTree(await see(failing(objects, 'web-md-0-1', message)), {style: plainStyle, now, columns: 80});
    const tree = text.slice(text.indexOf('✖ DevMachine'));
    for (const line of tree.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
    expect(tree.replaceAll(/[\s│├└─]/g, '')).toContain(long);
  });

  it('lets nothing out that steers the terminal', async () => {
    const hostile = '\u001B[2J\u001B]0;owned\u0007gone\r\n\u202Eevil\u2066\u009B31m"quoted" \u0000end';
    const {objects} = clusterSet();
    const view = await see(failing(objects, 'web-md-0-1', hostile));
    const named: ClusterView = {...view, class: hostile, context: hostile, reasons: [hostile], now: hostile};
    const [machine] = view.machines.filter((one) => one.standing === 'bad');
    if (machine === undefined) throw new Error('no machine fails');
    const evil = {...machine, name: hostile, phase: hostile, reasons: [hostile]};
    for (const text of [
      renderObservedTree(named, {style: plainStyle, now, columns: 80, all: true}),
      renderObserved(named, {style: plainStyle, now, columns: 80}),
      renderMachines([evil], {style: plainStyle, now, columns: 80}),
      renderMachine(evil, {style: plainStyle, now, columns: 80}),
    ]) {
      // oxlint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
      expect(text).toContain('"quoted"');
      expect(text).toContain('evil');
    }
    expect(JSON.parse(JSON.stringify(named))).toEqual(named);
  });
});

it('says how old a stale view is, and why', async () => {
  const view = {...(await see(clusterSet().objects)), stale: {since: '2026-11-25T10:09:00Z', why: 'the connection was cut'}};
  expect(renderObserved(view, {style: plainStyle, now})).toContain('what is shown is 1m00s old: the connection was cut');
});

it('shows an upgrade with the versions of each pool', async () => {
  const {objects} = clusterSet({version: 'v1.35.4'});
  const upgrading = objects.map((one) => {
    if (one.kind === 'Cluster')
      return {...one, spec: {...(one['spec'] as object), topology: {...(one['spec'] as {topology: object}).topology, version: 'v1.36.3'}}};
    if (one.kind === 'KubeadmControlPlane' || one.metadata.name === 'web-cp-1') return {...one, spec: {...(one['spec'] as object), version: 'v1.36.3'}};
    return one;
  });
  const text = renderObserved(await see(upgrading), {style: plainStyle, now});
  expect(text).toContain('→ upgrading to v1.36.3: 1/4 machines');
  expect(text).toMatch(/md-0 +3\/3 +3\/3 +v1\.35\.4 \(3\) to v1\.36\.3 +upgrade to v1\.36\.3: 0\/3, waits: /);
});
