// The kubelet refuses a node address that the host doesn't have.
import {isSameAddress} from '../../parse/addresses.ts';
import type {HostCheck} from '../check.ts';

export const nodeAddress: HostCheck = {
  id: 'node-address',
  title: "The node's address is on an interface of the host",
  severity: 'error',
  scope: 'host',
  run: ({facts, nodeAddresses, name}) => {
    if (nodeAddresses.length === 0)
      return [
        {
          observed: 'the file names no address, and the host has no default route to take one from',
          wanted: 'an address of the host',
          remedy: `set nodeAddress of ${name} in the file`,
        },
      ];
    const own = facts.interfaces.filter((item) => item.name !== 'lo').flatMap(({addresses}) => addresses);
    if (own.length === 0)
      return facts.tools['ip'] === undefined ? [] : [{observed: 'no interface has an address', wanted: nodeAddresses.join(', '), remedy: 'ip addr'}];
    const missing = nodeAddresses.filter((address) => !own.some((candidate) => isSameAddress(candidate, address)));
    return missing.map((address) => ({
      observed: `no interface has ${address}; it has ${own.map((item) => item.replace(/\/\d+$/, '')).join(', ')}`,
      wanted: address,
      remedy: `set nodeAddress of ${name} in the file to one of its own (address is where SSH reaches it)`,
    }));
  },
};
