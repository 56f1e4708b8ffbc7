// What of the host decides how things are rendered.
import {access, constants} from 'node:fs/promises';
import type {HostSystem} from '../../host-system.ts';
import type {HostTraits} from './render-containerd.ts';

export async function traitsOf(host: HostSystem): Promise<HostTraits> {
  return {cgroup: (await host.exists('/sys/fs/cgroup/cgroup.controllers')) ? 2 : 1, bin: host.bin, isUsrLocked: await isLocked(host.path('/usr'))};
}

async function isLocked(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'EROFS',
  );
}
