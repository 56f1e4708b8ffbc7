// The table of actions, walked: each is done on one cluster by the desk, as the screens do it, and on its twin by the command that a person would
// type. Both must leave the same journal and the same cluster. On embedded management APIs (SIMULATED), one for each.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Answers, Subject} from '../../src/actions/action.ts';
import {createDesk, type Desk} from '../../src/actions/desk.ts';
import {actions, requireAction} from '../../src/actions/table.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import {connect} from '../../src/kube/client.ts';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import {textAt, valueAt, type KubeObject} from '../../src/kube/object.ts';
import {controllerMode} from '../../src/modes/controller/controller-mode.ts';
import {listRuns, readRun, type RunRecord} from '../../src/plan/ledger.ts';
import {startManagement, type ManagementApi} from '../../src/sandbox/management/management.ts';
import {program, startTrireme, trireme, type RunningProgram} from '../support/trireme.ts';

const capi = (kind: string, plural: string): Resource => ({group: 'cluster.x-k8s.io', version: 'v1beta2', plural, kind, namespaced: true});
const clusters = capi('Cluster', 'clusters');
const machines = capi('Machine', 'machines');
const secrets: Resource = {group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true};
const nodes: Resource = {group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false};

const fileOf = (workers: number, kubeconfig: string) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: dock}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    kubeconfig: ${kubeconfig}
    namespace: default
    class: in-memory
    controlPlane: {replicas: 1}
    pools:
      - {name: md-0, class: default-worker, replicas: ${workers}}
`;

/** One of the two twins: a management cluster, a workload cluster's API, a person's folders. */
interface Twin {
  readonly root: string;
  readonly management: ManagementApi;
  readonly workload: ManagementApi;
  readonly api: KubeApi;
  readonly nodes: KubeApi;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The state folder. */
  readonly folder: string;
}

async function startTwin(): Promise<Twin> {
  const root = await mkdtemp(join(tmpdir(), 'trireme-twin-'));
  const [management, workload] = await Promise.all([startManagement(), startManagement({providers: false})]);
  const open = (kubeconfig: string) => connect({kubeconfig, signal: new AbortController().signal, redactor: new Redactor(), warn: () => {}});
  await writeFile(join(root, 'trireme.yaml'), fileOf(2, management.kubeconfig.path));
  return {
    root,
    management,
    workload,
    api: await open(management.kubeconfig.path),
    nodes: await open(workload.kubeconfig.path),
    env: {PATH: process.env['PATH'], HOME: root, XDG_STATE_HOME: join(root, 'state')},
    folder: join(root, 'state', 'trireme'),
  };
}

async function stopTwin(twin: Twin | undefined): Promise<void> {
  if (twin === undefined) return;
  twin.api.close();
  twin.nodes.close();
  await twin.management.stop();
  await twin.workload.stop();
  await rm(twin.root, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
}

const workersOf = async ({api}: Twin): Promise<readonly KubeObject[]> =>
  (await api.list(machines, {namespace: 'default', labelSelector: 'cluster.x-k8s.io/cluster-name=dock,!cluster.x-k8s.io/control-plane'})).items.toSorted(
    (a, b) => (a.metadata.name < b.metadata.name ? -1 : 1),
  );
const nameOfWorker = async (twin: Twin) => (await workersOf(twin))[0]?.metadata.name ?? '';

/** The workload cluster answers, with a node for each machine. */
async function giveNodes(twin: Twin): Promise<void> {
  const value = Buffer.from(twin.workload.kubeconfig.text).toString('base64');
  await twin.api.patch(secrets, {namespace: 'default', name: 'dock-kubeconfig'}, {type: 'merge', body: {data: {value}}});
  for (const machine of await workersOf(twin)) {
    const name = textAt(machine, 'status', 'nodeRef', 'name') ?? machine.metadata.name;
    if ((await twin.nodes.get(nodes, {name})) === undefined) await twin.nodes.create({apiVersion: 'v1', kind: 'Node', metadata: {name}});
  }
}

/** Names that are made at random are told apart by their order only. */
function anonymous(value: unknown): unknown {
  const seen = new Map<string, string>();
  const text = JSON.stringify(value).replaceAll(/dock-[a-z0-9]+(?:-[a-z0-9]+)*/g, (name) => {
    if (!/-[a-z0-9]{5}(-|$)/.test(name)) return name;
    if (!seen.has(name)) seen.set(name, `random-${seen.size}`);
    return seen.get(name) as string;
  });
  return JSON.parse(text.replaceAll(/\/tmp\/trireme-[a-z]+-[A-Za-z0-9]+/g, '/TMP').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'));
}

const unitOf = (event: object) => ('host' in event && typeof event.host === 'string' ? event.host : '');

/** What the newest run did, without times; what is told while waiting depends on when one looks. */
async function journalOf({folder}: Twin): Promise<unknown> {
  const records = await Promise.all((await listRuns(folder)).slice(0, 5).map((run) => readRun(folder, run)));
  // names of runs tell the second only
  const {header, events} = records.toSorted((a, b) => (a.header.startedAt < b.header.startedAt ? 1 : -1))[0] as RunRecord;
  const {run: _run, startedAt: _startedAt, pid: _pid, resumed, specDigest: _spec, basisDigest: _basis, ...head} = header;
  return anonymous({
    head: {...head, resumed: resumed !== undefined},
    events: events
      .filter((event) => !['condition.changed', 'step.output', 'transfer.progressed'].includes(event.type))
      .map(({seq: _seq, at: _at, run: _of, ...event}) => {
        if (event.type === 'run.started') return {...event, resumed: event.resumed !== undefined};
        // whether a wait finds all done already, or sees it done, is a matter of milliseconds; so are the counts of it
        if (event.type === 'step.finished') return {...event, ms: 0, summary: '', outcome: /^wait|\/(wait|confirm)$/.test(event.step) ? 'done' : event.outcome};
        if (event.type === 'phase.finished') return {type: event.type, phase: event.phase, failed: event.failed};
        if (event.type === 'run.finished') return {type: event.type, outcome: event.outcome, hosts: event.hosts.map((host) => host.host)};
        return event;
      })
      // units of a cluster are worked on side by side: only each one's own order is anybody's
      .toSorted((a, b) => (unitOf(a) < unitOf(b) ? -1 : unitOf(a) > unitOf(b) ? 1 : 0)),
  });
}

async function endOf(twin: Twin): Promise<unknown> {
  const cluster = await twin.api.get(clusters, {namespace: 'default', name: 'dock'});
  const list = (await twin.api.list(machines, {namespace: 'default'})).items;
  return anonymous({
    topology: valueAt(cluster, 'spec', 'topology'),
    paused: valueAt(cluster, 'spec', 'paused'),
    machines: list.map((one) => textAt(one, 'spec', 'version')).toSorted(),
    nodes: (await twin.nodes.list(nodes, {})).items.map((one) => valueAt(one, 'spec', 'unschedulable') === true).toSorted(),
    file: await readFile(join(twin.root, 'trireme.yaml'), 'utf8'),
  });
}

interface Deed {
  readonly answers?: Answers;
  /** What a person types, in the folder of the file, after `trireme`; `MACHINE` is the first worker. */
  readonly byHand: string;
  readonly before?: (twin: Twin) => Promise<void>;
}

/** A run that is killed while its first step waits for the API, so that there's something to go on with. */
async function breakOff(twin: Twin): Promise<void> {
  // the first one is the plan's dry run
  let patches = 0;
  twin.management.faults.inject({
    status: 429,
    retryAfter: 30,
    matches: ({method, path}) => method === 'PATCH' && path.includes('/clusters/dock') && (patches += 1) > 1,
  });
  await writeFile(join(twin.root, 'trireme.yaml'), fileOf(3, twin.management.kubeconfig.path));
  const running: RunningProgram = startTrireme(['apply', '--yes', '-o', 'ndjson'], {cwd: twin.root, env: twin.env});
  await running.saw(/step\.started/);
  running.kill('SIGKILL');
  await running.ended;
  twin.management.faults.clear();
}

/** In this order: each goes on from where the one before left the clusters. */
const deeds: Readonly<Record<string, Deed>> = {
  apply: {byHand: 'apply --yes'},
  'apply --resume': {byHand: 'apply --resume --yes', before: breakOff},
  'cluster scale': {answers: {counts: {'md-0': 2, 'control plane': 3}}, byHand: 'cluster scale md-0=2 --control-plane 3 --wait --yes'},
  'cluster upgrade': {answers: {to: 'v1.36.3'}, byHand: 'cluster upgrade --to v1.36.3 --wait --yes'},
  'cluster pause': {byHand: 'cluster pause --yes'},
  'cluster resume': {byHand: 'cluster resume --yes'},
  'cluster kubeconfig': {byHand: 'cluster kubeconfig --merge'},
  'machine cordon': {byHand: 'machine cordon MACHINE --yes', before: giveNodes},
  'machine uncordon': {byHand: 'machine uncordon MACHINE --yes'},
  'machine drain': {byHand: 'machine drain MACHINE --yes'},
  'machine replace': {byHand: 'machine replace MACHINE --wait --yes'},
  'machine remediate': {byHand: 'machine remediate MACHINE --wait --yes'},
  'machine delete': {byHand: 'machine delete MACHINE --wait --yes'},
  'cluster restart': {
    byHand: 'cluster restart --wait --yes',
    // machines know their age to the second
    before: async () => {
      const second = Math.floor(Date.now() / 1000);
      await waitFor(async () => (Math.floor(Date.now() / 1000) > second ? true : undefined), {timeout: 2000, interval: 20});
    },
  },
  'cluster delete': {answers: {confirm: 'dock'}, byHand: 'cluster delete --confirm dock'},
};

describe('each action does what its command does', {timeout: 300_000}, () => {
  let screen: Twin;
  let hand: Twin;
  let desk: Desk;

  beforeAll(async () => {
    [screen, hand] = await Promise.all([startTwin(), startTwin()]);
    desk = createDesk({
      program: {execPath: process.execPath, script: program, cwd: screen.root, env: screen.env, folder: screen.folder},
      modes: {controller: controllerMode.capabilities},
    });
  });
  afterAll(async () => {
    await stopTwin(screen);
    await stopTwin(hand);
  });

  it('has every action that runs or answers in this mode', () => {
    expect(
      actions
        .filter((action) => (action.kind === 'run' || action.kind === 'answer') && action.only?.modes.includes('controller') !== false)
        .map((action) => action.id)
        .toSorted(),
    ).toEqual(Object.keys(deeds).toSorted());
  });

  it.each(Object.entries(deeds))('%s', async (id, deed) => {
    const action = requireAction(id);
    await deed.before?.(screen);
    await deed.before?.(hand);
    const place = {
      name: 'dock',
      mode: 'controller',
      files: [join(screen.root, 'trireme.yaml')],
      kubeconfig: screen.management.kubeconfig.path,
      namespace: 'default',
    };
    const subject: Subject =
      action.about === 'machine'
        ? {about: 'machine', cluster: place, machine: await nameOfWorker(screen)}
        : action.about === 'run'
          ? {about: 'run', run: (await listRuns(screen.folder))[0] ?? '', state: 'broken-off', cluster: place}
          : {about: 'cluster', cluster: place};
    expect(desk.offers([subject]).find((offer) => offer.action.id === id)?.reason).toBeUndefined();
    const [started] = await desk.start([{action, subject, answers: deed.answers ?? {}}]);
    expect(started).toMatchObject(action.kind === 'run' ? {run: expect.any(String)} : {said: expect.any(String)});

    const words = deed.byHand.replace('MACHINE', await nameOfWorker(hand)).split(' ');
    const ran = await trireme(words, {cwd: hand.root, env: hand.env});
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);

    if (action.kind === 'answer') {
      expect(started?.said).toContain('merged into');
      const merged = (twin: Twin) => readFile(join(twin.root, '.kube', 'config'), 'utf8').then((text) => text.replaceAll(/(server|token|data): .*/g, '$1: x'));
      expect(await merged(screen)).toBe(await merged(hand));
      return;
    }
    const store = desk.runs.follow(started?.run ?? '');
    const ended = await waitFor(async () => (store.get().state === 'finished' ? store.get() : undefined), {timeout: 120_000, interval: 50});
    store.stop();
    expect(ended?.view.outcome).toBe('succeeded');
    const [mine, theirs] = [await journalOf(screen), await journalOf(hand)] as {events: {type: string}[]}[];
    expect(mine).toEqual(theirs);
    expect(mine?.events.map((event) => event.type)).toEqual(expect.arrayContaining(['run.started', 'step.finished', 'run.finished']));
    expect(await endOf(screen)).toEqual(await endOf(hand));
  });
});
