// Flatcar Container Linux: /usr is read-only, software comes with the image or as a system extension.
import type {OsFamily} from './family.ts';

export const flatcar: OsFamily = {
  name: 'Flatcar',
  immutable: true,
  install: (tools) => `use an image or a system extension (systemd-sysext) that has ${[...tools].toSorted().join(', ')}; /usr is read-only here`,
  remove: (names) => `systemctl disable --now ${names.join(' ')} (in the Butane file, so that it lasts)`,
  enableTime: 'systemctl enable --now systemd-timesyncd',
  enableCgroupV2: 'remove systemd.unified_cgroup_hierarchy=0 from /usr/share/oem/grub.cfg, then reboot',
  upgradeKernel: 'update_engine_client -update, then reboot',
};
