// The way into a cluster that Cluster API has made: its kubeconfig is a Secret beside its Cluster. Fetched each time: its certificate is renewed.
import {TriremeError} from '../../kernel/errors.ts';
import type {KubeApi} from '../../kube/api.ts';
import {textAt} from '../../kube/object.ts';
import type {ControllerScope} from './scope.ts';

/** The kubeconfig as text, registered for redaction; undefined until the control plane has made it. Throws `api.*`. */
export async function readWorkloadKubeconfig(scope: ControllerScope, namespace: string, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const {api} = scope;
  const secret = await api.get(
    await api.resource({apiVersion: 'v1', kind: 'Secret'}),
    {name: `${name}-kubeconfig`, namespace},
    signal === undefined ? {} : {signal},
  );
  const value = textAt(secret, 'data', 'value');
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

/** Connects to the cluster itself; close it in the end. Throws `cluster.not-made` until there is a kubeconfig. */
export async function connectWorkload(scope: ControllerScope, namespace: string, name: string, signal?: AbortSignal): Promise<KubeApi> {
  const text = await readWorkloadKubeconfig(scope, namespace, name, signal);
  if (text === undefined)
    throw new TriremeError('cluster.not-made', `There's no kubeconfig of ${name} yet: its control plane makes the Secret ${name}-kubeconfig.`, {
      hints: ['trireme status --wait'],
    });
  const {connect} = await import('../../kube/client.ts');
  const {redactor, warn} = scope.options;
  return connect({content: {text, place: `Secret ${namespace}/${name}-kubeconfig`}, signal: signal ?? scope.options.signal, redactor, warn});
}
