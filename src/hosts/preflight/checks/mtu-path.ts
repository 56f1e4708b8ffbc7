// A tunnel or a switch in between may carry less than the interfaces say; without ICMP nobody tells the sender.
import {interfaceMtu, pingHeaders} from '../../probe-hosts.ts';
import type {HostCheck} from '../check.ts';

export const mtuPath: HostCheck = {
  id: 'mtu-path',
  title: 'Full-size packets get through to the other hosts',
  severity: 'error',
  scope: 'host',
  run: (host, {hosts}) => {
    const mtu = interfaceMtu(host);
    return Object.entries(host.facts.mtuTo).flatMap(([address, payload]) => {
      const size = payload + pingHeaders(address);
      if (size >= mtu) return [];
      const other = hosts.find(({nodeAddresses}) => nodeAddresses.includes(address))?.name ?? address;
      return [
        {
          observed: `packets to ${other} (${address}) of ${size} bytes get through, of ${mtu} don't`,
          wanted: `${mtu} bytes`,
          remedy: `lower the MTU of the interface on all hosts, or set the CNI's MTU for ${size}`,
        },
      ];
    });
  },
};
