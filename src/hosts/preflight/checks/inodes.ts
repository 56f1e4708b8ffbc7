// Images are many small files; a file system without free inodes is full, whatever df says.
import {mountOf} from '../../facts.ts';
import type {HostCheck} from '../check.ts';

const least = 100_000;

export const inodes: HostCheck = {
  id: 'inodes',
  title: 'There are enough free inodes',
  severity: 'error',
  scope: 'host',
  run: ({facts}) => {
    const mounts = new Set(['/var/lib/containerd', '/var/lib/kubelet'].map((path) => mountOf(facts, path)));
    return [...mounts].flatMap((mount) =>
      mount?.freeInodes !== undefined && mount.freeInodes < least
        ? [
            {
              observed: `${mount.freeInodes} inodes free on ${mount.path}`,
              wanted: `${least} or more`,
              remedy: `remove files on ${mount.path}, or make its file system with more inodes (xfs makes them as needed)`,
            },
          ]
        : [],
    );
  },
};
