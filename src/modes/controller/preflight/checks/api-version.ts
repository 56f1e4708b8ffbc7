// The management cluster's Kubernetes is one that the core provider's version is tested on (cluster-api.sigs.k8s.io, reference/versions).
import semver from 'semver';
import type {ManagementCheck} from '../check.ts';

/** By minor version of Cluster API: the first and last minor version of Kubernetes. */
const matrix: Readonly<Record<string, readonly [first: number, last: number]>> = {
  '1.10': [29, 33],
  '1.11': [30, 34],
  '1.12': [31, 36],
  '1.13': [32, 36],
  '1.14': [33, 36],
};

export const apiVersion: ManagementCheck = {
  id: 'api-version',
  title: "The management cluster's Kubernetes is supported by its Cluster API",
  severity: 'error',
  of: 'management',
  run: ({kubernetes, providers}) => {
    const core = semver.coerce(providers.find(({type}) => type === 'core')?.version);
    const server = semver.coerce(kubernetes);
    if (core === null || server === null) return [];
    const range = matrix[`${core.major}.${core.minor}`];
    // one that is newer than this list isn't judged
    if (range === undefined) return [];
    const [first, last] = range;
    if (server.minor >= first && server.minor <= last) return [];
    return [
      {
        observed: `Kubernetes ${kubernetes} under Cluster API v${core.version}`,
        wanted: `Kubernetes v1.${first} to v1.${last}`,
        remedy: server.minor < first ? 'Upgrade the management cluster.' : 'Upgrade Cluster API: trireme provider upgrade',
        // a newer one works mostly; an older one lacks what is used
        severity: server.minor < first ? 'error' : 'warning',
      },
    ];
  },
};
