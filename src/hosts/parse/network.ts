// From the script's sections about the network to facts.
import type {HostFacts, InterfaceFacts, ListenerFacts, RouteFacts} from '../facts.ts';
import {formatIpv6} from './addresses.ts';
import {valuesOf, type Sections} from './pairs.ts';

type NetworkFacts = Pick<
  HostFacts,
  | 'interfaces'
  | 'routes'
  | 'defaultRoute'
  | 'networkDrivers'
  | 'listening'
  | 'resolvConf'
  | 'networkdFiles'
  | 'endpointAddresses'
  | 'hostnameResolves'
  | 'environmentProxy'
>;

/** Reads the sections links, addresses, routes, routes6, listening, resolv, resolved, networkd, names and proxy. */
export function parseNetwork(sections: Sections): NetworkFacts {
  const interfaces = parseInterfaces(sections);
  const routes = [...(sections.get('routes') ?? []).map(parseRoute), ...(sections.get('routes6') ?? []).map(parseRoute6)].filter(
    (route) => route !== undefined,
  );
  return {
    interfaces,
    routes,
    defaultRoute: findDefaultRoute(interfaces, routes),
    networkDrivers: valuesOf(sections, 'links', 'driver'),
    listening: parseListening(sections.get('listening') ?? []),
    resolvConf: parseResolvConf(sections),
    networkdFiles: parseNetworkd(sections.get('networkd') ?? []),
    endpointAddresses: [...new Set(valuesOf(sections, 'names', 'endpoint'))],
    hostnameResolves: valuesOf(sections, 'names', 'hostname').length > 0,
    environmentProxy: parseProxies(sections.get('proxy') ?? []),
  };
}

function parseInterfaces(sections: Sections): readonly InterfaceFacts[] {
  const addresses = (sections.get('addresses') ?? []).map((line) => /^\d+:\s+(\S+)\s+inet6?\s+(\S+)\s+(.*)$/.exec(line)).filter((match) => match !== null);
  return parseLinks(sections).map(({name, mac, mtu, state, physical}) => {
    const own = addresses
      .filter((match) => match[1] === name)
      // point-to-point addresses have no prefix of their own
      .map((match) => ({
        address: (match[2] as string).includes('/') ? (match[2] as string) : `${match[2]}/${(match[2] as string).includes(':') ? 128 : 32}`,
        flags: match[3] as string,
      }))
      .filter(({address}) => !address.toLowerCase().startsWith('fe80:'));
    return {
      name,
      mac,
      mtu,
      up: state === 'up' || state === 'unknown',
      physical,
      addresses: own.map(({address}) => address),
      leased: own.filter(({flags}) => /\bdynamic\b/.test(flags)).map(({address}) => address),
    };
  });
}

interface Link {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly state: string;
  readonly physical: boolean;
}

/** What `ip` says counts; /sys alone knows what has hardware behind it, but in a container it may show the interfaces of the computer around it. */
function parseLinks(sections: Sections): readonly Link[] {
  const fromSys = (sections.get('links') ?? [])
    .filter((line) => line.includes('/sys/class/net/'))
    .map((line) => line.split('\t'))
    .map(([path = '', mac = '', mtu = '', state = '', kind = '']): Link => ({
      name: path.slice(path.lastIndexOf('/') + 1),
      mac,
      mtu: Number(mtu),
      state,
      physical: kind === 'physical',
    }));
  const fromIp = (sections.get('link-list') ?? [])
    .map((line) => /^\d+:\s+([^:@\s]+)(?:@\S+)?:\s+<[^>]*>\s+mtu (\d+).*?\sstate (\S+).*?link\/\S+(?:\s+([0-9a-f:]+))?/.exec(line))
    .filter((match) => match !== null);
  if (fromIp.length === 0) return fromSys;
  return fromIp.map((match): Link => {
    const [, name, mtu, state, mac = ''] = match as unknown as [string, string, string, string, string | undefined];
    return {name, mac, mtu: Number(mtu), state: state.toLowerCase(), physical: fromSys.some((link) => link.physical && link.name === name && link.mac === mac)};
  });
}

/** /proc/net/route: hexadecimal in the host's byte order, which is little-endian on every architecture that we support. */
function parseRoute(line: string): RouteFacts | undefined {
  const [name, destination = '', gateway = '', flags = '', , , metric, mask = ''] = line.trim().split(/\s+/);
  if (name === undefined || !/^[0-9A-F]{8}$/i.test(destination) || !/^[0-9A-F]{8}$/i.test(mask)) return undefined;
  if ((Number.parseInt(flags, 16) & 0x0201) !== 0x0001) return undefined; // up, and no reject route
  const prefix = Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
  return {
    network: `${ipv4FromHex(destination)}/${prefix}`,
    interface: name,
    gateway: gateway === '00000000' ? undefined : ipv4FromHex(gateway),
    metric: Number(metric),
  };
}

function ipv4FromHex(hex: string): string {
  return [6, 4, 2, 0].map((start) => Number.parseInt(hex.slice(start, start + 2), 16)).join('.');
}

/** /proc/net/ipv6_route: DESTINATION LENGTH SOURCE LENGTH GATEWAY METRIC REFERENCES USE FLAGS DEVICE. */
function parseRoute6(line: string): RouteFacts | undefined {
  const [destination = '', length = '', , , gateway = '', metric = '', , , flags = '', name] = line.trim().split(/\s+/);
  if (name === undefined || name === 'lo' || destination.length !== 32) return undefined;
  const bits = Number.parseInt(flags, 16);
  if ((bits & 0x0201) !== 0x0001 || (bits & 0x80000000) !== 0 || /^(ff|fe8)/i.test(destination)) return undefined; // local, multicast, link-local
  return {
    network: `${formatIpv6(destination)}/${Number.parseInt(length, 16)}`,
    interface: name,
    gateway: /^0+$/.test(gateway) ? undefined : formatIpv6(gateway),
    metric: Number.parseInt(metric, 16),
  };
}

function findDefaultRoute(interfaces: readonly InterfaceFacts[], routes: readonly RouteFacts[]): HostFacts['defaultRoute'] {
  for (const [network, isFamily] of [
    ['0.0.0.0/0', (address: string) => !address.includes(':')],
    ['::/0', (address: string) => address.includes(':')],
  ] as const) {
    const [route] = routes.filter((candidate) => candidate.network === network).toSorted((a, b) => a.metric - b.metric);
    const address = interfaces.find(({name}) => name === route?.interface)?.addresses.find(isFamily);
    if (route !== undefined && address !== undefined) return {interface: route.interface, address: address.replace(/\/\d+$/, '')};
  }
  return undefined;
}

function parseListening(lines: readonly string[]): readonly ListenerFacts[] {
  if (lines[0] === 'ss')
    return lines
      .slice(1)
      .map(parseSsLine)
      .filter((listener) => listener !== undefined);
  const listeners: ListenerFacts[] = [];
  let protocol: 'tcp' | 'udp' = 'tcp';
  for (const line of lines) {
    if (line.startsWith('proc ')) protocol = line.includes('udp') ? 'udp' : 'tcp';
    const match = /^\s*\d+:\s+([0-9A-F]+):([0-9A-F]{4})\s+\S+\s+([0-9A-F]{2})\s/i.exec(line);
    // 0A is LISTEN; a UDP socket that isn't connected has 07
    if (match === null || match[3] !== (protocol === 'tcp' ? '0A' : '07')) continue;
    const hex = match[1] as string;
    const address = hex.length === 8 ? ipv4FromHex(hex) : formatIpv6(hex.replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1'));
    listeners.push({protocol, address, port: Number.parseInt(match[2] as string, 16), program: ''});
  }
  return listeners;
}

/** `tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))` */
function parseSsLine(line: string): ListenerFacts | undefined {
  const [protocol, , , , local = ''] = line.trim().split(/\s+/);
  const colon = local.lastIndexOf(':');
  const port = Number(local.slice(colon + 1));
  if ((protocol !== 'tcp' && protocol !== 'udp') || colon === -1 || !Number.isInteger(port)) return undefined;
  const address = local.slice(0, colon).replace(/%.*$/, '').replaceAll(/[[\]]/g, '');
  return {protocol, address, port, program: /users:\(\("([^"]*)"/.exec(line)?.[1] ?? ''};
}

function parseResolvConf(sections: Sections): HostFacts['resolvConf'] {
  const words = (section: string, keyword: string) =>
    (sections.get(section) ?? [])
      .map((line) => line.trim().split(/\s+/))
      .filter((parts) => parts[0] === keyword)
      .flatMap((parts) => parts.slice(1));
  const nameservers = words('resolv', 'nameserver');
  return {
    nameservers,
    stub: nameservers.length > 0 && nameservers.every(isLoopback),
    upstream: words('resolved', 'nameserver').filter((address) => !isLoopback(address)),
    search: words('resolv', 'search'),
  };
}

function parseNetworkd(lines: readonly string[]): HostFacts['networkdFiles'] {
  const files: {path: string; match: Record<string, string>}[] = [];
  for (const line of lines) {
    const path = /^file\t(.*)$/.exec(line)?.[1];
    const [, key, value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (path !== undefined) files.push({path, match: {}});
    else if (key !== undefined) Object.assign(files.at(-1)?.match ?? {}, {[key]: value});
  }
  return files;
}

const isLoopback = (address: string) => address.startsWith('127.') || address === '::1';

/** User and password in a proxy's address are secrets, and no check needs them. */
function parseProxies(lines: readonly string[]): Readonly<Record<string, string>> {
  const matches = lines.map((line) => /^\s*(?:export\s+)?(\w+)=(.*)$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(
    matches.map((match) => [
      (match[1] as string).toLowerCase(),
      (match[2] as string)
        .trim()
        .replace(/^(["'])(.*)\1$/, '$2')
        .replace(/\/\/[^/@]*@/, '//'),
    ]),
  );
}
