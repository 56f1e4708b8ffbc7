// What preflight looks at: the facts of the hosts, and in a second round who reaches whom.
import {isIP} from 'node:net';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {HostFacts, HostObservation} from '../facts.ts';
import {gatherFacts, type GatherOptions} from '../gather-facts.ts';
import {nodeAddressesOf, type InventoryTarget} from '../inventory.ts';
import {probeHosts, withProbes, type ProbedHost} from '../probe-hosts.ts';
import type {PreflightContext} from './check.ts';
import {preflightContext} from './context.ts';

export interface ObserveOptions extends GatherOptions<InventoryTarget> {
  /** The agent's protocol that this program speaks. */
  readonly protocol: number;
  /** False leaves the second round out. Default true. */
  readonly probe?: boolean;
}

/** Observes the targets in two round trips each. Rejects only when the signal aborts. */
export async function observeForPreflight(
  cluster: Pick<DesiredCluster, 'document' | 'layers'>,
  targets: readonly InventoryTarget[],
  options: ObserveOptions,
): Promise<PreflightContext> {
  const {document, layers} = cluster;
  const observations = await gatherFacts(targets, options);
  const probed = options.probe === false ? observations : await probe(document.spec.endpoint, targets, observations, options);
  return preflightContext({cluster: document, layers, observations: probed, protocol: options.protocol});
}

async function probe(
  endpoint: DesiredCluster['document']['spec']['endpoint'],
  targets: readonly InventoryTarget[],
  observations: readonly HostObservation[],
  options: ObserveOptions,
): Promise<readonly HostObservation[]> {
  const hosts = targets.map((target, index): ProbedHost => {
    const facts = factsIn(observations[index]);
    return {host: target.host, role: target.role, nodeAddresses: nodeAddressesOf(target, facts), facts};
  });
  const byName = new Map(targets.map((target) => [target.host, target]));
  const addresses = isIP(endpoint.host) === 0 ? [...new Set(hosts.flatMap(({facts}) => facts?.endpointAddresses ?? []))] : [endpoint.host];
  const results = await probeHosts(hosts, {
    open: ({host}) => options.open(byName.get(host) as InventoryTarget),
    endpoint: {addresses, port: endpoint.port, isServed: endpoint.type === 'vip'},
    concurrency: options.concurrency,
    ...(options.signal === undefined ? {} : {signal: options.signal}),
  });
  return withProbes(observations, results);
}

const factsIn = (observation: HostObservation | undefined): HostFacts | undefined =>
  observation !== undefined && 'facts' in observation ? observation.facts : undefined;
