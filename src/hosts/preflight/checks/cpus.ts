// kubeadm refuses a control plane with one processor (NumCPU).
import type {HostCheck} from '../check.ts';

export const cpus: HostCheck = {
  id: 'cpus',
  title: 'There are enough processors',
  severity: 'error',
  scope: 'host',
  run: ({facts, role}) => {
    const wanted = role === 'control-plane' ? 2 : 1;
    return facts.cpus >= wanted ? [] : [{observed: `${facts.cpus}`, wanted: `${wanted} or more for a ${role}`, remedy: 'give the machine more processors'}];
  },
};
