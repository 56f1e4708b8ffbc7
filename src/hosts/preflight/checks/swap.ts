// The kubelet refuses to start with swap unless failSwapOn is false. zram counts: it is swap that comes back at every boot.
import type {HostCheck} from '../check.ts';

export const swap: HostCheck = {
  id: 'swap',
  title: 'Swap is off',
  severity: 'error',
  scope: 'host',
  run: ({facts, family, configuration}) => {
    if (!facts.swapOn) return [];
    const note = configuration.kubelet['failSwapOn'] === false ? '; configuration.kubelet.failSwapOn is false, so the kubelet starts all the same' : '';
    const zram = facts.swaps.some((name) => name.includes('zram'));
    const remedy = zram ? `swapoff -a and ${family.remove(['zram-generator'])}` : 'swapoff -a, and comment out the swap lines of /etc/fstab';
    return [
      {
        observed: `on: ${facts.swaps.join(', ')}${note}`,
        wanted: 'no swap',
        remedy: `${remedy}; or accept it: ignore swap and set configuration.kubelet.failSwapOn: false`,
      },
    ];
  },
};
