// Modules that container runtime, kube-proxy and the CNI need; built in counts as loaded.
import type {Finding, HostCheck} from '../check.ts';

const always = ['overlay', 'br_netfilter', 'nf_conntrack'];
const byCni: Readonly<Record<string, readonly string[]>> = {flannel: ['vxlan'], canal: ['vxlan'], calico: ['vxlan', 'ipip'], cilium: ['vxlan']};

export const modules: HostCheck = {
  id: 'modules',
  title: 'The kernel modules that Kubernetes and the CNI need can be loaded',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}, {cni}) => {
    const known = new Set([...facts.modules.loaded, ...facts.modules.available]);
    const missing = always.filter((name) => !known.has(name));
    const forCni = (byCni[cni ?? ''] ?? []).filter((name) => !known.has(name));
    const remedy =
      facts.virtualization === 'none' || facts.virtualization === ''
        ? `install the kernel's module package and reboot: ${family.upgradeKernel}`
        : 'use a kernel that has them (minimal cloud kernels leave some out; containers need them loaded outside)';
    const findings: Finding[] = [];
    if (missing.length > 0) findings.push({observed: `missing: ${missing.join(', ')}`, wanted: always.join(', '), remedy});
    if (forCni.length > 0) findings.push({observed: `missing: ${forCni.join(', ')}`, wanted: `what ${cni} uses by default`, remedy, severity: 'warning'});
    return findings;
  },
};
