// Alpine has no systemd, which the agent and the kubelet's unit need.
import type {OsFamily} from './family.ts';

export const alpine: OsFamily = {
  name: 'Alpine',
  unsupported: 'Alpine Linux starts services with OpenRC; the agent needs systemd.',
  immutable: false,
  install: (tools) => `apk add ${[...tools].toSorted().join(' ')}`,
  remove: (names) => `apk del ${names.join(' ')}`,
  enableTime: 'apk add chrony && rc-update add chronyd && rc-service chronyd start',
  enableCgroupV2: 'set rc_cgroup_mode="unified" in /etc/rc.conf, then reboot',
  upgradeKernel: 'apk upgrade, then reboot',
};
