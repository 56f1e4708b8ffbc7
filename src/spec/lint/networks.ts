// Rules about the cluster's networks. Sizes are what kubeadm and the controller manager accept (kubeadm's validation.go).
import {contains, familyOf, type Network, overlaps, parseNetwork} from '../network.ts';
import type {ClusterDocument} from '../schema.ts';
import type {Path} from '../yaml-text.ts';
import {nodeAddressesOf} from './endpoint.ts';
import type {Report} from './report.ts';

interface Placed {
  readonly what: 'pods' | 'services';
  readonly path: Path;
  readonly network: Network;
}

export function lintNetworks(cluster: ClusterDocument, report: Report): void {
  const placed = (['pods', 'services'] as const).flatMap((what) => readNetworks(cluster, what, report));
  for (const [index, one] of placed.entries()) {
    for (const other of placed.slice(0, index)) {
      if (one.what !== other.what && overlaps(one.network, other.network)) {
        report.error({
          path: one.path,
          rule: 'network.overlap',
          message: `The ${one.what} network ${one.network.text} overlaps the ${other.what} network ${other.network.text}.`,
          hint: 'Choose networks that share no address.',
        });
      }
    }
    lintSize(cluster, one, report);
  }
  lintFamilies(placed, report);
  lintAddresses(cluster, placed, report);
}

function readNetworks(cluster: ClusterDocument, what: 'pods' | 'services', report: Report): Placed[] {
  return cluster.spec.network[what].flatMap((text, index) => {
    const path = ['spec', 'network', what, index];
    const read = parseNetwork(text);
    if ('network' in read) return [{what, path, network: read.network}];
    report.error({
      path,
      rule: 'network.cidr',
      message: `${JSON.stringify(text.slice(0, 60))} ${read.problem}.`,
      hint: read.meant === undefined ? 'Write it like 10.244.0.0/16 or fd00:10:244::/56.' : `Did you mean ${read.meant}?`,
    });
    return [];
  });
}

function lintSize(cluster: ClusterDocument, placed: Placed, report: Report): void {
  const {network, what, path} = placed;
  const bits = network.family === 'IPv4' ? 32 : 128;
  if (what === 'services') {
    if (bits - network.prefix > 20)
      report.error({path, rule: 'network.size', message: `The services network ${network.text} is too large: its prefix must be at least /${bits - 20}.`});
    else if (bits - network.prefix < 4)
      report.error({path, rule: 'network.size', message: `The services network ${network.text} is too small: Kubernetes needs at least ten addresses.`});
    return;
  }
  // what a node takes of it is said by the class in controller mode
  const set = cluster.spec.mode === 'controller' || JSON.stringify(cluster.spec.configuration?.controllerManager ?? {}).includes('node-cidr-mask-size');
  if (set) return;
  const node = network.family === 'IPv4' ? 24 : 64;
  if (network.prefix > node)
    report.error({
      path,
      rule: 'network.size',
      message: `The pods network ${network.text} has no room: each node takes a /${node} of it.`,
      hint: `Use a prefix of /${node} or shorter, or set node-cidr-mask-size for the controller manager.`,
    });
  else if (node - network.prefix > 16)
    report.error({
      path,
      rule: 'network.size',
      message: `The pods network ${network.text} is too large for nodes of /${node}: its prefix must be at least /${node - 16}.`,
    });
  const hosts = cluster.spec.agent?.hosts.length ?? 0;
  if (network.prefix <= node && hosts > 2 ** (node - network.prefix))
    report.error({
      path,
      rule: 'network.size',
      message: `The pods network ${network.text} has room for ${2 ** (node - network.prefix)} nodes of /${node}; the cluster has ${hosts}.`,
      hint: 'Use a shorter prefix.',
    });
}

function lintFamilies(placed: readonly Placed[], report: Report): void {
  const families = (what: 'pods' | 'services') => placed.filter((one) => one.what === what).map((one) => one.network.family);
  for (const what of ['pods', 'services'] as const) {
    const [first, second] = families(what);
    if (first !== undefined && first === second)
      report.error({
        path: ['spec', 'network', what, 1],
        rule: 'network.family',
        message: `Both ${what} networks are ${first}; two networks make a cluster dual-stack, one of each family.`,
      });
  }
  const pods = families('pods');
  const services = families('services');
  if (pods.length === 0 || services.length === 0 || new Set(pods).size < pods.length || new Set(services).size < services.length) return;
  if (pods.join(' ') !== services.join(' ')) {
    report.error({
      path: ['spec', 'network', 'services'],
      rule: 'network.family',
      message: `The pods networks are ${pods.join(' then ')}, the services networks ${services.join(' then ')}; both need the same families in the same order.`,
    });
  }
}

function lintAddresses(cluster: ClusterDocument, placed: readonly Placed[], report: Report): void {
  const check = (address: string, whose: string, path: Path) => {
    for (const {what, network} of placed) {
      if (contains(network, address))
        report.error({
          path,
          rule: 'network.overlap',
          message: `${whose} ${address} lies in the ${what} network ${network.text}.`,
          hint: 'Choose a network that the hosts do not use.',
        });
    }
  };
  check(cluster.spec.endpoint.host, 'The endpoint', ['spec', 'endpoint', 'host']);
  const podFamilies = new Set(placed.filter((one) => one.what === 'pods').map((one) => one.network.family));
  for (const [index, host] of (cluster.spec.agent?.hosts ?? []).entries()) {
    const addresses = nodeAddressesOf(host);
    for (const [position, address] of addresses.entries()) {
      const path = [
        'spec',
        'agent',
        'hosts',
        index,
        ...(host.nodeAddress === undefined ? ['address'] : typeof host.nodeAddress === 'string' ? ['nodeAddress'] : ['nodeAddress', position]),
      ];
      check(address, `The address of ${host.name},`, path);
      const family = familyOf(address);
      if (host.nodeAddress !== undefined && family !== undefined && podFamilies.size > 0 && !podFamilies.has(family)) {
        report.error({
          path,
          rule: 'network.family',
          message: `The node address ${address} of ${host.name} is ${family}, but the pods network isn't.`,
          hint: `Add a pods and a services network of ${family}, or give the host an address of the pods' family.`,
        });
      }
    }
    if (addresses.length === 2 && familyOf(addresses[0] ?? '') === familyOf(addresses[1] ?? '')) {
      report.error({
        path: ['spec', 'agent', 'hosts', index, 'nodeAddress', 1],
        rule: 'network.family',
        message: `Both node addresses of ${host.name} are of one family; two addresses are for dual-stack.`,
      });
    }
  }
}
