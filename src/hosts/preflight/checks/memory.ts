// kubeadm refuses a control plane below 1700 MB (Mem); a worker needs room for kubelet, runtime and kube-proxy.
import type {HostCheck} from '../check.ts';

/** MiB. */
const least = {'control-plane': 1621, worker: 700} as const;
const comfortable = {'control-plane': 3500, worker: 1700} as const;

export const memory: HostCheck = {
  id: 'memory',
  title: 'There is enough memory',
  severity: 'error',
  scope: 'host',
  run: ({facts, role}) => {
    const observed = `${facts.memory.total} MiB`;
    const remedy = 'give the machine more memory';
    if (facts.memory.total < least[role]) return [{observed, wanted: `${least[role]} MiB or more for a ${role}`, remedy}];
    if (facts.memory.total < comfortable[role]) return [{observed, wanted: `${comfortable[role]} MiB leave room for workloads`, remedy, severity: 'warning'}];
    return [];
  },
};
