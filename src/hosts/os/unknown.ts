// A system that we have no words for: remedies name tools instead of packages.
import {grubCgroupV2, type OsFamily} from './family.ts';

export const unknown: OsFamily = {
  name: 'unknown',
  immutable: false,
  install: (tools) => `install ${[...tools].toSorted().join(', ')} with the package manager of this system`,
  remove: (names) => `remove ${names.join(', ')} with the package manager of this system`,
  enableTime: 'install chrony or systemd-timesyncd and enable it',
  enableCgroupV2: grubCgroupV2,
  upgradeKernel: "upgrade the kernel with this system's package manager, then reboot",
};
