// What the kernel offers: modules, parameters, and the files that set parameters.
import {shellWord} from './quote.ts';

/** Modules that Kubernetes and the usual CNIs need or may need, with the kernel option that builds them in. */
export const knownModules: Readonly<Record<string, string>> = {
  overlay: 'OVERLAY_FS',
  br_netfilter: 'BRIDGE_NETFILTER',
  nf_conntrack: 'NF_CONNTRACK',
  nf_nat: 'NF_NAT',
  nf_tables: 'NF_TABLES',
  ip_tables: 'IP_NF_IPTABLES',
  xt_comment: 'NETFILTER_XT_MATCH_COMMENT',
  vxlan: 'VXLAN',
  ip_vs: 'IP_VS',
  ipip: 'NET_IPIP',
  wireguard: 'WIREGUARD',
  veth: 'VETH',
  iscsi_tcp: 'ISCSI_TCP',
};

/** Parameters that are always read. */
export const knownSysctls = [
  'net.ipv4.ip_forward',
  'net.ipv6.conf.all.forwarding',
  'net.ipv6.conf.all.disable_ipv6',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.conf.default.rp_filter',
  'net.ipv4.ip_local_port_range',
  'net.netfilter.nf_conntrack_max',
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'vm.max_map_count',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.root_maxkeys',
  'kernel.keys.root_maxbytes',
  'kernel.pid_max',
  'kernel.unprivileged_bpf_disabled',
  'kernel.yama.ptrace_scope',
  'fs.inotify.max_user_watches',
  'fs.inotify.max_user_instances',
  'fs.file-max',
  'net.core.bpf_jit_harden',
  'user.max_user_namespaces',
] as const;

const modules = String.raw`
section modules
line disabled "$P/proc/sys/kernel/modules_disabled"
if [ -r "$P/proc/modules" ]; then while read -r name _; do printf 'loaded\t%s\n' "$name"; done <"$P/proc/modules"; fi
for name in NAMES; do if [ -d "$P/sys/module/$name" ]; then printf 'loaded\t%s\n' "$name"; fi; done
release=$(uname -r)
for folder in "$R/lib/modules/$release" "$R/usr/lib/modules/$release"; do
  if [ -r "$folder/modules.dep" ]; then
    grep -h -o -E '/(FILES)\.ko' "$folder/modules.builtin" "$folder/modules.dep"
    break
  fi
done
# a kernel without modules says in its configuration what it has
if [ -r "$R/boot/config-$release" ]; then grep -E '^CONFIG_(OPTIONS)=y' "$R/boot/config-$release"
elif [ -r "$P/proc/config.gz" ]; then zcat "$P/proc/config.gz" | grep -E '^CONFIG_(OPTIONS)=y'; fi
`
  .replace('NAMES', Object.keys(knownModules).join(' '))
  // a module's file may be written with dashes
  .replace(
    'FILES',
    Object.keys(knownModules)
      .map((name) => name.replaceAll('_', '[_-]'))
      .join('|'),
  )
  .replaceAll('OPTIONS', Object.values(knownModules).join('|'));

/** The file below /proc/sys of a dotted name; in a name that begins with a slash-separated part, dots belong to the name (sysctl.d(5)). */
function sysctlPath(key: string): string {
  return /^[^./]*\//.test(key) ? key : key.replaceAll(/[./]/g, (sign) => (sign === '.' ? '/' : '.'));
}

/** The piece that reads kernel parameters, those named by the file too. */
export function kernelPiece(sysctls: readonly string[]): string {
  const keys = [...new Set([...knownSysctls, ...sysctls])].filter((key) => /^[\w./-]+$/.test(key) && !key.includes('..'));
  const files = keys.map((key) => `"$P/proc/sys/"${shellWord(sysctlPath(key))}`);
  // grep, because the kernel answers only the first read of such a file, and dash reads by single bytes
  return `${modules}
section sysctls
grep -H '' /dev/null ${files.join(' ')}
section sysctl-files
grep -H -E '^[[:space:]]*-?[A-Za-z0-9_./*-]+[[:space:]]*=' /dev/null "$R"/usr/lib/sysctl.d/*.conf "$R"/usr/local/lib/sysctl.d/*.conf "$R"/run/sysctl.d/*.conf "$R"/etc/sysctl.d/*.conf "$R/etc/sysctl.conf"
`;
}
