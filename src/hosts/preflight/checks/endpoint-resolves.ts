// Every kubelet talks to the endpoint's name for as long as the cluster lives.
import {isIP} from 'node:net';
import type {HostCheck} from '../check.ts';

export const endpointResolves: HostCheck = {
  id: 'endpoint-resolves',
  title: "The endpoint's name resolves on the host",
  severity: 'error',
  scope: 'host',
  run: ({facts}, {cluster}) => {
    const {host} = cluster.spec.endpoint;
    if (isIP(host) !== 0 || facts.endpointAddresses.length > 0 || facts.tools['getent'] === undefined) return [];
    return [{observed: `${host} doesn't resolve here`, wanted: 'an address', remedy: `make a DNS record for ${host}, or give each host a line in /etc/hosts`}];
  },
};
