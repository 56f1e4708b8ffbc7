// Two hosts of one name confuse etcd member names, leases and everybody who reads logs.
import type {ClusterCheck} from '../check.ts';
import {duplicates} from '../duplicates.ts';

export const hostnameUnique: ClusterCheck = {
  id: 'hostname-unique',
  title: 'No two hosts have the same host name',
  severity: 'error',
  scope: 'cluster',
  run: ({checked}) =>
    duplicates(checked, ({facts}) => (facts.hostname === '' ? [] : [facts.hostname])).map(({host, value, others}) => ({
      host: host.name,
      observed: `${value}, like ${others.join(', ')}`,
      wanted: 'a name of its own',
      remedy: `hostnamectl set-hostname ${host.name}`,
    })),
};
