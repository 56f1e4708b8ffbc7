// Ubuntu kernels whose ip6tables MARK target is broken: nodes lose IPv6 with iptables rules.
import type {HostCheck} from '../check.ts';

const bad = /^(5\.15\.0-(127|128)|6\.8\.0-(57|58|1022))(-|$)/;

export const kernelKnownBad: HostCheck = {
  id: 'kernel-known-bad',
  title: 'The kernel has no known fault that breaks pod networks',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}, {cluster, cni}) => {
    if (!bad.test(facts.kernel.release)) return [];
    const hits = cni === 'calico' || cluster.spec.network.pods.some((cidr) => cidr.includes(':'));
    return [
      {
        observed: `${facts.kernel.release}, whose ip6tables MARK target fails`,
        wanted: 'a kernel before or after it',
        remedy: `${family.upgradeKernel}; or disable IPv6`,
        ...(hits ? {} : {severity: 'warning' as const}),
      },
    ];
  },
};
