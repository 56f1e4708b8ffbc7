// Profiles that confine runc, containerd or the kubelet themselves (hardening guides) deny what containers need.
import type {HostCheck} from '../check.ts';

export const apparmor: HostCheck = {
  id: 'apparmor',
  title: 'No AppArmor profile confines the container runtime itself',
  severity: 'warning',
  scope: 'host',
  run: ({facts}) => {
    // containerd's own profile for containers is meant to be enforced, and runc's and crun's of Ubuntu only allow user namespaces
    const confining = facts.apparmorProfiles.filter(
      (profile) => profile.includes('(enforce)') && !/^(cri-containerd|containerd-default|docker-default)/.test(profile),
    );
    if (confining.length === 0) return [];
    return [
      {
        observed: `enforced: ${confining.join(', ')}`,
        wanted: 'complain or unconfined',
        remedy: confining.map((profile) => `aa-complain ${profile.split(' ')[0]}`).join(' && '),
      },
    ];
  },
};
