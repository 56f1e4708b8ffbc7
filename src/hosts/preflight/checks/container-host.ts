// In a container the kernel belongs to somebody else: modules, parameters and limits may not be ours to set.
import type {HostCheck} from '../check.ts';

const containers = new Set(['lxc', 'lxc-libvirt', 'openvz', 'systemd-nspawn', 'docker', 'podman', 'container-other', 'wsl', 'proot', 'pouch']);

export const containerHost: HostCheck = {
  id: 'container-host',
  title: 'The host is a machine, not a container',
  severity: 'warning',
  scope: 'host',
  run: ({facts}) =>
    containers.has(facts.virtualization)
      ? [
          {
            observed: `a container (${facts.virtualization})`,
            wanted: 'a physical or virtual machine',
            remedy: 'use a machine, or prepare the modules and parameters on the computer that runs the container',
          },
        ]
      : [],
};
