// systemd's journal, DHCP leases and the kubelet's node information need one.
import type {HostCheck} from '../check.ts';

export const machineId: HostCheck = {
  id: 'machine-id',
  title: 'The host has a machine id',
  severity: 'error',
  scope: 'host',
  run: ({facts}) =>
    /^[0-9a-f]{32}$/.test(facts.machineId) && !/^0+$/.test(facts.machineId)
      ? []
      : [
          {
            observed: facts.machineId || '/etc/machine-id is empty',
            wanted: '32 hexadecimal digits',
            remedy: 'rm -f /etc/machine-id && systemd-machine-id-setup',
          },
        ],
};
