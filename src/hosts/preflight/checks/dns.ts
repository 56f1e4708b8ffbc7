// Pods get the host's servers through CoreDNS; without any, no name outside the cluster resolves.
import type {HostCheck} from '../check.ts';

export const dns: HostCheck = {
  id: 'dns',
  title: 'The host has a name server',
  severity: 'warning',
  scope: 'host',
  run: ({facts}) => {
    const servers = facts.resolvConf.nameservers;
    if (servers.length === 0)
      return [
        {
          observed: '/etc/resolv.conf names no server',
          wanted: 'one to three',
          remedy: "set the host's DNS servers (resolvectl dns, nmcli, or /etc/resolv.conf)",
        },
      ];
    if (servers.length > 3)
      return [
        {
          observed: `${servers.length} servers`,
          wanted: 'at most three: the resolver, and with it every pod, leaves out the rest',
          remedy: 'remove some from /etc/resolv.conf',
        },
      ];
    return [];
  },
};
