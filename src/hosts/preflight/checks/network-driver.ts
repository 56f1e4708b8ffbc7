// VMware's vmxnet3 drops VXLAN packets whose checksum it should have computed (flannel and Calico describe the same remedy).
import type {HostCheck} from '../check.ts';

export const networkDriver: HostCheck = {
  id: 'network-driver',
  title: 'The network driver carries VXLAN',
  severity: 'warning',
  scope: 'host',
  run: ({facts}, {cni}) =>
    facts.networkDrivers.includes('vmxnet3') && cni !== undefined
      ? [
          {
            observed: `vmxnet3 with ${cni}`,
            wanted: 'no checksum offload for VXLAN packets',
            remedy: `ethtool -K ${facts.defaultRoute?.interface ?? 'INTERFACE'} tx-udp_tnl-segmentation off tx-udp_tnl-csum-segmentation off, at every boot`,
          },
        ]
      : [],
};
