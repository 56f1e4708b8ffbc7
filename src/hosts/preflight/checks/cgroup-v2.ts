// Since Kubernetes 1.35 the kubelet refuses cgroup v1 unless failCgroupV1 is false.
import type {HostCheck} from '../check.ts';

export const cgroupV2: HostCheck = {
  id: 'cgroup-v2',
  title: 'The host uses cgroup v2',
  severity: 'error',
  scope: 'host',
  run: ({facts, family, configuration}) => {
    if (facts.cgroup.version === 2) return [];
    const note = configuration.kubelet['failCgroupV1'] === false ? '; configuration.kubelet.failCgroupV1 is false, so the kubelet starts all the same' : '';
    return [
      {
        observed: `cgroup v1${note}`,
        wanted: 'cgroup v2',
        remedy: `${family.enableCgroupV2}; or accept it: ignore cgroup-v2 and set configuration.kubelet.failCgroupV1: false`,
      },
    ];
  },
};
