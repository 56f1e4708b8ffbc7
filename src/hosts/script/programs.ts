// Tools and the guards around programs: SELinux and AppArmor.
import {shellWords} from './quote.ts';

/** Programs that are looked for. */
export const knownTools = [
  'sh',
  'bash',
  'mount',
  'umount',
  'losetup',
  'cp',
  'tar',
  'gzip',
  'nsenter',
  'modprobe',
  'sysctl',
  'systemctl',
  'journalctl',
  'ip',
  'iptables',
  'nft',
  'conntrack',
  'ethtool',
  'tc',
  'socat',
  'ss',
  'swapoff',
  'timeout',
  'getent',
  'ping',
  'nc',
  'python3',
  'curl',
  'jq',
  'sudo',
  'docker',
  'containerd',
  'kubelet',
  'kubeadm',
  'crictl',
  'ufw',
  'firewall-cmd',
  'apt-get',
  'dnf',
  'yum',
  'zypper',
] as const;

export const programsPiece = String.raw`
section tools
for tool in TOOLS; do
  for folder in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin /run/current-system/sw/bin; do
    if [ -f "$R$folder/$tool" ] && [ -x "$R$folder/$tool" ]; then printf '%s\t%s\n' "$tool" "$folder/$tool"; break; fi
  done
done
section security
line selinux "$P/sys/fs/selinux/enforce"
for path in "$R/var/lib/selinux/targeted/active/modules/200/container" "$R/usr/share/selinux/packages/container.pp.bz2" "$R/usr/share/selinux/packages/container.pp"; do
  if [ -e "$path" ]; then printf 'container-policy\tyes\n'; break; fi
done
line apparmor "$P/sys/module/apparmor/parameters/enabled"
if [ -r "$P/sys/kernel/security/apparmor/profiles" ]; then
  while read -r profile mode; do
    case "$profile" in *containerd*|*runc*|*kubelet*|*kubeadm*) printf 'profile\t%s %s\n' "$profile" "$mode";; esac
  done <"$P/sys/kernel/security/apparmor/profiles"
fi
`.replace('TOOLS', shellWords(knownTools));
