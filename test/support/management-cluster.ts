// The real management cluster as tests see it: Cluster API on loopback, or only an API server. See test/testbed/management-cluster.sh.
import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {parse} from 'yaml';
import {defaultKubernetes, isBuilt, programs, versions} from '../testbed/parts.mjs';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../testbed/management-cluster.sh', import.meta.url));

/** What keeps a management cluster from being started here, or undefined when nothing does. A suite skips with this text. */
export async function missingManagementCluster(options: {readonly apiOnly?: boolean} = {}): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'the test bed needs Linux';
  if (!isBuilt('kubernetes', defaultKubernetes, 'kubectl') || !isBuilt('etcd', versions.etcd, 'etcd'))
    return "Kubernetes' programs aren't built. Try: test/testbed/build.sh kubernetes etcd";
  if (options.apiOnly === true) return undefined;
  if (!isBuilt('cluster-api', versions.clusterApi, 'in-memory-manager')) return "Cluster API's programs aren't built. Try: test/testbed/build.sh cluster-api";
  // kustomizations and templates are read from the modules
  return run('go', ['version']).then(
    () => undefined,
    () => 'Go is missing. Try: test/testbed/setup.sh',
  );
}

export interface ManagementClusterOptions {
  /** 0 to 24; without one, the first that nobody uses from 24 down. */
  readonly offset?: number;
  /** Only etcd, kube-apiserver and kube-controller-manager: not even Cluster API's CRDs. */
  readonly apiOnly?: boolean;
}

export interface ManagementCluster {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  /** Such as `https://127.0.0.1:16143`. */
  readonly server: string;
  readonly folder: string;
  /** Returns its stdout; throws when it fails. */
  kubectl(args: readonly string[], options?: {readonly input?: string; readonly kubeconfig?: string}): Promise<string>;
  clusterctl(args: readonly string[], options?: {readonly config?: string}): Promise<string>;
  /** Installs kinds alone, without what serves them: all of Cluster API's (where it's API only), or those of its provider for AWS. */
  installKinds(...of: readonly ('cluster-api' | 'aws')[]): Promise<void>;
  /** Path of a kubeconfig for somebody who has no right yet. */
  user(name: string, groups?: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one, in 4 s (API only) to 25 s; call `stop` in the end, whatever happened. */
export async function startManagementCluster(options: ManagementClusterOptions = {}): Promise<ManagementCluster> {
  const missing = await missingManagementCluster(options);
  if (missing !== undefined) throw new Error(missing);
  const work = await mkdtemp(join(tmpdir(), 'trireme-management-'));
  const folder = join(work, 'cluster');
  const kubeconfig = join(folder, 'kubeconfig');
  const stop = async () => {
    await run(script, ['down', folder]);
    await rm(work, {recursive: true, force: true});
  };
  const more = [...(options.offset === undefined ? [] : ['--offset', String(options.offset)]), ...(options.apiOnly === true ? ['--api-only'] : [])];
  try {
    await run(script, ['up', folder, ...more]);
  } catch (error) {
    await stop();
    throw error;
  }
  const {clusters} = parse(await readFile(kubeconfig, 'utf8')) as {clusters: [{cluster: {server: string}}]};
  const kubectl = join(programs('kubernetes', defaultKubernetes), 'kubectl');
  const clusterctl = () => join(programs('cluster-api', versions.clusterApi), 'clusterctl');
  return {
    kubeconfig,
    folder,
    server: clusters[0].cluster.server,
    kubectl: (args, {input, kubeconfig: other} = {}) => fed(kubectl, ['--kubeconfig', other ?? kubeconfig, ...args], input),
    // it keeps a configuration and a cache in HOME, and asks the internet for a newer version of itself
    clusterctl: async (args, {config} = {}) =>
      (
        await run(clusterctl(), [...args, ...(config === undefined ? [] : ['--config', config])], {
          env: {PATH: process.env['PATH'], HOME: work, KUBECONFIG: kubeconfig, CLUSTERCTL_DISABLE_VERSIONCHECK: 'true'},
          maxBuffer: 1 << 26,
        })
      ).stdout,
    installKinds: async (...of) => {
      await run(script, ['crds', folder, ...of]);
    },
    user: async (name, groups = []) => {
      const path = join(work, `${name}.kubeconfig`);
      await writeFile(path, (await run(script, ['user', folder, name, ...groups])).stdout, {mode: 0o600});
      return path;
    },
    stop,
  };
}

function fed(command: string, args: readonly string[], input: string | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], {maxBuffer: 1 << 28}, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${args.slice(2).join(' ')}: ${stderr.trim() || error.message}`, {cause: error}));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}
