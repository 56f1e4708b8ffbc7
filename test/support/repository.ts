// A local provider repository made from the modules, as `clusterctl --config` reads it: see test/testbed/repository.mjs.
import {execFile} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {missingManagementCluster} from './management-cluster.ts';
import {isBuilt, versions} from '../testbed/parts.mjs';

const script = fileURLToPath(new URL('../testbed/repository.mjs', import.meta.url));

/** What keeps a repository from being made here, or undefined when nothing does. A suite skips with this text. */
export async function missingRepository(): Promise<string | undefined> {
  if (!isBuilt('helm', versions.helm, 'helm')) return "helm isn't built. Try: test/testbed/build.sh helm";
  return missingManagementCluster();
}

export interface Repository {
  /** `<root>/<provider label>/<version>/...`, such as `infrastructure-docker/v1.14.2/infrastructure-components.yaml`. */
  readonly root: string;
  /** Path of a clusterctl.yaml that names the four providers and cert-manager by local paths. */
  readonly config: string;
  stop(): Promise<void>;
}

/** Makes one in a folder of its own, in 3 s; call `stop` in the end. */
export async function startRepository(): Promise<Repository> {
  const missing = await missingRepository();
  if (missing !== undefined) throw new Error(missing);
  const work = await mkdtemp(join(tmpdir(), 'trireme-repository-'));
  const stop = () => rm(work, {recursive: true, force: true});
  try {
    const config = (await promisify(execFile)(process.execPath, [script, join(work, 'repository')])).stdout.trim();
    return {root: dirname(config), config, stop};
  } catch (error) {
    await stop();
    throw error;
  }
}
