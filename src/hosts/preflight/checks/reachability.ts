// On ports where nothing listens yet a refused connection is as good as an open one: what matters is that an answer comes back.
import {allowPorts} from '../../os/firewall.ts';
import {neededPorts, reachKey} from '../../probe-hosts.ts';
import type {Finding, HostCheck} from '../check.ts';

export const reachability: HostCheck = {
  id: 'reachability',
  title: 'The host reaches the others on the ports that Kubernetes needs',
  severity: 'error',
  scope: 'host',
  run: (host, {checked, cluster}) => {
    if (host.facts.reachTool === 'none') {
      return [
        {
          observed: 'bash with timeout, python3 and nc are all missing, so nothing was tried',
          wanted: 'a program to try connections with',
          remedy: host.family.install(['bash', 'timeout']),
          severity: 'warning',
        },
      ];
    }
    return checked.flatMap((other): readonly Finding[] => {
      const [address] = other.nodeAddresses;
      if (other.name === host.name || address === undefined) return [];
      const blocked = neededPorts(host.role, other.role, cluster.spec.endpoint.port).filter((port) => host.facts.reach[reachKey(address, port)] === 'none');
      if (blocked.length === 0) return [];
      return [
        {
          observed: `no answer from ${other.name} (${address}) on ${blocked.map((port) => `${port}/tcp`).join(', ')}`,
          wanted: 'an open or a refused connection',
          remedy: `on ${other.name}: ${allowPorts(
            other.facts.firewall.program,
            blocked.map((port) => `${port}/tcp`),
          )}; then look at firewalls in between`,
        },
      ];
    });
  },
};
