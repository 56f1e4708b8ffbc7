// Debian, Ubuntu and what is made of them.
import {grubCgroupV2, packagesOf, type OsFamily} from './family.ts';

const packages = {
  modprobe: 'kmod',
  sysctl: 'procps',
  systemctl: 'systemd',
  journalctl: 'systemd',
  ip: 'iproute2',
  ss: 'iproute2',
  tc: 'iproute2',
  nft: 'nftables',
  mount: 'mount',
  umount: 'mount',
  losetup: 'mount',
  swapoff: 'mount',
  nsenter: 'util-linux',
  cp: 'coreutils',
  timeout: 'coreutils',
  sh: 'dash',
  getent: 'libc-bin',
  ping: 'iputils-ping',
  nc: 'netcat-openbsd',
};

export const debian: OsFamily = {
  name: 'Debian',
  immutable: false,
  install: (tools) => `apt-get install -y ${packagesOf(packages, tools)}`,
  remove: (names) => `apt-get purge -y ${names.join(' ')}`,
  enableTime: 'apt-get install -y systemd-timesyncd && systemctl enable --now systemd-timesyncd',
  enableCgroupV2: grubCgroupV2,
  upgradeKernel: 'apt-get update && apt-get dist-upgrade, then reboot',
};
