// Interfaces, routes, listeners, names, firewall.
import {shellWord} from './quote.ts';

/** The piece about the network; `endpoint` is looked up on the host. */
export function networkPiece(endpoint: string | undefined): string {
  return String.raw`
section links
for folder in "$P"/sys/class/net/*; do
  mac=; mtu=; state=; kind=virtual
  if [ -r "$folder/mtu" ]; then
    IFS= read -r mac <"$folder/address"; IFS= read -r mtu <"$folder/mtu"; IFS= read -r state <"$folder/operstate"
    if [ -e "$folder/device" ]; then kind=physical; fi
    printf '%s\t%s\t%s\t%s\t%s\n' "$folder" "$mac" "$mtu" "$state" "$kind"
  fi
done
for device in "$P"/sys/bus/pci/drivers/vmxnet3/0000*; do if [ -e "$device" ]; then printf 'driver\tvmxnet3\n'; break; fi; done
section link-list
if [ -z "$R" ] && has ip; then ip -o link show; fi
section addresses
if [ -z "$R" ] && has ip; then ip -o addr show; fi
section routes
show "$P/proc/net/route"
section routes6
show "$P/proc/net/ipv6_route"
section listening
if [ -n "$R" ]; then :
elif has ss; then printf 'ss\n'; ss -H -l -n -t -u -p
else for file in tcp tcp6 udp udp6; do if [ -r "/proc/net/$file" ]; then printf 'proc %s\n' "$file"; cat "/proc/net/$file"; fi; done; fi
section resolv
show "$R/etc/resolv.conf"
section resolved
show "$R/run/systemd/resolve/resolv.conf"
section networkd
for file in "$R"/etc/systemd/network/*.network "$R"/run/systemd/network/*.network; do
  if [ -r "$file" ]; then printf 'file\t%s\n' "${'${file#"$R"}'}"; awk '/^[ \t]*\[/ { match_section = ($0 ~ /\[Match\]/); next } match_section && /=/' "$file"; fi
done
section names
name=; IFS= read -r name <"$P/proc/sys/kernel/hostname"
if [ -z "$R" ] && has getent; then
  printf 'getent\tyes\n'
  if [ -n "$name" ]; then limit 2 getent hosts "$name" | while read -r address _; do printf 'hostname\t%s\n' "$address"; done; fi
  ENDPOINT
fi
section proxy
grep -h -i -E '^[[:space:]]*(export[[:space:]]+)?(http|https|no|all)_proxy=' "$R/etc/environment" "$R"/etc/profile.d/*.sh
section firewall
if [ -r "$R/etc/ufw/ufw.conf" ]; then while read -r word; do case "$word" in ENABLED=yes*) printf 'ufw\tyes\n';; esac; done <"$R/etc/ufw/ufw.conf"; fi
if [ -z "$R" ] && has nft; then printf 'nft\tyes\n'; nft -nn list ruleset | awk '
  $1 == "table" { table = $2 " " $3 }
  $1 == "chain" { chain = $2; base = 0 }
  /type filter hook input/ { base = 1; policy = "accept"; if (match($0, /policy [a-z]+/)) policy = substr($0, RSTART + 7, RLENGTH - 7); rules = 0; drops = 0; next }
  base && $1 == "}" { printf "chain\t%s %s\t%s\t%d\t%d\n", table, chain, policy, rules, drops; base = 0 }
  base { rules++; if ($0 ~ /(drop|reject)( with .*)?$/ || $0 ~ /(drop|reject) comment/) drops++ }'; fi
if [ -z "$R" ] && [ -s /proc/net/ip_tables_names ] && has iptables-legacy; then iptables-legacy -S INPUT | while read -r rule; do printf 'legacy\t%s\n' "$rule"; done; fi
`.replace(
    'ENDPOINT',
    endpoint === undefined ? ':' : `limit 3 getent ahosts ${shellWord(endpoint)} | while read -r address _; do printf 'endpoint\\t%s\\n' "$address"; done`,
  );
}
