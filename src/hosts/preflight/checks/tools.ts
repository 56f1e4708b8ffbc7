// What the agent, kubelet, kubeadm and kube-proxy call. A package that is "installed" but lacks its program counts as missing.
import type {HostCheck} from '../check.ts';

const needed = ['sh', 'mount', 'umount', 'losetup', 'cp', 'tar', 'nsenter', 'modprobe', 'sysctl', 'systemctl', 'ip'];

export const tools: HostCheck = {
  id: 'tools',
  title: 'The needed programs are there and executable',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}) => {
    const missing = needed.filter((tool) => facts.tools[tool] === undefined);
    const findings = missing.length === 0 ? [] : [{observed: `missing: ${missing.join(', ')}`, wanted: needed.join(', '), remedy: family.install(missing)}];
    if (facts.tools['iptables'] !== undefined || facts.tools['nft'] !== undefined) return findings;
    return [...findings, {observed: 'neither iptables nor nft', wanted: 'iptables or nft', remedy: family.install(['iptables'])}];
  },
};
