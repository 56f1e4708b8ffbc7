// A system that we have no words for may work; one that we know can't is refused.
import type {HostCheck} from '../check.ts';

export const operatingSystem: HostCheck = {
  id: 'operating-system',
  title: 'The operating system is one that agent mode knows',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}) => {
    const wanted = 'Debian, Ubuntu, RHEL and its kin, Fedora, SUSE, Arch, Flatcar or an rpm-ostree image';
    if (family.unsupported !== undefined) return [{observed: facts.os.name, wanted, remedy: family.unsupported}];
    if (family.name === 'unknown')
      return [
        {observed: facts.os.name, wanted, remedy: 'go on if it has systemd and the tools; remedies here name tools instead of packages', severity: 'warning'},
      ];
    return [];
  },
};
