// Interfaces and packet filter rules that Kubernetes and its network plugins leave behind. What was there before stays.
import {firewallTables, interfacesOf, outputOf, type Baseline} from '../baseline.ts';
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

/** Takes them away. */
export async function cleanNetwork(host: HostSystem, baseline: Baseline | undefined, log: ResetLog): Promise<void> {
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
  const tables = baseline?.firewallTables ?? null;
  await log.attempt('firewall tables', async () => {
    for (const table of await firewallTables(host)) if (ourTable.test(table) && !tables?.includes(table)) await deleteTable(host, table, log);
  });
  for (const program of ['iptables', 'ip6tables', 'iptables-legacy', 'ip6tables-legacy'])
    await log.attempt(`chains and rules of ${program}`, () => cleanChains(host, program, log));
  await log.attempt('empty firewall tables', () => cleanSharedTables(host, tables, log));
}

/** The shared tables that came with those chains, where nothing of anybody's is left in them. */
async function cleanSharedTables(host: HostSystem, before: readonly string[] | null, log: ResetLog): Promise<void> {
  if (before === null) return;
  for (const table of await firewallTables(host)) {
    if (before.includes(table) || !/^(ip|ip6) (filter|nat|mangle|raw)$/.test(table)) continue;
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
  const saved = await outputOf(host, `${program}-save`, []);
  const cleaned = withoutOurRules(saved ?? '');
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
