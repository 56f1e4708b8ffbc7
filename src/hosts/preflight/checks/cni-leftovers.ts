// The runtime takes the first configuration in /etc/cni/net.d by name: an old one wins over ours.
import type {HostCheck} from '../check.ts';
import {unlessForeign} from '../take-out.ts';

const paths = ['/etc/cni/net.d', '/var/lib/cni', '/var/lib/calico', '/run/flannel', '/var/run/cilium'];

export const cniLeftovers: HostCheck = {
  id: 'cni-leftovers',
  title: 'No network configuration of another cluster is left',
  severity: 'error',
  scope: 'host',
  run: ({facts, ours, foreign}) => {
    const found = ours ? [] : paths.filter((path) => facts.leftovers.includes(path));
    return found.length === 0
      ? []
      : [
          {
            observed: `not empty: ${found.join(', ')}`,
            wanted: 'no such files',
            remedy: unlessForeign(foreign, `rm -rf ${found.map((path) => `${path}/*`).join(' ')}`),
          },
        ];
  },
};
