// A node whose address changes is lost: certificates and etcd hold the old one.
import {isSameAddress} from '../../parse/addresses.ts';
import type {HostCheck} from '../check.ts';

export const stableAddress: HostCheck = {
  id: 'stable-address',
  title: "The node's address is fixed",
  severity: 'warning',
  scope: 'host',
  run: ({facts, nodeAddresses}) => {
    const leased = nodeAddresses.filter((address) => facts.interfaces.some((item) => item.leased.some((own) => isSameAddress(own, address))));
    return leased.length === 0
      ? []
      : [
          {
            observed: `${leased.join(', ')} is leased (DHCP or router announcement)`,
            wanted: 'a static address or a reservation',
            remedy: "reserve the address for the host's MAC on the DHCP server, or configure it statically",
          },
        ];
  },
};
