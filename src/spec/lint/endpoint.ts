// Rules about the address at which the API is reached.
import {contains, familyOf, isSameAddress, parseNetwork} from '../network.ts';
import type {AgentHost, ClusterDocument} from '../schema.ts';
import type {Report} from './report.ts';

const at = (key: 'host' | 'port' | 'type' | 'interface') => ['spec', 'endpoint', key];

/** On which port each control plane's own API server listens: an address that it serves leads there. */
const apiPort = 6443;

/** Addresses that can't be anybody's in a network, or are each host's own. */
const unusable = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/127', 'fe80::/10', 'ff00::/8'];

/** The addresses of a host's node that the file tells. */
export function nodeAddressesOf(host: AgentHost): readonly string[] {
  if (host.nodeAddress !== undefined) return typeof host.nodeAddress === 'string' ? [host.nodeAddress] : host.nodeAddress;
  return familyOf(host.address) === undefined ? [] : [host.address];
}

export function lintEndpoint(cluster: ClusterDocument, hosts: readonly AgentHost[], report: Report): void {
  const {endpoint} = cluster.spec;
  if (endpoint.host === '') return;
  if (/[\s/@]/.test(endpoint.host) || /^[^:]*:\d+$/.test(endpoint.host)) {
    report.error({
      path: at('host'),
      rule: 'endpoint.host',
      message: `${JSON.stringify(endpoint.host.slice(0, 80))} is no name or address.`,
      hint: 'Write the host alone; the port goes to endpoint.port.',
    });
    return;
  }
  const owners = hosts.filter((host) => [host.name, host.address, ...nodeAddressesOf(host)].some((own) => isSameAddress(own, endpoint.host)));
  if (endpoint.type === 'vip') lintVip(cluster, owners, report);
  else lintExternal(cluster, hosts, owners, report);
}

function lintExternal(cluster: ClusterDocument, hosts: readonly AgentHost[], owners: readonly AgentHost[], report: Report): void {
  if (cluster.spec.endpoint.interface !== undefined)
    report.error({
      path: at('interface'),
      atKey: true,
      rule: 'endpoint.interface',
      message: 'endpoint.interface is for an address that the control planes serve, and endpoint.type is external.',
      hint: 'Remove it, or write type: vip.',
    });
  // behind an address translation several hosts have one address
  const owner = owners.find((host) => host.role === 'control-plane') ?? owners[0];
  if (owner?.role === 'worker') {
    report.error({
      path: at('host'),
      rule: 'endpoint.worker',
      message: `The endpoint is the worker ${owner.name}; no API server runs there.`,
      hint: 'Use a control plane, or a load balancer in front of them.',
    });
  } else if (owner !== undefined && cluster.spec.kubernetes.distribution !== 'simulated' && hosts.filter((host) => host.role === 'control-plane').length > 1) {
    report.warn({
      path: at('host'),
      rule: 'endpoint.single',
      message: `The endpoint is the control plane ${owner.name}: while it is away the API can't be reached, though the others run.`,
      hint: 'Let the control planes serve a free address (type: vip), or put a load balancer or a DNS name in front of them.',
    });
  }
}

/** The pods' and services' networks are looked at with the networks. */
function lintVip(cluster: ClusterDocument, owners: readonly AgentHost[], report: Report): void {
  const {endpoint, kubernetes} = cluster.spec;
  const error = (key: Parameters<typeof at>[0], rule: string, message: string, hint: string) => report.error({path: at(key), rule, message, hint});
  const [owner] = owners;
  if (familyOf(endpoint.host) === undefined) {
    error(
      'host',
      'endpoint.vip-address',
      `The control planes serve an address, and ${endpoint.host} is a name.`,
      'Write the address. A name for it can be added by configuration.apiServer.certSANs.',
    );
  } else if (kubernetes.distribution === 'simulated') {
    if (!['127.0.0.1', '::1'].includes(endpoint.host))
      error('host', 'endpoint.vip-address', `Simulated control planes serve loopback only, not ${endpoint.host}.`, 'Write 127.0.0.1.');
    return; // the API's port is the sandbox's own
  } else if (owner !== undefined) {
    error(
      'host',
      'endpoint.vip-host',
      `${endpoint.host} is the address of ${owner.name}: an address that the control planes serve goes from one to another.`,
      'Choose a free address of the same network.',
    );
  } else if (unusable.some((text) => isIn(text, endpoint.host))) {
    error('host', 'endpoint.vip-address', `${endpoint.host} can't be served to others.`, "Choose a free address of the control planes' network.");
  }
  if (endpoint.port !== apiPort)
    error(
      'port',
      'endpoint.vip-port',
      `The port is ${endpoint.port}; at an address that the control planes serve the API servers themselves answer, on ${apiPort}.`,
      `Write port: ${apiPort}, or remove the line.`,
    );
}

function isIn(text: string, address: string): boolean {
  const read = parseNetwork(text);
  return 'network' in read && contains(read.network, address);
}
