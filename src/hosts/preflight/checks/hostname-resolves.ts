// kubeadm warns (Hostname) and some programs wait for DNS at every start when a host can't resolve its own name.
import type {HostCheck} from '../check.ts';

export const hostnameResolves: HostCheck = {
  id: 'hostname-resolves',
  title: 'The host resolves its own name',
  severity: 'warning',
  scope: 'host',
  run: ({facts, nodeAddresses}) =>
    facts.hostnameResolves || facts.tools['getent'] === undefined
      ? []
      : [
          {
            observed: `${facts.hostname} doesn't resolve`,
            wanted: 'an address of the host',
            remedy: `echo '${nodeAddresses[0] ?? '127.0.1.1'} ${facts.hostname}' >> /etc/hosts`,
          },
        ],
};
