// Volumes mounted by the kubelet or by CSI drivers reach pods only through shared mounts; systemd makes / shared.
import {mountOf} from '../../facts.ts';
import type {HostCheck} from '../check.ts';

export const mountPropagation: HostCheck = {
  id: 'mount-propagation',
  title: "Mounts below the kubelet's folder are shared with containers",
  severity: 'warning',
  scope: 'host',
  run: ({facts}) => {
    const mount = mountOf(facts, '/var/lib/kubelet');
    return mount === undefined || mount.shared
      ? []
      : [
          {
            observed: `${mount.path} is mounted private`,
            wanted: 'shared',
            remedy: `mount --make-rshared ${mount.path}, and at boot by a systemd unit or the options of /etc/fstab`,
          },
        ];
  },
};
