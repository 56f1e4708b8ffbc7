// The service account of the pod that we run in.
import {readFile} from 'node:fs/promises';
import {isIPv6} from 'node:net';
import {join} from 'node:path';
import type {Environment} from '../kernel/proxy.ts';
import type {Target} from './load-kubeconfig.ts';

const folder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's own account, or undefined outside a pod. The token is read again when it's needed: kubelet renews it. */
export async function readPodAccount(env: Environment, root: string = folder): Promise<Target | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const token = await readFile(join(root, 'token'), 'utf8').catch(() => undefined);
  if (token === undefined) return undefined;
  const namespace = await readFile(join(root, 'namespace'), 'utf8').catch(() => 'default');
  return {
    context: 'in-cluster',
    namespace: namespace.trim(),
    cluster: {server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`, caFile: join(root, 'ca.crt'), insecure: false, isCompressionOff: false},
    user: {name: 'service account', tokenFile: join(root, 'token')},
    place: root,
    isSimulated: false,
  };
}
