// A management cluster on this computer, and the file of a cluster to make in it. Everything in it is SIMULATED.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {startGuard} from './guard.ts';
import type {PaceName} from './management/controllers/pace.ts';
import {startManagement, type ManagementApi} from './management/management.ts';
import type {SessionPlace} from './session.ts';

export interface ControllerSandboxOptions {
  readonly controlPlanes: number;
  readonly workers: number;
  /** Default `demo`: a second or so a machine. */
  readonly pace?: PaceName;
  /** The management cluster only: no cluster's file. Default false. */
  readonly bare?: boolean;
  /** The program's own bin/run.js: `trireme` on the PATH of the sandbox's shell. */
  readonly program?: string;
}

export interface ControllerSandbox extends SessionPlace {
  readonly clusterName: string;
  /** The cluster's file. */
  readonly file: string;
  readonly management: ManagementApi;
  stop(): Promise<void>;
}

const clusterName = 'harbour';

/** Starts the API and writes the file; call `stop` in the end: it removes the folder. */
export async function startControllerSandbox(options: ControllerSandboxOptions): Promise<ControllerSandbox> {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-'));
  const guard = startGuard(folder);
  const management = await startManagement({pace: options.pace ?? 'demo', folder});
  const {bare = false} = options;
  const cwd = bare ? join(folder, clusterName) : undefined;
  if (cwd !== undefined) await mkdir(cwd);
  const file = join(cwd ?? folder, 'trireme.yaml');
  if (!bare) await writeFile(file, renderControllerFile(clusterName, options));
  if (options.program !== undefined) {
    await mkdir(join(folder, 'path'));
    await writeFile(join(folder, 'path/trireme'), `#!/bin/sh\nexec '${process.execPath}' '${options.program}' "$@"\n`, {mode: 0o755});
  }
  return {
    folder,
    ...(cwd === undefined ? {} : {cwd}),
    clusterName,
    file,
    management,
    env: {
      TRIREME_SANDBOX: '1',
      ...(bare ? {} : {TRIREME_FILE: file}),
      KUBECONFIG: management.kubeconfig.path,
      XDG_STATE_HOME: join(folder, 'state'),
      XDG_CACHE_HOME: join(folder, 'cache'),
      XDG_CONFIG_HOME: join(folder, 'config'),
    },
    guard: guard.watch,
    stop: async () => {
      await management.stop();
      await rm(folder, {recursive: true, force: true});
      await guard.dismiss();
    },
  };
}

/** The file of a cluster to make in the management API whose kubeconfig lies beside it. */
export function renderControllerFile(name: string, {controlPlanes, workers}: Pick<ControllerSandboxOptions, 'controlPlanes' | 'workers'>): string {
  return `# The sandbox's cluster. Everything in it is SIMULATED: its machines are objects in a management API on this computer.
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: ${name}}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    kubeconfig: kubeconfig
    class: in-memory
    variables:
      machineSize: small # small, medium or large
    controlPlane: {replicas: ${controlPlanes}}
    pools:
      # the pool that the demonstration scales
      - {name: workers, class: default-worker, replicas: ${workers}}
`;
}

/** The main job, as commands: made, looked at, scaled, unchanged, upgraded, deleted. */
export function controllerShow(workers: number): readonly (readonly string[])[] {
  return [
    ['validate'],
    ['plan'],
    ['apply', '--yes'],
    ['status', '--wait'],
    ['cluster', 'describe'],
    ['cluster', 'scale', `workers=${workers + 1}`, '--yes', '--wait'],
    ['apply', '--yes'],
    ['cluster', 'upgrade', '--to', 'v1.36.3', '--yes', '--wait'],
    ['cluster', 'delete', '--confirm', clusterName],
  ];
}
