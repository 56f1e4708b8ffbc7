// Without these the kubelet can't limit pods. Raspberry Pi's kernel, for one, boots without memory.
import type {HostCheck} from '../check.ts';

const needed = ['cpu', 'cpuset', 'memory', 'pids'];

export const cgroupControllers: HostCheck = {
  id: 'cgroup-controllers',
  title: 'The cgroup controllers that the kubelet needs are enabled',
  severity: 'error',
  scope: 'host',
  run: ({facts}) => {
    const missing = needed.filter((name) => !facts.cgroup.controllers.includes(name));
    return missing.length === 0
      ? []
      : [
          {
            observed: `missing: ${missing.join(', ')}`,
            wanted: needed.join(', '),
            remedy: `enable them on the kernel's command line (${missing.map((name) => `cgroup_enable=${name}`).join(' ')}) and reboot`,
          },
        ];
  },
};
