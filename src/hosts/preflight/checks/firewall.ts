// An active firewall isn't wrong, but its rules must let the cluster's ports in; reachability tells whether they do.
import {allowPorts} from '../../os/firewall.ts';
import type {HostCheck} from '../check.ts';
import {inboundPorts} from '../ports.ts';

export const firewall: HostCheck = {
  id: 'firewall',
  title: "No firewall stands before the cluster's ports",
  severity: 'warning',
  scope: 'host',
  run: ({facts, role}, {cluster, cni}) => {
    if (!facts.firewall.active) return [];
    const wanted = inboundPorts(role, cluster.spec.endpoint.port, cni);
    return [
      {
        observed: `${facts.firewall.program} is active`,
        wanted: `open: ${wanted.join(', ')}, and forwarding for pods`,
        remedy: allowPorts(facts.firewall.program, wanted),
      },
    ];
  },
};
