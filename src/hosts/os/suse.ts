// SLES and openSUSE with a writable root.
import {packagesOf, type OsFamily} from './family.ts';

const packages = {
  modprobe: 'kmod',
  sysctl: 'procps',
  systemctl: 'systemd',
  journalctl: 'systemd',
  ip: 'iproute2',
  ss: 'iproute2',
  tc: 'iproute2',
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
  getent: 'glibc',
  ping: 'iputils',
  nc: 'netcat-openbsd',
};

export const suse: OsFamily = {
  name: 'SUSE',
  immutable: false,
  install: (tools) => `zypper --non-interactive install ${packagesOf(packages, tools)}`,
  remove: (names) => `zypper --non-interactive remove ${names.join(' ')}`,
  enableTime: 'zypper --non-interactive install chrony && systemctl enable --now chronyd',
  enableCgroupV2:
    'add systemd.unified_cgroup_hierarchy=1 to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub, run grub2-mkconfig -o /boot/grub2/grub.cfg, reboot',
  upgradeKernel: 'zypper --non-interactive update kernel-default, then reboot',
};
