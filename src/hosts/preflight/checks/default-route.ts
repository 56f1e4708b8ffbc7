// kube-proxy, kubelet and kube-apiserver take the default route's interface where they aren't told another; services need a route to leave the host at all.
import type {HostCheck} from '../check.ts';

export const defaultRoute: HostCheck = {
  id: 'default-route',
  title: 'The host has a default route',
  severity: 'error',
  scope: 'host',
  run: ({facts}) =>
    facts.routes.some(({network}) => network === '0.0.0.0/0' || network === '::/0')
      ? []
      : [
          {
            observed: 'no default route',
            wanted: 'one, even where it leads nowhere (service addresses need a route)',
            remedy: 'ip route add default via GATEWAY, and in the network configuration of the host',
          },
        ],
};
