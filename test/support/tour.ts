// The pictures' story: the dashboard's own screens over a fleet whose names, numbers and clock are always the same.
import type {Preview} from '../../src/actions/preview.ts';
import type {RunRow} from '../../src/fleet/run-rows.ts';
import {viewOfRun} from '../../src/fleet/run-view.ts';
import type {EventBody, TriremeEvent} from '../../src/kernel/event.ts';
import type {ClusterView, ObjectNode, PoolView} from '../../src/modes/mode.ts';
import {createTheme} from '../../src/ui/theme.ts';
import {nodeOf, notReady, poolOf, viewOf} from '../unit/ui/views.ts';
import {testDesk} from './desk.ts';
import {fleetOf, frameTime, openScreen, testServices, type TestScreen} from './screen.ts';

/** One moment: everything that was written to the terminal until then. */
export interface Moment {
  /** Names the picture that is made of it; absent: it's in the tour only. */
  readonly picture?: string;
  readonly title: string;
  /** How long the tour stays at it, in ms. */
  readonly stays: number;
  readonly written: string;
}

export const tourSize = {columns: 104, rows: 27};

const ago = (minutes: number) => new Date(frameTime - minutes * 60_000).toISOString();
const common = {simulated: true, context: 'sandbox', class: 'in-memory', created: ago(4320)} as const;
const pool = (name: string, replicas: number, more: Partial<PoolView> = {}): PoolView =>
  poolOf(name, {
    topologyName: name,
    replicas: {wanted: replicas, current: replicas, ready: replicas, available: replicas, upToDate: replicas},
    versions: [{version: 'v1.36.3', replicas}],
    ...more,
  });
const cluster = (name: string, namespace: string, counts: readonly [number, number], more: Partial<ClusterView> = {}) =>
  viewOf(name, {
    ...common,
    namespace,
    controlPlanes: {ready: counts[0], wanted: counts[0]},
    workers: {ready: counts[1], wanted: counts[1]},
    pools: [pool('workers', counts[1])],
    ...more,
  });

/** The cluster that is upgraded while it's looked at; `done` of its ten machines have the new version. */
function lagoon(done: number): ClusterView {
  const inControlPlane = Math.min(3, done);
  const inPool = Math.max(0, done - 3);
  const poolUpgrade = {from: ['v1.35.4'], to: 'v1.36.3', plan: ['v1.36.3'], done: inPool, total: 6};
  const isMoving = inPool > 0 && inPool < 6;
  const versions = (now: number, of: number) => [
    {version: 'v1.36.3', replicas: now},
    {version: 'v1.35.4', replicas: of - now},
  ];
  return cluster('lagoon', 'north', [3, 6], {
    health: 'progressing',
    version: 'v1.36.3',
    now: `upgrading to v1.36.3: ${done}/9 machines`,
    endpoint: '198.18.0.10:6443',
    workers: {ready: isMoving ? 5 : 6, wanted: 6},
    upgrade: {from: ['v1.35.4'], to: 'v1.36.3', plan: ['v1.36.3'], done, total: 9},
    controlPlane: pool('control-plane', 3, {
      name: 'lagoon-cp',
      kind: 'KubeadmControlPlane',
      role: 'control-plane',
      versions: versions(inControlPlane, 3),
      ...(inControlPlane < 3 ? {upgrade: {from: ['v1.35.4'], to: 'v1.36.3', plan: ['v1.36.3'], done: inControlPlane, total: 3}} : {}),
    }),
    pools: [
      pool('deep', 6, {
        versions: versions(inPool, 6),
        replicas: {wanted: 6, current: 7, ready: isMoving ? 5 : 6, available: 5, upToDate: inPool},
        upgrade: poolUpgrade,
      }),
    ],
    tree: lagoonTree(inControlPlane, inPool),
  });
}

function lagoonTree(inControlPlane: number, inPool: number): ObjectNode {
  const version = (isNew: boolean) => (isNew ? 'v1.36.3' : 'v1.35.4');
  const machine = (name: string, isNew: boolean, more: Partial<ObjectNode> = {}) => nodeOf('machine', 'Machine', name, {version: version(isNew), ...more});
  const waiting = {...notReady, standing: 'working' as const, reason: 'WaitingForNode', message: 'the node has not registered yet', since: ago(1)};
  const moving = machine('lagoon-deep-m7x2k', true, {standing: 'working', worst: 'working', conditions: [waiting]});
  return nodeOf('cluster', 'Cluster', 'lagoon', {
    worst: 'working',
    children: [
      nodeOf('infrastructure', 'DevCluster', 'lagoon'),
      nodeOf('control-plane', 'KubeadmControlPlane', 'lagoon-cp', {
        version: 'v1.36.3',
        replicas: {wanted: 3, current: 3, ready: 3, available: 3, upToDate: inControlPlane},
        children: ['4tq7n', '9kd2c', 'w8z5p'].map((suffix, index) => machine(`lagoon-cp-${suffix}`, index < inControlPlane)),
      }),
      nodeOf('pool', 'MachineDeployment', 'lagoon-deep', {
        worst: 'working',
        replicas: {wanted: 6, current: 7, ready: 5, available: 5, upToDate: inPool},
        children: [...['b6v4h', 'c2m9r', 'hn5tq', 'j8w3x', 'p4k7d', 'x9c2v'].map((suffix, index) => machine(`lagoon-deep-${suffix}`, index < inPool)), moving],
      }),
    ],
  });
}

function fleetWith(upgraded: number): readonly ClusterView[] {
  return [
    cluster('atoll', 'south', [3, 12]),
    cluster('fjord', 'north', [1, 4], {now: 'tide: scaling from 4 to 6', health: 'progressing', workers: {ready: 4, wanted: 6}}),
    cluster('harbour', 'default', [1, 2], {version: 'v1.35.4'}),
    cluster('jetty', 'south', [1, 2], {version: 'v1.35.4', paused: true, reasons: ['paused: nothing of it is reconciled']}),
    lagoon(upgraded),
    cluster('quay', '', [1, 2], {mode: 'agent', namespace: undefined, context: undefined, class: undefined, created: undefined}),
    cluster('reef', 'south', [1, 3], {
      health: 'degraded',
      workers: {ready: 1, wanted: 3},
      reasons: ['Machine/reef-coral-8dkq2, reef-coral-zv4nt: no capacity for 12 minutes (InsufficientInstanceCapacity)'],
    }),
    cluster('skerry', 'south', [3, 5]),
  ];
}

const run = '20260301-120000-0000';
const upgradeSteps = [
  ['control-plane', 'Upgrade the control plane to v1.36.3'],
  ['workers', 'Upgrade workers to v1.36.3'],
] as const;
const bodies: readonly EventBody[] = [
  {
    type: 'run.started',
    operation: 'upgrade',
    subject: 'harbour',
    mode: 'controller',
    simulated: true,
    phases: [
      {title: 'Change what is wanted', steps: [{id: 'want', title: 'Set version v1.36.3', host: 'cluster', effect: 'none'}]},
      ...upgradeSteps.map(([host, title]) => ({title, steps: [{id: `upgrade/${host}`, title, host, effect: 'replace' as const}]})),
    ],
  },
  {type: 'phase.started', phase: 'Change what is wanted', steps: 1},
  {type: 'step.started', step: 'want', title: 'Set version v1.36.3', phase: 'Change what is wanted', host: 'cluster'},
  {type: 'step.finished', step: 'want', title: 'Set version v1.36.3', phase: 'Change what is wanted', host: 'cluster', outcome: 'done', ms: 140},
  ...upgradeSteps.flatMap(([host, title]): readonly EventBody[] => [
    {type: 'phase.started', phase: title, steps: 1},
    {type: 'step.started', step: `upgrade/${host}`, title, phase: title, host},
    {type: 'step.finished', step: `upgrade/${host}`, title, phase: title, host, outcome: 'done', ms: 41_000},
  ]),
];
const events = bodies.map((body, index) => ({...body, seq: index + 1, at: new Date(frameTime - 20_000 + index * 2000).toISOString(), run}) as TriremeEvent);
const header = {
  ledger: 1,
  run,
  operation: 'upgrade',
  cluster: 'harbour',
  mode: 'controller',
  files: [],
  specDigest: '',
  basisDigest: '',
  program: '1',
  startedAt: ago(0.3),
  pid: 1,
} as const;
const history: readonly RunRow[] = [
  {run, state: 'running', header},
  {
    run: '20260301-111500-5c1d',
    state: 'finished',
    header: {...header, operation: 'scale', cluster: 'atoll', startedAt: ago(45)},
    outcome: 'succeeded',
    ms: 74_000,
    hosts: [],
  },
  {
    run: '20260228-161000-a07e',
    state: 'finished',
    header: {...header, operation: 'apply', cluster: 'quay', mode: 'agent', startedAt: ago(1190)},
    outcome: 'succeeded',
    ms: 184_000,
    hosts: [],
  },
];
const preview = (): Partial<Preview> => ({
  plan: {
    operation: 'upgrade',
    cluster: 'harbour',
    mode: 'controller',
    simulated: true,
    changes: true,
    phases: [],
    hosts: ['control-plane', 'workers'].map((host) => ({
      host,
      state: 'changed' as const,
      effect: 'replace' as const,
      changes: [{path: 'version', from: 'v1.35.4', to: 'v1.36.3', effect: 'replace' as const, why: 'each machine is replaced by a new one, one at a time'}],
    })),
  },
});

/** Plays it, and returns its moments. */
export async function playTour(themeName: 'dark' | 'light' = 'dark'): Promise<readonly Moment[]> {
  const desk = testDesk({rows: history, preview});
  const services = testServices(fleetOf(fleetWith(2), {management: {title: 'sandbox', phase: 'live'}, quay: {title: 'quay', phase: 'live', group: 'hosts'}}), {
    desk,
  });
  const screen = await openScreen({...tourSize, services, theme: createTheme({name: themeName, level: 3, ascii: false})});
  const moments: Moment[] = [];
  const keep = async (title: string, stays: number, wanted: RegExp, picture?: string) => {
    await screen.shows(wanted);
    await settled(screen);
    moments.push({title, stays, written: screen.output.written.join(''), ...(picture === undefined ? {} : {picture})});
  };
  const seeLagoon = (done: number) => {
    services.fleet.set({...services.fleet.get(), rows: fleetOf(fleetWith(done)).rows});
    services.clusters.get('management/north/lagoon')?.set({view: lagoon(done), phase: 'live'});
  };
  const follow = (count: number, state: 'running' | 'finished') =>
    desk.followed.get(run)?.set({run, state, view: viewOfRun(events.slice(0, count)), recent: [], damaged: 0, isCut: false, header});
  try {
    await keep('Every cluster of every mode, and what is wrong', 3000, /❯ atoll/, 'fleet');
    for (const typed of ['/', 'n', 's', ':', 's']) screen.press(typed);
    await keep('Filter by anything', 1800, /ns:s/);
    screen.press('\u001B');
    await keep('Every cluster of every mode, and what is wrong', 800, /harbour/);
    for (let step = 0; step < 4; step += 1) screen.press('j');
    await keep('Every cluster of every mode, and what is wrong', 800, /❯ lagoon/);
    screen.press('\r');
    await screen.shows(/Fleet → lagoon/);
    seeLagoon(2);
    await keep('A cluster, and the upgrade under way', 2000, /lagoon-cp-w8z5p|2\/3/);
    for (const done of [3, 4, 5, 6]) {
      seeLagoon(done);
      await keep('A cluster, and the upgrade under way', 900, new RegExp(`${done}/9 machines`), done === 5 ? 'cluster' : undefined);
    }
    screen.press('\u001B');
    await screen.shows(/❯ lagoon/);
    screen.press('k');
    screen.press('k');
    await keep('Every cluster of every mode, and what is wrong', 900, /❯ harbour/);
    screen.press('u');
    await keep('An action, with its cost in view', 1500, /To which version/i);
    screen.press('v1.36.3');
    screen.press('\r');
    await keep('An action, with its cost in view', 3000, /y upgrade/, 'plan');
    screen.press('y');
    await screen.shows(/Run 20260301/);
    for (const count of [3, 6, 8]) {
      follow(count, 'running');
      await keep('The run, which goes on without the screen', 1300, count === 3 ? /0\/3/ : count === 6 ? /1\/3/ : /2\/3/, count === 6 ? 'run' : undefined);
    }
    follow(events.length, 'finished');
    await keep('The run, which goes on without the screen', 2000, /3\/3|done|succeeded/);
    screen.press('\u001B');
    await screen.shows(/❯ harbour/);
    screen.press('?');
    await keep('Help, from the same table as the keys', 2500, /In lists/, 'help');
  } finally {
    await screen.stop();
  }
  return moments;
}

/** Nothing more is written for a while: what a key or a change asked for is drawn. */
async function settled(screen: TestScreen): Promise<void> {
  const calm = 220;
  let count = -1;
  while (count !== screen.output.written.length) {
    count = screen.output.written.length;
    await new Promise((resolve) => setTimeout(resolve, calm));
  }
}
