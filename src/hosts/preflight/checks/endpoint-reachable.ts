// A host joins, and works, through the endpoint. Before there's a cluster nobody has to serve there, but a load balancer's machine must be there at all.
import {isIP} from 'node:net';
import {seenAgent} from '../../agent-seen.ts';
import type {HostFacts} from '../../facts.ts';
import {isSameAddress} from '../../parse/addresses.ts';
import {reachKey} from '../../probe-hosts.ts';
import type {Finding, HostCheck} from '../check.ts';

export const endpointReachable: HostCheck = {
  id: 'endpoint-reachable',
  title: 'The host reaches the endpoint',
  severity: 'warning',
  scope: 'host',
  run: (host, {checked, cluster}) => {
    const {host: name, port, type} = cluster.spec.endpoint;
    const addresses = isIP(name) === 0 ? host.facts.endpointAddresses : [name];
    // where it shall move to, nobody serves yet
    const exists = checked.some(({facts, ours}) => ours && servesAt(facts, name));
    const isMember = host.ours && seenAgent(host.facts)?.member === true;
    const answers = addresses.map((address) => ({address, answer: host.facts.reach[reachKey(address, port)]})).filter(({answer}) => answer !== undefined);
    if (answers.length === 0) return []; // nobody tried
    if (exists) {
      if (answers.some(({answer}) => answer === 'open')) return [];
      const finding: Finding = {
        observed: `no connection to ${answers.map(({address}) => reachKey(address, port)).join(' or ')}, where the cluster is served`,
        wanted: 'an open connection',
        remedy:
          type === 'vip' ? 'see who serves it: trireme status; then look at firewalls in between' : 'look at the load balancer, and at firewalls in between',
      };
      return [isMember ? finding : {...finding, severity: 'error'}];
    }
    // a host's own address has its check, and one that will be served is silent until then
    const isHosts = ({address}: {readonly address: string}) => checked.some(({nodeAddresses}) => nodeAddresses.some((own) => isSameAddress(own, address)));
    if (type === 'vip' || answers.some(({answer}) => answer !== 'none') || answers.some(isHosts)) return [];
    return [
      {
        observed: `no answer from ${answers.map(({address}) => reachKey(address, port)).join(' or ')}`,
        wanted: 'a load balancer that accepts or refuses connections',
        remedy: 'look whether it is there, listens on that port, and is let through; one that drops connections without a server behind it is fine',
      },
    ];
  },
};

const servesAt = (facts: HostFacts, name: string) => {
  const seen = seenAgent(facts);
  return seen?.member === true && (seen.endpoint ?? name) === name;
};
