// Cloned machines share it, and then DHCP addresses and CNIs that derive from it (kubeadm: verify that product_uuid and MAC are unique). Also finds one host under two names.
import type {ClusterCheck} from '../check.ts';
import {duplicates} from '../duplicates.ts';

export const machineIdUnique: ClusterCheck = {
  id: 'machine-id-unique',
  title: 'No two hosts have the same machine id',
  severity: 'error',
  scope: 'cluster',
  run: ({checked}) =>
    duplicates(checked, ({facts}) => (facts.machineId === '' ? [] : [facts.machineId])).map(({host, value, others}) => {
      const same = others.some((other) => checked.find(({name}) => name === other)?.facts.bootId === host.facts.bootId);
      return {
        host: host.name,
        observed: same ? `${value} and the same boot as ${others.join(', ')}: it is one host under two names` : `${value}, like ${others.join(', ')}`,
        wanted: 'an id of its own',
        remedy: same ? 'list each host once' : 'rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup, then reboot',
      };
    }),
};
