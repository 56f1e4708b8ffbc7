// Which proxy an address is fetched through, by the environment variables that curl and Go programs read.
import {BlockList, isIP} from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy for `url`, or undefined for a direct connection. Loopback addresses are always direct. */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  // HTTP_PROXY in capitals is what a CGI server would set from a header; curl ignores it, Go doesn't outside CGI
  const value = url.protocol === 'https:' ? (env['https_proxy'] ?? env['HTTPS_PROXY']) : (env['http_proxy'] ?? env['HTTP_PROXY']);
  const chosen = value || env['all_proxy'] || env['ALL_PROXY'];
  if (!chosen) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (isLoopback(host) || isExempt(host, port, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined;
  return new URL(chosen.includes('://') ? chosen : `http://${chosen}`);
}

/** True for this computer's own names and addresses. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isExempt(host: string, port: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      if (entry.includes('/')) return isInNetwork(host, entry);
      const [name = '', entryPort] = isIP(entry) === 6 ? [entry] : entry.split(':');
      if (entryPort !== undefined && entryPort !== port) return false;
      const bare = name.replace(/^\*?\./, '');
      return host === bare || host.endsWith(`.${bare}`);
    });
}

function isInNetwork(host: string, cidr: string): boolean {
  const [network = '', prefix = ''] = cidr.split('/');
  const family = isIP(host);
  if (family === 0 || isIP(network) !== family || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const block = new BlockList();
  block.addSubnet(network, Number(prefix), type);
  return block.check(host, type);
}
