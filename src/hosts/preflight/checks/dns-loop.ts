// CoreDNS forwards to the host's servers. When these are the host itself, it asks itself and stops (its loop plugin).
import type {HostCheck} from '../check.ts';

export const dnsLoop: HostCheck = {
  id: 'dns-loop',
  title: "CoreDNS wouldn't forward to itself",
  severity: 'error',
  scope: 'host',
  run: ({facts, configuration}) => {
    if (!facts.resolvConf.stub || facts.resolvConf.upstream.length > 0) return [];
    const own = configuration.kubelet['resolvConf'];
    if (typeof own === 'string' && own !== '/etc/resolv.conf') return [];
    return [
      {
        observed: `/etc/resolv.conf names only ${facts.resolvConf.nameservers.join(', ')}, and systemd-resolved knows no other server`,
        wanted: 'servers that pods reach',
        remedy: 'write real servers into a file such as /etc/kubernetes-resolv.conf and set configuration.kubelet.resolvConf to it',
      },
    ];
  },
};
