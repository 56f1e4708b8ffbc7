// An address that the control planes serve is found by asking the network who has it: it must be one of that network, on the interface that gets it.
import {addressNumber, isSameAddress, parseNetworkText} from '../../parse/addresses.ts';
import type {CheckedHost, Finding, HostCheck} from '../check.ts';

export const endpointNetwork: HostCheck = {
  id: 'endpoint-network',
  title: "The endpoint's address is in the control plane's network",
  severity: 'error',
  scope: 'host',
  roles: ['control-plane'],
  run: (host, {cluster}) => {
    const {type, host: address, interface: named} = cluster.spec.endpoint;
    if (type !== 'vip' || host.facts.simulated) return [];
    const device = interfaceFor(host, named);
    if (device === undefined) {
      if (named === undefined) return []; // node-address says it
      const names = host.facts.interfaces.filter(({name}) => name !== 'lo').map(({name}) => name);
      return [
        {
          observed: `there's no interface ${named}; there are ${names.join(', ')}`,
          wanted: named,
          remedy: "correct spec.endpoint.interface; without it the interface of the node's address is taken",
        },
      ];
    }
    if (!device.up) return [{observed: `${device.name} is down`, wanted: 'an interface that is up', remedy: `ip link set ${device.name} up`}];
    return networkFindings(device, address);
  },
};

function interfaceFor({facts, nodeAddresses}: CheckedHost, named: string | undefined) {
  if (named !== undefined) return facts.interfaces.find(({name}) => name === named);
  return facts.interfaces.find(({addresses}) => addresses.some((own) => nodeAddresses.some((address) => isSameAddress(own, address))));
}

function networkFindings({name, addresses}: CheckedHost['facts']['interfaces'][number], address: string): readonly Finding[] {
  const number = addressNumber(address);
  if (number === undefined) return [];
  const networks = addresses.flatMap((text) => parseNetworkText(text) ?? []).filter((network) => network.family === number.family);
  // what is served already shows as a network of itself alone
  const holding = networks.filter((network) => network.first !== network.last && network.first <= number.value && number.value <= network.last);
  if (holding.length === 0)
    return [
      {
        observed: `${name} has ${addresses.filter((text) => !isSameAddress(text, address)).join(', ') || 'no address'}, and ${address} is in no network of these`,
        wanted: 'an address of the same network',
        remedy: 'choose a free address of that network for spec.endpoint.host, or name another interface in spec.endpoint.interface',
      },
    ];
  const isReserved = number.family === 4 && holding.some((network) => number.value === network.first || number.value === network.last);
  return isReserved
    ? [{observed: `${address} is the first or the last of its network`, wanted: 'an address for a host', remedy: 'choose another for spec.endpoint.host'}]
    : [];
}
