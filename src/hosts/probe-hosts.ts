// Who reaches whom: every host tries the ports and packet sizes that the cluster needs of the others.
import {isIPv6} from 'node:net';
import type {HostRunner} from '../ssh/runner.ts';
import {mapPool} from '../kernel/pool.ts';
import type {HostFacts, HostObservation} from './facts.ts';
import {newBoundary, readSections} from './script/frame.ts';
import {probeScript, type ProbeRequest} from './script/probes.ts';

/** A host as far as probing is concerned. */
export interface ProbedHost {
  readonly host: string;
  readonly role: 'control-plane' | 'worker';
  readonly nodeAddresses: readonly string[];
  readonly facts: HostFacts | undefined;
}

export interface ProbedEndpoint {
  readonly addresses: readonly string[];
  readonly port: number;
  /** By the control planes: then nobody else may have the address. */
  readonly isServed?: boolean;
}

export type ProbeResult = Pick<HostFacts, 'reach' | 'reachTool' | 'mtuTo' | 'neighbours'>;

/** TCP ports that a host needs to reach on another: the API, etcd between control planes, the kubelet from control planes. */
export function neededPorts(from: ProbedHost['role'], to: ProbedHost['role'], apiPort: number): readonly number[] {
  const ports: number[] = [];
  if (to === 'control-plane') ports.push(apiPort);
  if (from === 'control-plane' && to === 'control-plane') ports.push(2379, 2380);
  if (from === 'control-plane') ports.push(10_250);
  return ports;
}

/** What the host at `index` has to try: every other host's first address, and the endpoint. */
export function probeRequestFor(hosts: readonly ProbedHost[], index: number, endpoint: ProbedEndpoint): ProbeRequest {
  const own = hosts[index] as ProbedHost;
  const others = hosts.filter((other, position) => position !== index && other.nodeAddresses.length > 0);
  const reach = others.flatMap((other) => neededPorts(own.role, other.role, endpoint.port).map((port) => ({address: other.nodeAddresses[0] as string, port})));
  for (const address of endpoint.addresses)
    if (!reach.some((probe) => probe.address === address && probe.port === endpoint.port)) reach.push({address, port: endpoint.port});
  const mtu = interfaceMtu(own);
  return {
    reach,
    mtu: others.map((other) => ({address: other.nodeAddresses[0] as string, payloads: payloadsFor(mtu, other.nodeAddresses[0] as string)})),
    neighbours: endpoint.isServed === true ? endpoint.addresses : [],
  };
}

/** The MTU of the interface that holds the node's address. */
export function interfaceMtu(host: Pick<ProbedHost, 'facts' | 'nodeAddresses'>): number {
  const [address] = host.nodeAddresses;
  const found =
    host.facts?.interfaces.find((item) => item.addresses.some((own) => own.split('/')[0] === address)) ??
    host.facts?.interfaces.find(({name}) => name === host.facts?.defaultRoute?.interface);
  return found?.mtu ?? 1500;
}

/** Bytes of IP and ICMP headers around a ping's payload. */
export const pingHeaders = (address: string) => (isIPv6(address) ? 48 : 28);

/** The full size first, then those of usual tunnels, and a small one that tells a filter from a narrow path. */
function payloadsFor(mtu: number, address: string): readonly number[] {
  const sizes = [mtu, 1500, 1450, 1400, 1280].filter((size, index) => index === 0 || size < mtu);
  return [...sizes.map((size) => size - pingHeaders(address)), 56];
}

export interface ProbeOptions {
  open(host: ProbedHost): Promise<HostRunner>;
  readonly endpoint: ProbedEndpoint;
  readonly concurrency: number;
  readonly signal?: AbortSignal;
}

/** Runs the second round on every host with facts; a host that fails in it simply has no results. Rejects only when the signal aborts. */
export async function probeHosts(hosts: readonly ProbedHost[], options: ProbeOptions): Promise<ReadonlyMap<string, ProbeResult>> {
  const boundary = newBoundary();
  const indexes = hosts.flatMap((host, index) => (host.facts === undefined || host.facts.simulated ? [] : [index]));
  const outcomes = await mapPool(indexes, options.concurrency, async (index) => {
    const host = hosts[index] as ProbedHost;
    const request = probeRequestFor(hosts, index, options.endpoint);
    if (request.reach.length === 0 && request.mtu.length === 0) return undefined;
    const runner = await options.open(host);
    const {stdout} = await runner.run(probeScript(request, boundary), {
      root: true,
      deadline: 30_000,
      ...(options.signal === undefined ? {} : {signal: options.signal}),
    });
    return [host.host, parseProbes(stdout, boundary)] as const;
  });
  options.signal?.throwIfAborted();
  return new Map(
    outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' && outcome.value !== undefined && outcome.value[1] !== undefined ? [[outcome.value[0], outcome.value[1]] as const] : [],
    ),
  );
}

/** Reads a probe script's output; undefined when it isn't whole. */
export function parseProbes(output: string, boundary: string): ProbeResult | undefined {
  const sections = readSections(output, boundary);
  if (sections === undefined) return undefined;
  const tool = sections.get('tool')?.[0];
  const rows = (section: string) => (sections.get(section) ?? []).map((line) => line.split('\t'));
  return {
    reachTool: tool === 'bash' || tool === 'nc' || tool === 'python3' ? tool : 'none',
    reach: Object.fromEntries(
      rows('reach')
        .filter((row) => row.length === 3)
        .map(([address, port, answer]) => [reachKey(address as string, Number(port)), answer as 'open' | 'refused' | 'none']),
    ),
    mtuTo: Object.fromEntries(
      rows('mtu')
        .filter((row) => row.length === 2)
        .map(([address, size]) => [address as string, Number(size)]),
    ),
    // a line without a hardware address is of one that was asked for, and nobody answered
    neighbours: Object.fromEntries(
      (sections.get('neighbours') ?? []).flatMap((line) => {
        const [, address, mac] = /^(\S+) .*\blladdr ([0-9a-f:]+)/.exec(line) ?? [];
        return address === undefined || mac === undefined ? [] : [[address, mac] as const];
      }),
    ),
  };
}

/** The key of `HostFacts.reach`: `10.0.0.1:6443`, `[fd00::1]:6443`. */
export function reachKey(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Observations with the second round's results in them. */
export function withProbes(observations: readonly HostObservation[], probes: ReadonlyMap<string, ProbeResult>): readonly HostObservation[] {
  return observations.map((observation) =>
    'facts' in observation ? {...observation, facts: {...observation.facts, ...probes.get(observation.host)}} : observation,
  );
}
