// The way into a workload cluster: its kubeconfig, fresh from the management cluster each time, because its certificate is renewed there.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {KubeApi, Resource} from '../../kube/api.ts';
import {textAt} from '../../kube/object.ts';
import {parseKubeconfig} from '../../kube/kubeconfig.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {Redactor} from '../../kernel/redact.ts';
import type {ControllerScope} from './scope.ts';

export const secrets: Resource = {group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true};

/** Cluster API's own name for it. */
export const kubeconfigSecret = (cluster: string) => `${cluster}-kubeconfig`;

/** The administrator's kubeconfig as text. Throws `cluster.not-made` while there is none, `api.forbidden` when it may not be read. */
export async function fetchKubeconfig(scope: ControllerScope, cluster: string, signal: AbortSignal = scope.options.signal): Promise<string> {
  const name = kubeconfigSecret(cluster);
  const secret = await scope.api.get(secrets, {namespace: scope.namespace, name}, {signal});
  const value = textAt(secret, 'data', 'value');
  if (value === undefined) {
    const {findCluster} = await import('./verbs/live.ts');
    const found = await findCluster(scope, cluster, {signal});
    if (found === undefined)
      throw new TriremeError('cluster.not-found', `There's no cluster ${cluster} in namespace ${scope.namespace} of ${scope.api.context}.`);
    throw new TriremeError('cluster.not-made', `${cluster} has no kubeconfig yet: the Secret ${name} comes when its control plane is being made.`, {
      hints: [`See how far it is: trireme status ${cluster}`],
    });
  }
  const text = Buffer.from(value, 'base64').toString('utf8');
  hideCredentials(text, `of ${cluster}`, scope.options.redactor);
  return text;
}

/** What a kubeconfig holds to hide is never printed from now on. */
export function hideCredentials(text: string, place: string, redactor: Redactor): void {
  for (const {user} of parseKubeconfig(text, place).users)
    for (const field of ['client-key-data', 'token', 'password']) {
      const kept = user?.[field];
      if (typeof kept === 'string') redactor.add(kept);
    }
}

/** Writes a kubeconfig to a private file (0600 in a folder 0700), gives its path to `work`, and removes it whatever happens. */
export async function withPrivateFile<T>(content: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-kubeconfig-'));
  try {
    const path = join(folder, 'kubeconfig');
    await writeFile(path, content, {mode: 0o600, flag: 'wx'});
    return await work(path);
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** Connects to the workload cluster; close it in the end. */
export async function connectWorkload(scope: ControllerScope, cluster: string, signal: AbortSignal = scope.options.signal): Promise<KubeApi> {
  const text = await fetchKubeconfig(scope, cluster, signal);
  const {connect} = await import('../../kube/client.ts');
  const {redactor, warn} = scope.options;
  return connect({content: {text, place: `Secret ${scope.namespace}/${kubeconfigSecret(cluster)}`}, signal, redactor, warn});
}

/** Connects to the workload cluster, and closes the connection whatever happens. */
export async function withWorkload<T>(scope: ControllerScope, cluster: string, work: (api: KubeApi) => Promise<T>): Promise<T> {
  const api = await connectWorkload(scope, cluster);
  try {
    return await work(api);
  } finally {
    api.close();
  }
}
