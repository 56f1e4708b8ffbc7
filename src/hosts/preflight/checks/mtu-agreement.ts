// A CNI computes the pods' MTU on each node by itself: where nodes differ, large packets vanish between some of them.
import {interfaceMtu} from '../../probe-hosts.ts';
import type {ClusterCheck} from '../check.ts';

export const mtuAgreement: ClusterCheck = {
  id: 'mtu-agreement',
  title: "The hosts' interfaces have the same MTU",
  severity: 'warning',
  scope: 'cluster',
  run: ({checked}) => {
    const mtus = checked.map((host) => ({host: host.name, mtu: interfaceMtu(host)}));
    const counts = new Map<number, number>();
    for (const {mtu} of mtus) counts.set(mtu, (counts.get(mtu) ?? 0) + 1);
    const usual = [...counts].toSorted(([a, countA], [b, countB]) => countB - countA || a - b)[0]?.[0];
    return mtus
      .filter(({mtu}) => mtu !== usual)
      .map(({host, mtu}) => ({
        host,
        observed: `${mtu}`,
        wanted: `${usual}, like most hosts`,
        remedy: "set the MTU of the node's interface, or set the smallest one in the CNI's configuration",
      }));
  },
};
