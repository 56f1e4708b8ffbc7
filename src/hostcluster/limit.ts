// Which hosts a run is about: `--limit NAME`, `--limit role=worker`, `--limit zone=a`.
import {TriremeError} from '../kernel/errors.ts';
import type {AgentHost} from '../spec/schema.ts';

/** The names of the hosts that any of the limits names; all of them without limits. Throws `host.not-found`. */
export function limitedHosts(hosts: readonly AgentHost[], limits: readonly string[] | undefined): ReadonlySet<string> {
  if (limits === undefined || limits.length === 0) return new Set(hosts.map((host) => host.name));
  return new Set(
    limits.flatMap((limit) => {
      const found = hosts.filter((host) => isNamed(host, limit));
      if (found.length === 0) throw new TriremeError('host.not-found', `No host of the file is named or labelled ${limit}.`, {hints: [`Its hosts: ${hosts.map((host) => host.name).join(', ')}`]});
      return found.map((host) => host.name);
    }),
  );
}

function isNamed(host: AgentHost, limit: string): boolean {
  const [key = '', value] = limit.split('=', 2);
  if (value === undefined) return host.name === limit;
  if (key === 'role' && host.role === value) return true;
  return (key === 'site' && host.site === value) || host.labels?.[key] === value;
}
