// A host can be a member of one cluster only.
import {seenAgent} from '../../agent-seen.ts';
import type {HostCheck} from '../check.ts';

export const clusterForeign: HostCheck = {
  id: 'cluster-foreign',
  title: 'The host belongs to no other Trireme cluster',
  severity: 'error',
  scope: 'host',
  run: ({facts}, {cluster}) => {
    const other = seenAgent(facts)?.cluster;
    return other === undefined || other === cluster.metadata.name
      ? []
      : [
          {
            observed: `its agent works for cluster ${other}`,
            wanted: `no cluster, or ${cluster.metadata.name}`,
            remedy: `take it out of ${other} first: trireme host reset`,
          },
        ];
  },
};
