// Who the host is: operating system, kernel, init, names, processors, memory, cgroups, clock services.

/** Units whose state is worth knowing. */
const units = [
  'trireme-agent',
  'docker',
  'containerd',
  'crio',
  'cri-docker',
  'podman',
  'kubelet',
  'k3s',
  'k3s-agent',
  'rke2-server',
  'rke2-agent',
  'k0scontroller',
  'k0sworker',
  'snap.microk8s.daemon-kubelite',
  'snap.k8s.kubelet',
  'ufw',
  'firewalld',
  'nftables',
  'iptables',
  'systemd-timesyncd',
  'chrony',
  'chronyd',
  'ntp',
  'ntpd',
  'ntpsec',
  'systemd-resolved',
  'systemd-networkd',
  'NetworkManager',
  'apparmor',
  'auditd',
  'fapolicyd',
  'haproxy',
  'keepalived',
  'etcd',
];

export const systemPiece = String.raw`
section os
if [ -r "$R/etc/os-release" ]; then cat "$R/etc/os-release"; else show "$R/usr/lib/os-release"; fi
section system
printf 'uname\t%s\n' "$(uname -r -m)"
printf 'uid\t%s\n' "$(id -u)"
printf 'user\t%s\n' "$SUDO_USER"
line init "$P/proc/1/comm"
if [ -d "$R/run/systemd/system" ]; then printf 'systemd\t%s\n' "$(systemctl --version)"; fi
if [ -r /run/systemd/container ] && [ -z "$R" ]; then line virtualization /run/systemd/container
elif has systemd-detect-virt; then printf 'virtualization\t%s\n' "$(systemd-detect-virt)"; fi
line hostname "$P/proc/sys/kernel/hostname"
line machine-id "$R/etc/machine-id"
line boot-id "$P/proc/sys/kernel/random/boot_id"
line cpus "$P/sys/devices/system/cpu/online"
if has nproc; then printf 'nproc\t%s\n' "$(nproc)"; fi
section memory
show "$P/proc/meminfo"
section swaps
show "$P/proc/swaps"
section cgroup
if [ -e "$P/sys/fs/cgroup/cgroup.controllers" ]; then printf 'version\t2\n'; line controllers "$P/sys/fs/cgroup/cgroup.controllers"
else printf 'version\t1\n'; while read -r name _ _ on; do [ "$on" = 1 ] && printf 'v1\t%s\n' "$name"; done <"$P/proc/cgroups"; fi
section services
if [ -z "$R" ] && has systemctl; then limit 10 systemctl show --property=Id,LoadState,ActiveState UNITS; fi
section time
if [ -e "$R/run/systemd/timesync/synchronized" ]; then printf 'synchronized\tyes\n'
elif [ -z "$R" ] && has chronyc; then printf 'chrony\t%s\n' "$(limit 2 chronyc -n -c tracking)"
elif [ -z "$R" ] && has timedatectl && [ -d /run/systemd/system ]; then printf 'synchronized\t%s\n' "$(limit 3 timedatectl show --property=NTPSynchronized --value)"; fi
`.replace('UNITS', units.map((unit) => `${unit}.service`).join(' '));
