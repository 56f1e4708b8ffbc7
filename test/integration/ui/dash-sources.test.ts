// What feeds the dashboard, through outages: the last view stays with its age, and everything returns by itself.
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {connect, createServer, type AddressInfo, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {createDashServices} from '../../../src/commands/base-dash-services.ts';
import {dashSources} from '../../../src/commands/base-dash-sources.ts';
import {followFleet, type FleetState, type FleetStore} from '../../../src/fleet/fleet-store.ts';
import type {KnownCluster} from '../../../src/fleet/known-clusters.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import type {Store} from '../../../src/kernel/store.ts';
import {testDesk} from '../../support/desk.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {seedFleet} from '../../../src/sandbox/management/scale-out.ts';
import {readSettings} from '../../../src/settings.ts';
import {trireme, resultOf} from '../../support/trireme.ts';

/** Passes bytes on to a server, until it's cut. */
class Wire {
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(to: number) {
    this.#to = to;
  }

  async open(): Promise<void> {
    const server = createServer((socket) => {
      const onward = connect(this.#to, '127.0.0.1');
      for (const one of [socket, onward]) {
        this.#sockets.add(one);
        one.on('error', () => {});
        one.on('close', () => {
          this.#sockets.delete(one);
          socket.destroy();
          onward.destroy();
        });
      }
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => (this.#server === undefined ? resolve() : this.#server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }
}

function until<T>(store: Store<T>, isSo: (value: T) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`never so: ${JSON.stringify(store.get()).slice(0, 2000)}`)), 25_000);
    const look = () => {
      if (!isSo(store.get())) return;
      clearTimeout(timer);
      stop();
      resolve(store.get());
    };
    const stop = store.subscribe(look);
    look();
  });
}

describe('the dashboard, fed by a management API', () => {
  let management: ManagementApi;
  let folder: string;
  let kubeconfig: string;
  let wire: Wire;
  let stopping: AbortController;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-dash-'));
    management = await startManagement();
    seedFleet(management, {clusters: 3, machines: 3});
  });
  afterAll(async () => {
    await management.stop();
    await rm(folder, {recursive: true, force: true});
  });
  beforeEach(async () => {
    wire = new Wire(Number(new URL(management.server).port));
    await wire.open();
    kubeconfig = join(folder, 'kubeconfig');
    await writeFile(kubeconfig, (await readFile(management.kubeconfig.path, 'utf8')).replaceAll(management.server, `https://127.0.0.1:${wire.port}`));
    stopping = new AbortController();
  });
  afterEach(async () => {
    stopping.abort();
    management.faults.clear();
    await wire.cut();
  });

  const known = (): KnownCluster => ({
    name: 'fleet-0001',
    mode: 'controller',
    files: ['/srv/trireme.yaml'],
    digest: '',
    hosts: [],
    kubeconfig,
    namespace: 'default',
  });
  const follow = (clusters: readonly KnownCluster[]): {readonly fleet: FleetStore; readonly services: ReturnType<typeof createDashServices>} => {
    const scope = {signal: stopping.signal, redactor: new Redactor(), concurrency: 4, warn: () => {}};
    const {sources, expected, places} = dashSources(clusters, {contexts: [], useDefault: false}, {scope, signal: stopping.signal, interval: 1000});
    const fleet = followFleet(sources, expected);
    return {fleet, services: createDashServices({fleet, places, scope, settings: readSettings(folder).settings, commands: [], desk: testDesk()})};
  };
  const trouble = (state: FleetState) => Object.values(state.sources)[0]?.trouble;
  const names = (state: FleetState) => state.rows.map((row) => row.view.name);

  it('has known clusters at once, and all that are there soon', async () => {
    const {fleet} = follow([known()]);
    expect(fleet.get().rows).toMatchObject([{isLooking: true, view: {name: 'fleet-0001', health: 'unknown'}}]);
    const seen = await until(fleet, (state) => state.rows.length === 3);
    expect(names(seen)).toEqual(['fleet-0000', 'fleet-0001', 'fleet-0002']);
    expect(seen.rows.map((row) => row.known?.name)).toEqual([undefined, 'fleet-0001', undefined]);
    expect(Object.values(seen.sources)[0]).toMatchObject({title: 'sandbox', phase: 'live'});
  });

  it('keeps what was seen while the API is gone, says since when, and goes on by itself', async () => {
    const {fleet, services} = follow([known()]);
    const [row] = (await until(fleet, (state) => state.rows.length === 3)).rows;
    const followed = services.followCluster(row?.id ?? '');
    expect((await until(followed.store, (state) => state.view !== undefined)).view?.tree?.kind).toBe('Cluster');
    await wire.cut();
    const cut = await until(fleet, (state) => trouble(state) !== undefined);
    expect(cut.rows).toHaveLength(3);
    expect(Date.now() - Date.parse(trouble(cut)?.since ?? '')).toBeLessThan(20_000);
    await until(followed.store, (state) => state.view?.stale !== undefined || state.trouble !== undefined);
    await wire.open();
    await until(fleet, (state) => trouble(state) === undefined && state.rows.every((one) => one.view.stale === undefined));
    await until(followed.store, (state) => state.view?.stale === undefined && state.trouble === undefined);
    followed.close();
  });

  it('asks again with the credentials of the day when they are refused', async () => {
    management.faults.inject({status: 401, matches: () => true});
    const {fleet} = follow([known()]);
    const refused = await until(fleet, (state) => trouble(state) !== undefined);
    expect(names(refused)).toEqual(['fleet-0001']);
    management.faults.clear();
    await until(fleet, (state) => state.rows.length === 3 && trouble(state) === undefined);
  });

  it('sees what it may where it may not see all namespaces', async () => {
    const rules = [{verbs: ['get', 'list', 'watch'], groups: ['*'], resources: ['*'], namespace: 'default'}];
    const {kubeconfig: own} = await management.addUser('ada', rules);
    await writeFile(kubeconfig, (await readFile(own.path, 'utf8')).replaceAll(management.server, `https://127.0.0.1:${wire.port}`));
    const {fleet} = follow([known()]);
    expect(names(await until(fleet, (state) => state.rows.length === 3))).toContain('fleet-0002');
    expect(trouble(fleet.get())).toBeUndefined();
  });

  it('sees several namespaces, each by a watch of its own', async () => {
    const rules = ['default', 'elsewhere'].map((namespace) => ({verbs: ['get', 'list', 'watch'], groups: ['*'], resources: ['*'], namespace}));
    const {kubeconfig: own} = await management.addUser('grace', rules);
    await writeFile(kubeconfig, (await readFile(own.path, 'utf8')).replaceAll(management.server, `https://127.0.0.1:${wire.port}`));
    const {fleet} = follow([known(), {...known(), name: 'not-made-yet', namespace: 'elsewhere'}]);
    const seen = await until(fleet, (state) => state.rows.length === 4 && state.rows.every((row) => row.isLooking !== true));
    expect(seen.rows.find((row) => row.view.name === 'not-made-yet')?.view.reasons).toEqual(["it isn't there: trireme apply"]);
  });

  it('leaves the rest alone when a cluster of hosts has no file any more', async () => {
    const gone: KnownCluster = {name: 'berth', mode: 'agent', files: [join(folder, 'gone.yaml')], digest: '', hosts: []};
    const {fleet} = follow([gone, known()]);
    const seen = await until(fleet, (state) => state.rows.length === 4 && state.rows.every((row) => row.isLooking !== true));
    expect(seen.rows.find((row) => row.view.name === 'berth')?.view).toMatchObject({health: 'unknown', reasons: [expect.stringContaining('gone.yaml')]});
    expect(seen.rows.find((row) => row.view.name === 'fleet-0000')?.view.version).toMatch(/^v1/);
  });

  it('tells a program what there is, and ends', async () => {
    const ran = await trireme(['dash', '-o', 'json', '--kubeconfig', kubeconfig], {env: {HOME: folder}});
    expect(ran.code, ran.stderr).toBe(0);
    expect(resultOf<{clusters: readonly {name: string}[]}>(ran).clusters.map((cluster) => cluster.name)).toEqual(['fleet-0000', 'fleet-0001', 'fleet-0002']);
  });
});
