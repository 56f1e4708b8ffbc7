// Arch Linux and what is made of it.
import {grubCgroupV2, packagesOf, type OsFamily} from './family.ts';

const packages = {
  modprobe: 'kmod',
  sysctl: 'procps-ng',
  systemctl: 'systemd',
  journalctl: 'systemd',
  ip: 'iproute2',
  ss: 'iproute2',
  tc: 'iproute2',
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
  getent: 'glibc',
  ping: 'iputils',
  nc: 'openbsd-netcat',
};

export const arch: OsFamily = {
  name: 'Arch',
  immutable: false,
  install: (tools) => `pacman -S --needed --noconfirm ${packagesOf(packages, tools)}`,
  remove: (names) => `pacman -Rns --noconfirm ${names.join(' ')}`,
  enableTime: 'systemctl enable --now systemd-timesyncd',
  enableCgroupV2: grubCgroupV2,
  upgradeKernel: 'pacman -Syu, then reboot',
};
