// The secrets of a cluster as its control plane makes them: authorities and the kubeconfig. Nothing real hangs on them.
import {generateKeyPairSync, randomBytes} from 'node:crypto';
import {selfSignedAuthority} from '../../../kernel/certificate.ts';
import {renderKubeconfig} from '../../../kube/kubeconfig.ts';
import {numberAt, textAt, type KubeObject} from '../../../kube/object.ts';
import {kinds, labels} from './names.ts';
import {ownerReference, type Reach} from './runtime.ts';

let shared: {readonly certificate: string; readonly key: string} | undefined;

/** One key for all simulated clusters of this process: making keys is the slow part, and nothing is protected by these. */
function authority(): {readonly certificate: string; readonly key: string} {
  if (shared === undefined) {
    const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
    const now = Date.now();
    const certificate = selfSignedAuthority({
      commonName: 'kubernetes',
      key: privateKey,
      notBefore: new Date(now - 86_400_000),
      notAfter: new Date(now + 3650 * 86_400_000),
    });
    shared = {certificate, key: privateKey.export({type: 'pkcs1', format: 'pem'}) as string};
  }
  return shared;
}

export function ensureSecrets(controlPlane: KubeObject, cluster: KubeObject, reach: Reach): void {
  const {name, namespace} = cluster.metadata;
  const ensure = (part: string, stringData: Readonly<Record<string, string>>) => {
    if (reach.get(kinds.secret, `${name}-${part}`, namespace) !== undefined) return;
    const metadata = {
      name: `${name}-${part}`,
      namespace,
      labels: {[labels.cluster]: name},
      ownerReferences: [ownerReference(controlPlane, {controller: true})],
    };
    reach.create(kinds.secret, {metadata, type: 'cluster.x-k8s.io/secret', stringData}, namespace);
  };
  const {certificate, key} = authority();
  for (const part of ['ca', 'etcd', 'proxy', 'sa']) ensure(part, {'tls.crt': certificate, 'tls.key': key});
  ensure('kubeconfig', {value: reach.parts.workloads[name] ?? kubeconfigOf(cluster, certificate)});
}

function kubeconfigOf(cluster: KubeObject, certificate: string): string {
  const {name} = cluster.metadata;
  const server = `https://${textAt(cluster, 'spec', 'controlPlaneEndpoint', 'host')}:${numberAt(cluster, 'spec', 'controlPlaneEndpoint', 'port')}`;
  const user = `${name}-admin`;
  const context = `${user}@${name}`;
  const extensions = [{name: 'trireme-simulated', extension: {simulated: true}}];
  return renderKubeconfig({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name, cluster: {server, 'certificate-authority-data': Buffer.from(certificate).toString('base64'), extensions}}],
    users: [{name: user, user: {token: `simulated-${randomBytes(12).toString('hex')}`}}],
    contexts: [{name: context, context: {cluster: name, user}}],
    'current-context': context,
  });
}
