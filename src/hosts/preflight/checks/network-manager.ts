// NetworkManager takes the CNI's interfaces for its own and removes their addresses and routes.
import type {HostCheck} from '../check.ts';

export const networkManager: HostCheck = {
  id: 'network-manager',
  title: "NetworkManager leaves the CNI's interfaces alone",
  severity: 'warning',
  scope: 'host',
  run: ({facts}, {cni}) =>
    facts.services['NetworkManager'] === 'active' && cni !== undefined && !facts.leftovers.includes('/etc/NetworkManager/conf.d')
      ? [
          {
            observed: 'NetworkManager is active and /etc/NetworkManager/conf.d is empty',
            wanted: "a file there with unmanaged-devices for the CNI's interfaces",
            remedy: String.raw`printf '[keyfile]\nunmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico;interface-name:flannel*;interface-name:cni*;interface-name:cilium*;interface-name:lxc*\n' > /etc/NetworkManager/conf.d/cni.conf && systemctl reload NetworkManager`,
          },
        ]
      : [],
};
