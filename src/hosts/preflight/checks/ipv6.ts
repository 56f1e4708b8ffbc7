// Dual-stack needs IPv6 on every node, and an address of each family.
import {isIPv6} from 'node:net';
import type {HostCheck} from '../check.ts';

export const ipv6: HostCheck = {
  id: 'ipv6',
  title: 'IPv6 is enabled where the cluster uses it',
  severity: 'error',
  scope: 'host',
  run: ({facts, nodeAddresses, name}, {cluster}) => {
    if (![...cluster.spec.network.pods, ...cluster.spec.network.services].some((cidr) => cidr.includes(':'))) return [];
    const disabled = facts.sysctls['net.ipv6.conf.all.disable_ipv6'];
    if (disabled !== '0')
      return [
        {
          observed: disabled === undefined ? 'the kernel has no IPv6' : 'net.ipv6.conf.all.disable_ipv6 is 1',
          wanted: 'IPv6, as the pod and service networks have it',
          remedy: 'sysctl -w net.ipv6.conf.all.disable_ipv6=0, and remove ipv6.disable=1 from the kernel command line',
        },
      ];
    if (nodeAddresses.some((address) => isIPv6(address))) return [];
    return [
      {
        observed: `no IPv6 node address (${nodeAddresses.join(', ') || 'none'})`,
        wanted: 'one of each family',
        remedy: `set nodeAddress of ${name} to two addresses`,
      },
    ];
  },
};
