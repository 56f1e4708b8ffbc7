// The kubeconfig with which a kubelet asks for its first certificate.
import {stringify} from 'yaml';
import type {Secrets, Wanted} from '../../../hostcluster/protocol.ts';
import {endpointOf} from './render-kubeadm.ts';

/** Holds the bootstrap token: 0600, and gone once the kubelet has its own. */
export function renderBootstrap(wanted: Wanted, secrets: Pick<Secrets, 'ca' | 'bootstrapToken'>): string {
  const name = wanted.cluster.name;
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {name, cluster: {server: `https://${endpointOf(wanted)}`, 'certificate-authority-data': Buffer.from(secrets.ca.certificate).toString('base64')}},
      ],
      contexts: [{name, context: {cluster: name, user: 'tls-bootstrap-token-user'}}],
      'current-context': name,
      users: [{name: 'tls-bootstrap-token-user', user: {token: secrets.bootstrapToken}}],
    },
    {lineWidth: 0},
  );
}
