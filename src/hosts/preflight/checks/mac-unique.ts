// Cloned machines in one network: packets go to either of them.
import type {ClusterCheck} from '../check.ts';
import {duplicates} from '../duplicates.ts';

export const macUnique: ClusterCheck = {
  id: 'mac-unique',
  title: 'No two hosts have the same MAC address',
  severity: 'error',
  scope: 'cluster',
  run: ({checked}) =>
    duplicates(checked, ({facts}) =>
      facts.interfaces
        .filter(({name, physical, mac}) => (physical || name === facts.defaultRoute?.interface) && mac !== '' && !/^(00:)+00$/.test(mac))
        .map(({mac}) => mac),
    ).map(({host, value, others}) => ({
      host: host.name,
      observed: `${value}, like ${others.join(', ')}`,
      wanted: 'an address of its own',
      remedy: "give the machine's network device a new MAC address in the hypervisor",
    })),
};
