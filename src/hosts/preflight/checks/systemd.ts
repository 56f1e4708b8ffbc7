// The agent and the kubelet are systemd units. 244 is what kubelet and runc need for cgroup v2 (Kubernetes: container runtimes).
import type {HostCheck} from '../check.ts';

const oldest = 244;

export const systemd: HostCheck = {
  id: 'systemd',
  title: 'systemd runs, in a version that knows cgroup v2',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}) => {
    if (facts.initSystem !== 'systemd')
      return [
        {
          observed: `${facts.initSystem || 'an unknown program'} is process 1`,
          wanted: 'systemd',
          remedy: family.unsupported ?? 'use a system that starts with systemd',
        },
      ];
    if (facts.systemdVersion !== undefined && facts.systemdVersion < oldest)
      return [
        {
          observed: `systemd ${facts.systemdVersion}`,
          wanted: `systemd ${oldest} or newer`,
          remedy: 'use a newer release of the operating system',
          severity: 'warning',
        },
      ];
    return [];
  },
};
