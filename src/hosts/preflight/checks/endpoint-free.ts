// While no host is a member, whatever answers at the endpoint belongs to somebody else. A load balancer in front refuses or answers; only a virtual address must be silent.
import {isIP} from 'node:net';
import {isSameAddress} from '../../parse/addresses.ts';
import {reachKey} from '../../probe-hosts.ts';
import {seenAgent} from '../../agent-seen.ts';
import type {CheckedHost, ClusterCheck, Finding} from '../check.ts';

export const endpointFree: ClusterCheck = {
  id: 'endpoint-free',
  title: 'The endpoint is free, or ours',
  severity: 'error',
  scope: 'cluster',
  run: ({checked, cluster}) => {
    const {host, port, type} = cluster.spec.endpoint;
    const members = checked.filter(({facts, ours}) => ours && seenAgent(facts)?.member === true);
    // a running cluster's endpoint is its own, but one that it shall move to must be free before the control planes serve it
    const moves = members.length > 0 && members.every(({facts}) => ![undefined, host].includes(seenAgent(facts)?.endpoint));
    if (members.length > 0 && !(moves && type === 'vip')) return [];
    const addresses = isIP(host) === 0 ? [...new Set(checked.flatMap(({facts}) => facts.endpointAddresses))] : [host];
    return addresses.flatMap((address): readonly Finding[] => {
      // a first run that broke off: the control plane that shall start the cluster serves the address already
      if (type === 'vip' && checked.some(({facts, ours}) => ours && hasAddress(facts, address))) return [];
      const holder = checked.find(({facts}) => hasAddress(facts, address));
      if (type === 'vip' && holder !== undefined)
        return [
          {
            host: holder.name,
            observed: `${address} is already an address of ${holder.name}`,
            wanted: 'a virtual address that no host has',
            remedy: 'choose a free address of the same network for spec.endpoint.host',
          },
        ];
      if (type === 'vip') return takenBy(checked, address, port);
      const answers = checked.filter(({facts}) => facts.reach[reachKey(address, port)] === 'open');
      if (answers.length === 0) return [];
      if (holder !== undefined)
        return [
          {
            host: holder.name,
            observed: `something answers at ${reachKey(address, port)}, but no host is a member of ${cluster.metadata.name} yet`,
            wanted: 'nothing, before the first control plane is there',
            remedy: `on ${holder.name}, find and stop it: ss -lnp 'sport = :${port}'`,
          },
        ];
      // a load balancer may accept connections before it has anybody to pass them to
      return [
        {
          observed: `something answers at ${reachKey(address, port)}, but no host is a member of ${cluster.metadata.name} yet`,
          wanted: "the load balancer of this cluster, not another cluster's API",
          remedy: `look what answers: curl -k https://${reachKey(address, port)}/version`,
          severity: 'warning',
        },
      ];
    });
  },
};

/** Loopback is every host's own, and none's: simulated control planes serve it. */
const hasAddress = ({interfaces}: CheckedHost['facts'], address: string) =>
  interfaces.some((item) => item.name !== 'lo' && item.addresses.some((own) => isSameAddress(own, address)));

/** An address that is served must be nobody's: not even one that refuses connections, or lets them run into nothing but answers for its hardware. */
function takenBy(checked: readonly CheckedHost[], address: string, port: number): readonly Finding[] {
  const answer = checked.map(({facts}) => facts.reach[reachKey(address, port)]).find((one) => one === 'open' || one === 'refused');
  const mac = checked.map(({facts}) => facts.neighbours?.[address]).find((one) => one !== undefined);
  if (answer === undefined && mac === undefined) return [];
  const who = mac === undefined ? '' : ` (its hardware is ${mac})`;
  return [
    {
      observed: answer === 'open' ? `something answers at ${reachKey(address, port)}${who}` : `somebody in the network has ${address}${who}`,
      wanted: 'a virtual address that nobody uses',
      remedy: 'choose a free address of the same network for spec.endpoint.host',
    },
  ];
}
