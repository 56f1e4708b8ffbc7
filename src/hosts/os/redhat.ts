// RHEL, Rocky, Alma, CentOS Stream, Oracle Linux, Fedora, Amazon Linux.
import {packagesOf, type OsFamily} from './family.ts';

const packages = {
  modprobe: 'kmod',
  sysctl: 'procps-ng',
  systemctl: 'systemd',
  journalctl: 'systemd',
  ip: 'iproute',
  ss: 'iproute',
  tc: 'iproute-tc',
  iptables: 'iptables-nft',
  nft: 'nftables',
  conntrack: 'conntrack-tools',
  mount: 'util-linux',
  umount: 'util-linux',
  losetup: 'util-linux',
  swapoff: 'util-linux',
  nsenter: 'util-linux',
  cp: 'coreutils',
  timeout: 'coreutils',
  sh: 'bash',
  getent: 'glibc-common',
  ping: 'iputils',
  nc: 'nmap-ncat',
};

export const redhat: OsFamily = {
  name: 'Red Hat',
  immutable: false,
  install: (tools) => `dnf install -y ${packagesOf(packages, tools)}`,
  remove: (names) => `dnf remove -y ${names.join(' ')}`,
  enableTime: 'dnf install -y chrony && systemctl enable --now chronyd',
  enableCgroupV2: 'grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1, then reboot',
  upgradeKernel: 'dnf upgrade -y kernel, then reboot (RHEL 8 stays at 4.18: move to RHEL 9 or newer)',
};
