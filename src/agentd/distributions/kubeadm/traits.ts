// What of the host decides how things are rendered.
import type {HostSystem} from '../../host-system.ts';
import type {HostTraits} from './render-containerd.ts';

export async function traitsOf(host: HostSystem): Promise<HostTraits> {
  return {cgroup: (await host.exists('/sys/fs/cgroup/cgroup.controllers')) ? 2 : 1, bin: host.bin};
}
