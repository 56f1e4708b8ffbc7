// Images kept by rpm-ostree or transactional-update: Fedora CoreOS, IoT, Silverblue, openSUSE MicroOS, SLE Micro.
import type {OsFamily} from './family.ts';

/** Fedora and RHEL images. */
export const rpmOstree: OsFamily = {
  name: 'rpm-ostree',
  immutable: true,
  install: (tools) => `rpm-ostree install ${[...tools].toSorted().join(' ')} && systemctl reboot (package names may differ)`,
  remove: (names) => `rpm-ostree override remove ${names.join(' ')} && systemctl reboot`,
  enableTime: 'systemctl enable --now chronyd',
  enableCgroupV2: 'rpm-ostree kargs --delete=systemd.unified_cgroup_hierarchy=0 --reboot',
  upgradeKernel: 'rpm-ostree upgrade --reboot',
};

/** openSUSE MicroOS and SLE Micro. */
export const microOs: OsFamily = {
  name: 'MicroOS',
  immutable: true,
  install: (tools) => `transactional-update pkg install ${[...tools].toSorted().join(' ')}, then reboot (package names may differ)`,
  remove: (names) => `transactional-update pkg remove ${names.join(' ')}, then reboot`,
  enableTime: 'systemctl enable --now chronyd',
  enableCgroupV2: 'transactional-update grub.cfg after adding systemd.unified_cgroup_hierarchy=1 in /etc/default/grub, then reboot',
  upgradeKernel: 'transactional-update dup, then reboot',
};
