// Containers' files are executed where they are stored; the agent runs from its own folder.
import {mountOf} from '../../facts.ts';
import type {HostCheck} from '../check.ts';

const folders = ['/var', '/var/lib', '/var/lib/containerd', '/var/lib/kubelet', '/usr/local', '/opt'];

export const noexec: HostCheck = {
  id: 'noexec',
  title: 'Programs can be executed where containers and the agent live',
  severity: 'error',
  scope: 'host',
  run: ({facts}) => {
    const mounts = new Map(
      folders.flatMap((folder) => {
        const mount = mountOf(facts, folder);
        return mount?.options.includes('noexec') ? [[mount.path, mount] as const] : [];
      }),
    );
    return [...mounts.keys()].map((path) => ({
      observed: `${path} is mounted with noexec`,
      wanted: 'exec',
      remedy: `remove noexec from ${path} in /etc/fstab, then: mount -o remount,exec ${path}`,
    }));
  },
};
