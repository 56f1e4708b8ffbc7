// A living fleet on this computer for the dashboard: a management cluster with several clusters, a cluster of hosts, and things that happen by
// themselves. Everything in it is SIMULATED.
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {rememberCluster} from '../../fleet/known-clusters.ts';
import {Redactor} from '../../kernel/redact.ts';
import {readCluster} from '../../spec/read.ts';
import {renderControllerFile} from '../controller-sandbox.ts';
import {startGuard} from '../guard.ts';
import type {Pace} from '../management/controllers/pace.ts';
import {startManagement, type ManagementApi} from '../management/management.ts';
import {startSandbox, type Sandbox} from '../sandbox.ts';
import {runInSandbox, type SessionPlace} from '../session.ts';
import {fileCluster, hostCluster} from './clusters.ts';
import {startLife} from './life.ts';

export interface FleetSandboxOptions {
  /** The package's folder: bin/run.js lies below it. */
  readonly root: string;
  /** Default: a pace that a person can watch. */
  readonly pace?: Pace;
}

export interface FleetSandbox extends SessionPlace {
  readonly management: ManagementApi;
  /** The cluster of hosts. */
  readonly hosts: Sandbox;
  /** Resolves when the two clusters that have files are up: they are made by `trireme apply`, as a person's would be. */
  readonly isUp: Promise<void>;
  stop(): Promise<void>;
}

/** A machine takes some seconds, so that one can watch it. */
const watchable: Pace = {vm: 3500, node: 1200, removal: 700, fromObjects: false};
/** Until the fleet is there for the first time. */
const hurried: Pace = {vm: 60, node: 30, removal: 20, fromObjects: false};

/** Starts what must be there before anybody looks, which is quick; the rest of the fleet comes up while it is watched. */
export async function startFleetSandbox({root, pace = watchable}: FleetSandboxOptions): Promise<FleetSandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-'));
  const guard = startGuard(folder);
  // the controllers read it again and again: it slows down once the fleet is there
  const current = {...hurried};
  // a short name: unix sockets lie below it
  const hostFolder = join(folder, 'q');
  await mkdir(hostFolder);
  const [management, hosts] = await Promise.all([
    startManagement({pace: current, folder}),
    startSandbox({...hostCluster, folder: hostFolder, program: join(root, 'bin/run.js')}),
  ]);
  const file = join(folder, 'harbour.yaml');
  await writeFile(file, renderControllerFile(fileCluster.name, fileCluster));
  const place = {
    folder,
    env: {
      TRIREME_SANDBOX: '1',
      TRIREME_SSH_CONFIG: join(hostFolder, 'ssh_config'),
      KUBECONFIG: management.kubeconfig.path,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      XDG_CONFIG_HOME: join(folder, 'config'),
    },
    guard: guard.watch,
  };
  for (const path of [file, hosts.file])
    await rememberCluster(join(folder, 'state/trireme'), await readCluster({files: [path], redactor: new Redactor(), allowSimulated: true}));
  const stopping = new AbortController();
  const life = startLife({management, hosts, onReady: () => Object.assign(current, pace)});
  const apply = (path: string) => runInSandbox(place, ['apply', '-f', path, '--yes', '--quiet'], {root, signal: stopping.signal, isSilent: true});
  const isUp = Promise.all([file, hosts.file].map(apply)).then(() => life.hostsAreUp());
  return {
    ...place,
    management,
    hosts,
    isUp,
    stop: async () => {
      stopping.abort();
      life.stop();
      await isUp.catch(() => {});
      await endRuns(join(folder, 'state/trireme/locks'));
      await Promise.all([management.stop(), hosts.stop()]);
      await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
      await guard.dismiss();
    },
  };
}

/** Runs that were begun on the screen go on without it; with the sandbox they end. */
async function endRuns(locks: string): Promise<void> {
  for (const name of await readdir(locks).catch(() => [])) {
    try {
      const {pid} = JSON.parse(await readFile(join(locks, name), 'utf8')) as {readonly pid: number};
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}
