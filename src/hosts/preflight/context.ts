// From file and observations to what checks look at.
import type {ClusterDocument} from '../../spec/schema.ts';
import {seenAgent} from '../agent-seen.ts';
import type {HostObservation} from '../facts.ts';
import {fileNodeAddresses, nodeAddressesOf} from '../inventory.ts';
import {familyOf} from '../os/find-family.ts';
import type {CheckedHost, PreflightContext, PreflightHost} from './check.ts';

export interface PreflightInput {
  readonly cluster: ClusterDocument;
  readonly layers: readonly {readonly name: string; readonly kind: string}[];
  /** Of the hosts that are looked at; others of the file aren't judged. */
  readonly observations: readonly HostObservation[];
  /** The agent's protocol that this program speaks. */
  readonly protocol: number;
}

/** Pure. Hosts of the file without an observation are left out. */
export function preflightContext(input: PreflightInput): PreflightContext {
  const observations = new Map(input.observations.map((observation) => [observation.host, observation]));
  const common = input.cluster.spec.configuration;
  const hosts = (input.cluster.spec.agent?.hosts ?? []).flatMap((host): readonly PreflightHost[] => {
    const observation = observations.get(host.name);
    if (observation === undefined) return [];
    const facts = 'facts' in observation ? observation.facts : undefined;
    return [
      {
        name: host.name,
        role: host.role,
        address: host.address,
        nodeAddresses: nodeAddressesOf({nodeAddresses: fileNodeAddresses(host)}, facts),
        configuration: {
          kubelet: {...common?.kubelet, ...host.configuration?.kubelet},
          sysctls: {...common?.sysctls, ...host.configuration?.sysctls},
          own: host.configuration,
        },
        facts,
        problem: 'problem' in observation ? observation.problem : undefined,
      },
    ];
  });
  const name = input.cluster.metadata.name;
  const checked = hosts.flatMap((host): readonly CheckedHost[] => {
    if (host.facts === undefined) return [];
    const cluster = seenAgent(host.facts)?.cluster;
    return [{...host, facts: host.facts, family: familyOf(host.facts), ours: cluster === name, foreign: cluster === name ? undefined : cluster}];
  });
  return {cluster: input.cluster, hosts, checked, cni: input.layers.find(({kind}) => kind === 'cni')?.name, protocol: input.protocol};
}
