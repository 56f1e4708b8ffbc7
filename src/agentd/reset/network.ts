// Interfaces and packet filter rules that Kubernetes and its network plugins leave behind. What was there before stays.
import {firewallTables, interfacesOf, type Baseline} from '../baseline.ts';
import {lastLine, type HostSystem} from '../host-system.ts';
import type {ResetLog} from './report.ts';

const deadline = 30_000;
/** What the usual plugins and kube-proxy call their interfaces. */
const ourInterface =
  /^(cni\d+|flannel(-v6)?\.\d+|kube-ipvs0|kube-bridge|nodelocaldns|vxlan(-v6)?\.calico|cali[0-9a-f]+|cilium_\w+|lxc[0-9a-f]+|lxc_health|veth[0-9a-f]+|antrea-\w+)$/;
/** Tables that are theirs as a whole. */
const ourTable = /^(ip|ip6|inet) (kube-proxy|kube-nftables|flannel-ipv[46]|cni_hostport|cni_plugins_masquerade|calico)$/;
/** Chains and rules of theirs in tables that are shared. */
const ourRule = /\b(KUBE-|CNI-|FLANNEL-|cali-|CILIUM_)|\bflanneld\b/;

export interface NetworkOptions {
  readonly baseline: Baseline | undefined;
  /** The endpoint's address, where this host could have been the one that served it. */
  readonly served: string | undefined;
}

/** Takes them away. */
export async function cleanNetwork(host: HostSystem, {baseline, served}: NetworkOptions, log: ResetLog): Promise<void> {
  if (served !== undefined) await log.attempt(`address ${served}`, () => removeAddress(host, served, log));
  const before = new Set(baseline?.interfaces);
  for (const name of await interfacesOf(host)) {
    if (before.has(name) || !ourInterface.test(name)) continue;
    await log.attempt(`interface ${name}`, async () => {
      const result = await host.run('ip', ['link', 'delete', 'dev', name], {deadline});
      // the other end of a pair that went first
      if (result.code !== 0 && (await interfacesOf(host)).includes(name)) throw new Error(lastLine(result));
      log.removed(`interface ${name}`);
    });
  }
  await log.attempt('firewall rules', () => cleanFirewall(host, baseline, log));
}

/** Another control plane has it by now: with two of them every connection would be a matter of luck. */
async function removeAddress(host: HostSystem, address: string, log: ResetLog): Promise<void> {
  const listed = await host.run('ip', ['-oneline', 'address', 'show'], {deadline});
  for (const {device, network} of placesOfAddress(listed.stdout, address)) {
    const result = await host.run('ip', ['address', 'delete', network, 'dev', device], {deadline});
    if (result.code !== 0) throw new Error(lastLine(result));
    log.removed(`address ${address} of ${device}`);
  }
}

/** Where an address is, by the lines of `ip -oneline address show`. */
export function placesOfAddress(listed: string, address: string): readonly {readonly device: string; readonly network: string}[] {
  return listed.split('\n').flatMap((line) => {
    const [, device, network = ''] = /^\d+: (\S+)\s+inet6? (\S+)/.exec(line) ?? [];
    return device !== undefined && network.split('/')[0] === address ? [{device, network}] : [];
  });
}

async function cleanFirewall(host: HostSystem, baseline: Baseline | undefined, log: ResetLog): Promise<void> {
  const before = new Set(baseline?.firewallTables);
  for (const table of await firewallTables(host)) if (ourTable.test(table) && !before.has(table)) await deleteTable(host, table, log);
  for (const program of ['iptables', 'ip6tables', 'iptables-legacy', 'ip6tables-legacy']) await cleanChains(host, program, log);
  // the shared tables that came with those chains, where nothing of anybody's is left in them
  for (const table of await firewallTables(host)) {
    if (before.has(table) || baseline === undefined || !/^(ip|ip6) (filter|nat|mangle|raw)$/.test(table)) continue;
    const listed = await host.run('nft', ['-j', 'list', 'table', ...table.split(' ')], {deadline});
    if (listed.code === 0 && !hasRules(listed.stdout)) await deleteTable(host, table, log);
  }
}

function hasRules(json: string): boolean {
  try {
    const {nftables} = JSON.parse(json) as {nftables: readonly Record<string, unknown>[]};
    return nftables.some((item) => 'rule' in item || 'set' in item || 'map' in item);
  } catch {
    return true;
  }
}

async function deleteTable(host: HostSystem, table: string, log: ResetLog): Promise<void> {
  const result = await host.run('nft', ['delete', 'table', ...table.split(' ')], {deadline});
  if (result.code !== 0) throw new Error(`table ${table}: ${lastLine(result)}`);
  log.removed(`firewall table ${table}`);
}

/** Of iptables, by whichever kernel interface it speaks. The legacy ones load modules when they're asked, so only where their tables exist. */
async function cleanChains(host: HostSystem, program: string, log: ResetLog): Promise<void> {
  if (program.endsWith('-legacy') && !(await host.exists(`/proc/net/${program.startsWith('ip6') ? 'ip6' : 'ip'}_tables_names`))) return;
  const saved = await host.run(`${program}-save`, [], {deadline}).catch(() => undefined);
  if (saved === undefined || saved.code !== 0) return;
  const cleaned = withoutOurRules(saved.stdout);
  if (cleaned === undefined) return;
  const restored = await host.run(`${program}-restore`, [], {deadline, stdin: cleaned});
  if (restored.code !== 0) throw new Error(`${program}: ${lastLine(restored)}`);
  log.removed(`chains and rules of ${program}`);
}

/** The tables that hold something of ours, without it, for `iptables-restore`; undefined when none does. */
export function withoutOurRules(saved: string): string | undefined {
  const tables: string[][] = [];
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) tables.push([line]);
    else if (line !== '' && !line.startsWith('#')) tables.at(-1)?.push(line);
  }
  const changed = tables.filter((lines) => lines.some((line) => ourRule.test(line)));
  if (changed.length === 0) return undefined;
  return `${changed.map((lines) => lines.filter((line) => !ourRule.test(line)).join('\n')).join('\n')}\n`;
}
