// Enforcing is fine with the policy for containers; without it the runtime may not even execute runc.
import type {HostCheck} from '../check.ts';

export const selinux: HostCheck = {
  id: 'selinux',
  title: 'SELinux lets containers run',
  severity: 'warning',
  scope: 'host',
  run: ({facts, family}) =>
    facts.selinux === 'enforcing' && !facts.selinuxContainerPolicy
      ? [
          {
            observed: 'enforcing, without the policy module for containers',
            wanted: 'the container-selinux policy, or permissive',
            remedy: `${family.install(['container-selinux'])}; or: setenforce 0 and SELINUX=permissive in /etc/selinux/config`,
          },
        ]
      : [],
};
