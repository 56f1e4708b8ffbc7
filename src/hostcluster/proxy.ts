// The environment for hosts behind a proxy. NO_PROXY is made of networks, so that a new worker changes nothing for the others.
import {BlockList, isIP} from 'node:net';

export interface ProxySettings {
  readonly http?: string;
  readonly https?: string;
  readonly noProxy?: readonly string[];
}

export interface ProxyInput {
  readonly settings: ProxySettings | undefined;
  readonly endpoint: string;
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly dnsDomain: string;
  /** The networks that the nodes' addresses lie in, in CIDR form. */
  readonly nodeNetworks: readonly string[];
}

/** HTTP_PROXY and its kin; empty when there's no proxy. */
export function proxyEnvironment(input: ProxyInput): Readonly<Record<string, string>> {
  const {settings} = input;
  if (settings?.http === undefined && settings?.https === undefined) return {};
  const noProxy = [
    'localhost',
    '127.0.0.1',
    '::1',
    input.endpoint,
    '.svc',
    `.${input.dnsDomain}`,
    ...input.pods,
    ...input.services,
    // Not every program understands networks, and this address is the one that all of them ask.
    ...input.services.flatMap((cidr) => firstAddressOf(cidr) ?? []),
    ...[...input.nodeNetworks].toSorted(),
    ...(settings.noProxy ?? []),
  ];
  return {
    ...(settings.http === undefined ? {} : {HTTP_PROXY: settings.http}),
    ...(settings.https === undefined ? {} : {HTTPS_PROXY: settings.https}),
    NO_PROXY: [...new Set(noProxy)].join(','),
  };
}

/** The network of an address in CIDR form: `10.77.0.11/24` gives `10.77.0.0/24`; undefined for what isn't one. */
export function networkOf(cidr: string): string | undefined {
  const [address = '', length = ''] = cidr.split('/');
  const family = isIP(address);
  const bits = Number(length);
  if (family === 0 || !/^\d+$/.test(length) || bits > (family === 4 ? 32 : 128)) return undefined;
  const bytes = addressBytes(address);
  const masked = bytes.map((byte, index) => byte & (0xff << (8 - Math.min(8, Math.max(0, bits - index * 8)))) & 0xff);
  return `${addressText(masked)}/${bits}`;
}

/** True when the address lies in the network. */
export function isWithin(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  const family = isIP(address);
  if (family === 0 || isIP(network) !== family) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function firstAddressOf(cidr: string): string | undefined {
  const network = networkOf(cidr)?.split('/')[0];
  if (network === undefined) return undefined;
  const bytes = addressBytes(network);
  return addressText([...bytes.slice(0, -1), (bytes.at(-1) ?? 0) + 1]);
}

function addressBytes(address: string): number[] {
  if (isIP(address) === 4) return address.split('.').map(Number);
  const [head = '', tail] = address.split('::');
  const groupsOf = (text: string) => (text === '' ? [] : text.split(':'));
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const groups = [...front, ...Array.from({length: 8 - front.length - back.length}, () => '0'), ...back];
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({length: 8}, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16));
  return groups
    .join(':')
    .replace(/\b(?:0(?::|$)){2,}/, ':')
    .replace(/^:(?!:)/, '::')
    .replace(/(?<!:):$/, '::');
}
