// kubeadm's system verification wants 4.19 since Kubernetes 1.32; RHEL 8's 4.18 fails it.
import type {HostCheck} from '../check.ts';

export const kernelVersion: HostCheck = {
  id: 'kernel-version',
  title: 'The kernel is 4.19 or newer',
  severity: 'error',
  scope: 'host',
  run: ({facts, family}) => {
    const match = /^(\d+)\.(\d+)/.exec(facts.kernel.release);
    const number = match === null ? 0 : Number(match[1]) * 1000 + Number(match[2]);
    return number >= 4019 ? [] : [{observed: facts.kernel.release, wanted: '4.19 or newer', remedy: family.upgradeKernel}];
  },
};
