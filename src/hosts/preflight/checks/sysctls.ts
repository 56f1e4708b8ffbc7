// A later file wins at the next boot: routing then breaks days after the installation (CIS images set these in sysctl.conf).
import type {HostCheck} from '../check.ts';

const needed: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
  'net.bridge.bridge-nf-call-ip6tables': '1',
};

export const sysctls: HostCheck = {
  id: 'sysctls',
  title: 'No later file overrides the kernel parameters that the cluster sets',
  severity: 'error',
  scope: 'host',
  run: ({facts, configuration}, {cluster}) => {
    const dual = cluster.spec.network.pods.some((cidr) => cidr.includes(':')) ? {'net.ipv6.conf.all.forwarding': '1'} : {};
    const wanted: Readonly<Record<string, unknown>> = {...needed, ...dual, ...configuration.sysctls};
    // of several files the last one wins
    const last = new Map(facts.sysctlOverrides.map((setting) => [setting.key, setting]));
    return Object.entries(wanted).flatMap(([key, value]) => {
      const setting = last.get(key);
      if (setting === undefined || setting.value.replaceAll(/\s+/g, ' ') === String(value)) return [];
      return [
        {
          observed: `${setting.file} sets ${key} = ${setting.value}`,
          wanted: `${key} = ${String(value)}`,
          remedy: `remove that line from ${setting.file}: it is read after the agent's drop-in and wins at the next boot`,
        },
      ];
    });
  },
};
