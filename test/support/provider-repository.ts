// A local repository of providers in clusterctl's layout, made from Cluster API's modules, and a clusterctl.yaml that names it.
import {execFile} from 'node:child_process';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {stringify} from 'yaml';

const run = promisify(execFile);

export interface RepositoryProvider {
  readonly label: string;
  readonly name: string;
  readonly type: string;
  /** Folder of its kustomizations. */
  readonly config: string;
}

export interface RepositoryOptions {
  readonly kubectl: string;
  readonly providers: readonly RepositoryProvider[];
  /** Of Cluster API's module. */
  readonly metadata: string;
  /** Each gets the same components: what differs between versions isn't what these tests are about. */
  readonly versions: readonly string[];
  /** Folder of cert-manager's module. */
  readonly certManager: string;
}

export interface TestRepository {
  readonly root: string;
  /** Path of a clusterctl.yaml; cert-manager is in the repository, without webhooks. */
  readonly config: string;
}

const certManagerVersion = 'v1.21.2';

/** Writes the repository below `folder`. */
export async function writeProviderRepository(folder: string, options: RepositoryOptions): Promise<TestRepository> {
  const root = join(folder, 'repository');
  const metadata = await readFile(options.metadata, 'utf8');
  const entries = [];
  for (const provider of options.providers) {
    const file = `${provider.label === 'cluster-api' ? 'core' : provider.label.replace(/-(kubeadm|docker)$/, '')}-components.yaml`;
    const {stdout} = await run(options.kubectl, ['kustomize', '--load-restrictor=LoadRestrictionsNone', join(provider.config, 'default')], {
      maxBuffer: 1 << 28,
    });
    for (const version of options.versions) {
      const release = join(root, provider.label, version);
      await mkdir(release, {recursive: true});
      // kustomize quotes nothing of ${VARIABLES}, so the text is what a release has
      await writeFile(join(release, file), stdout);
      await writeFile(join(release, 'metadata.yaml'), metadata);
    }
    entries.push({name: provider.name, type: provider.type, url: join(root, provider.label, 'latest', file)});
  }
  const release = join(root, 'cert-manager', certManagerVersion);
  await mkdir(release, {recursive: true});
  await writeFile(join(release, 'cert-manager.yaml'), await certManagerManifest(options.certManager));
  const config = join(folder, 'clusterctl.yaml');
  await writeFile(
    config,
    stringify({
      providers: entries,
      'cert-manager': {url: join(root, 'cert-manager', certManagerVersion, 'cert-manager.yaml'), version: certManagerVersion, timeout: '20s'},
    }),
  );
  return {root, config};
}

/** cert-manager's kinds alone: its programs need nodes. */
async function certManagerManifest(module: string): Promise<string> {
  const folder = join(module, 'deploy', 'crds');
  const crds = await Promise.all((await readdir(folder)).filter((name) => /_.*\.yaml$/.test(name)).map((name) => readFile(join(folder, name), 'utf8')));
  return ['apiVersion: v1\nkind: Namespace\nmetadata:\n  name: cert-manager\n', ...crds].join('\n---\n');
}

/** The folder of a Go module, fetched by Go's own client where it isn't there yet. */
export async function downloadedModule(module: string): Promise<string> {
  const {stdout} = await run('go', ['mod', 'download', '-json', module], {cwd: tmpdir()});
  return (JSON.parse(stdout) as {Dir: string}).Dir;
}
