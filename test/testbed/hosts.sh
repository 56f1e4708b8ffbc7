#!/usr/bin/env bash
# Real Linux hosts on one machine: systemd-nspawn, each with its own systemd, sshd, network namespace and address. Needs root, and
# what setup.sh installs.
#   hosts.sh up N [--jump]       h1..hN; with --jump behind a bastion, the only way in
#   hosts.sh ssh I [COMMAND...]  as root           hosts.sh kill I   a power cut      hosts.sh boot I   power on again
#   hosts.sh cut I | mend I      the cable         hosts.sh path I   its root folder  hosts.sh down     leaves nothing
#   hosts.sh rate I RATE|off     what may come to it, as tc writes it: 100mbit
# I is a number or `bastion`. Host I is hI at 10.77.0.(10+I). Logins by the key $HOSTS/id: root, and ops, who may sudo with the password in
# $HOSTS/sudo-password. $HOSTS/ssh_config and $HOSTS/known_hosts hold names, jump and true host keys: `ssh -F $HOSTS/ssh_config h1`.
# TRIXIE='3 4' makes these hosts Debian 13; the others are Debian 12.
# BED=N (default 77) is a second bed beside the first, at 10.N.0.0/24 (and 10.(N+1).0.0/24 for the bastion's operator side).
set -euo pipefail; shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
BED=${BED:-77}; HOSTS=${HOSTS:-/var/tmp/trireme-hosts-$BED}
net=10.$BED.0; outer=10.$((BED + 1)).0; bridge=trireme$BED; operator=trireme${BED}op
packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,iproute2,iputils-ping,ca-certificates,curl,kmod,iptables,nftables,procps,conntrack,ethtool,socat,mount,util-linux,less,gpg,zstd
umask 022
case $BED in [1-9] | [1-8][0-9] | 9[0-4]) ;; *) echo "hosts.sh: BED=$BED: from 1 to 94, since 10.96.0.0/12 and 10.244.0.0/16 are the clusters' own networks" >&2; exit 2;; esac
fail() { echo "hosts.sh: $*" >&2; exit 1; }
# wait_for SECONDS COMMAND...: polls until COMMAND succeeds; fails at the deadline
wait_for() { local deadline=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $deadline ] || return 1; sleep 0.2; done; }

name_of() { case $1 in bastion | h[1-9]*) echo "$1";; [1-9]*) echo "h$1";; *) fail "no host $1";; esac; }
address_of() { case $1 in bastion) echo "$outer.2";; *) echo "$net.$((10 + ${1#h}))";; esac; }
space_of() { echo "$bridge-$1"; } # network namespace
cable_of() { echo "t$BED-$1"; }   # the host's end of the cable is host0
is_jump() { [ -e "$HOSTS/jump" ]; }
is_running() { local pid; pid=$(cat "$HOSTS/$1/supervisor" 2> /dev/null) && [ -d "/proc/$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q "run $1 "; }
members() { local c; for c in /sys/fs/cgroup/*/"$(space_of "$1")"; do [ ! -d "$c" ] || find "$c" -name cgroup.procs -exec cat {} + 2> /dev/null; done | sort -un; }
is_empty() { [ -z "$(members "$1")" ]; }

# The image: what a plain Debian server has, nothing of Kubernetes, no container runtime. The cache's name holds the recipe's digest.
image() { # SUITE
  local suite=$1 recipe tar root; recipe=$({ echo "$packages $suite"; declare -f image; } | sha256sum | cut -c1-12)
  tar=$TESTBED/host-$recipe.tar root=$TESTBED/host-$recipe
  exec 8> "$TESTBED/image.lock"; flock 8
  if [ ! -d "$root" ]; then
    [ -f "$tar" ] || { echo 'making the image of the hosts (once)' >&2
      mmdebstrap --format=tar --variant=minbase --include="$packages" \
        --customize-hook='chroot "$1" useradd -m -s /bin/bash -G sudo ops' \
        --customize-hook='chroot "$1" systemctl enable ssh' \
        --customize-hook='chroot "$1" systemctl mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer' \
        --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1/etc/hostname"; : > "$1/etc/machine-id"' \
        "$suite" "$tar.part" > "$TESTBED/image.log" 2>&1 || { tail -5 "$TESTBED/image.log" >&2; fail "can't make the image: see $TESTBED/image.log"; }
      mv "$tar.part" "$tar"; }
    rm -rf "$root.part"; mkdir "$root.part"; tar -xf "$tar" -C "$root.part" --xattrs --xattrs-include='*' --exclude='./dev/*'; mv "$root.part" "$root"
  fi
  exec 8>&-; echo "$root"
}

secrets() { # made at run time, 0600
  mkdir -p "$HOSTS"; chmod 700 "$HOSTS"
  [ -e "$HOSTS/id" ] || ssh-keygen -q -t ed25519 -N '' -C trireme-testbed -f "$HOSTS/id"
  [ -e "$HOSTS/sudo-password" ] || (umask 077; openssl rand -base64 15 | tr -d '\n' > "$HOSTS/sudo-password")
}

disk() { # NAME IMAGE: the host's own root folder. A plain copy: containerd's overlayfs can't lie on overlayfs, and `rm -rf /var/lib/containerd` must work
  local root=$HOSTS/$1/root hash home i
  [ ! -d "$root" ] || return 0
  mkdir -p "$HOSTS/$1"; rm -rf "$root.part"; cp -a "$2" "$root.part"
  hash=$(openssl passwd -6 -stdin < "$HOSTS/sudo-password")
  HASH=$hash awk -F: -v OFS=: '$1 == "ops" { $2 = ENVIRON["HASH"] } 1' "$2/etc/shadow" > "$root.part/etc/shadow"
  for home in root home/ops; do install -d -m 700 "$root.part/$home/.ssh"; install -m 600 "$HOSTS/id.pub" "$root.part/$home/.ssh/authorized_keys"; done
  chown -R "$(stat -c %u:%g "$2/home/ops")" "$root.part/home/ops"
  echo "$1" > "$root.part/etc/hostname"; tr -d - < /proc/sys/kernel/random/uuid > "$root.part/etc/machine-id"
  # nobody answers there: names that aren't in /etc/hosts fail, in a second at most
  printf '%s\n' "nameserver $net.1" 'options timeout:1 attempts:1' > "$root.part/etc/resolv.conf"
  { echo '127.0.0.1 localhost'; [ "$1" != bastion ] || echo "$net.1 bastion"; for i in $(seq 19); do echo "$(address_of "h$i") h$i"; done; } > "$root.part/etc/hosts"
  ssh-keygen -A -f "$root.part" > /dev/null
  # what the bed needs and a server doesn't: writable cgroup v1 controllers, shared mounts
  cat > "$root.part/etc/systemd/system/testbed.service" << 'U'
[Unit]
Before=ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'for c in /sys/fs/cgroup/*; do mountpoint -q "$c" && mount -o remount,bind,rw "$c"; done; mount --make-rshared /'
[Install]
WantedBy=multi-user.target
U
  ln -s ../testbed.service "$root.part/etc/systemd/system/multi-user.target.wants/testbed.service"
  mv "$root.part" "$root"
}

ssh_files() { # the true host keys, read from the roots
  local n key names
  : > "$HOSTS/known_hosts.part"; : > "$HOSTS/ssh_config.part"
  for n in $(all); do
    names=$(address_of "$n"),$n
    for key in "$HOSTS/$n"/root/etc/ssh/ssh_host_*_key.pub; do echo "$names $(cut -d' ' -f1,2 "$key")" >> "$HOSTS/known_hosts.part"; done
    { echo "Host $n"; echo "  HostName $(address_of "$n")"; if is_jump && [ "$n" != bastion ]; then echo '  ProxyJump bastion'; fi; echo; } >> "$HOSTS/ssh_config.part"
  done
  printf '%s\n' 'Host *' '  User ops' "  IdentityFile $HOSTS/id" '  IdentitiesOnly yes' "  UserKnownHostsFile $HOSTS/known_hosts" '  GlobalKnownHostsFile /dev/null' \
    '  StrictHostKeyChecking yes' '  ConnectTimeout 5' >> "$HOSTS/ssh_config.part"
  mv "$HOSTS/known_hosts.part" "$HOSTS/known_hosts"; mv "$HOSTS/ssh_config.part" "$HOSTS/ssh_config"
}
all() { local d; for d in "$HOSTS"/bastion "$HOSTS"/h[1-9]*; do [ ! -d "$d" ] || basename "$d"; done; }

# Without --jump the bridge lies in the operator's own namespace, at 10.77.0.1. With it the bridge lies in the bastion's, and the operator has
# one cable to the bastion and an `unreachable` route to the hosts, so that nothing meant for them leaves by the default route.
in_switch() { if is_jump; then ip netns exec "$(space_of bastion)" "$@"; else "$@"; fi; }
switch_up() {
  if is_jump; then
    ip netns add "$(space_of bastion)" 2> /dev/null || true
    ip link show "$operator" > /dev/null 2>&1 || {
      ip link add "$operator" type veth peer name host0 netns "$(space_of bastion)"; ip addr add "$outer.1/24" dev "$operator"; ip link set "$operator" up
      in_switch ip link set lo up; in_switch ip addr add "$outer.2/24" dev host0; in_switch ip link set host0 up; in_switch ip route add default via "$outer.1"
      echo 0 > "/proc/sys/net/ipv4/conf/$operator/forwarding"
    }
    in_switch sysctl -qw net.ipv4.ip_forward=0
    ip route replace unreachable "$net.0/24"
  fi
  in_switch ip link show "$bridge" > /dev/null 2>&1 || {
    in_switch ip link add "$bridge" type bridge; in_switch ip addr add "$net.1/24" dev "$bridge"; in_switch ip link set "$bridge" up
    in_switch sysctl -qw "net.ipv4.conf.$bridge.forwarding=0" # whatever the machine forwards, nothing of the hosts' leaves it
  }
}
plug() { # NAME: a new network namespace and cable: after a power cut nothing of the old is left. The bastion keeps its own: the switch is in it
  local space; space=$(space_of "$1")
  if [ "$1" = bastion ]; then ip -n "$space" link set host0 up; ip -n "$space" route replace default via "$outer.1"; return 0; fi
  unplug "$1"
  ip netns add "$space"
  ip link add "$(cable_of "$1")" type veth peer name host0 netns "$space"
  if is_jump; then ip link set "$(cable_of "$1")" netns "$(space_of bastion)"; fi
  in_switch ip link set "$(cable_of "$1")" master "$bridge" up
  ip -n "$space" link set lo up; ip -n "$space" addr add "$(address_of "$1")/24" dev host0; ip -n "$space" link set host0 up; ip -n "$space" route add default via "$net.1"
  ip netns exec "$space" sysctl -qw net.ipv4.ip_forward=0
}
unplug() {
  if [ "$1" = bastion ]; then ip -n "$(space_of bastion)" link set host0 down; return 0; fi
  # the kernel takes a namespace apart when it has time, and the cable's other end would be in the way of the next one
  in_switch ip link del "$(cable_of "$1")" 2> /dev/null || true; ip netns del "$(space_of "$1")" 2> /dev/null || true
}
switch_down() {
  if is_jump; then ip netns del "$(space_of bastion)" 2> /dev/null || true; ip link del "$operator" 2> /dev/null || true; ip route del unreachable "$net.0/24" 2> /dev/null || true
  else ip link del "$bridge" 2> /dev/null || true; fi
}

# Each host is in a cgroup of its own in every hierarchy, which its cgroup namespace takes for the root: else all kubelets would share
# /kubepods, and each would end the others' pods as orphans.
enter_cgroup() {
  local c group
  for c in /sys/fs/cgroup/*/; do
    group=$c$(space_of "$1"); mkdir -p "$group"
    [ ! -e "$group/cpuset.cpus" ] || { cat "${c}cpuset.cpus" > "$group/cpuset.cpus"; cat "${c}cpuset.mems" > "$group/cpuset.mems"; echo 1 > "$group/cgroup.clone_children"; }
    echo "$BASHPID" > "$group/cgroup.procs"
  done
}
leave_cgroup() { # after a host's end: only empty groups are left
  local c
  for c in /sys/fs/cgroup/*/"$(space_of "$1")"; do [ ! -d "$c" ] || find "$c" -depth -type d -exec rmdir {} + 2> /dev/null || true; done
}

# The host's own mains: one boot after another while the host asks for a reboot (nspawn then exits with 133)
run() {
  local name=$1 code words=()
  # Debian 13's systemd runs with cgroup v1 only when it's told to, and in a container its own arguments are what it takes for the kernel's
  if [ -e "$HOSTS/$name/suite" ]; then words=(systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1); fi
  while true; do
    plug "$name"
    code=0
    ( enter_cgroup "$name"
      echo "$BASHPID" > "$HOSTS/$name/pid"
      SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes exec systemd-nspawn -q --keep-unit --register=no --boot -D "$HOSTS/$name/root" --machine="$name" --link-journal=no \
        --resolv-conf=off --timezone=off --network-namespace-path="/run/netns/$(space_of "$name")" \
        --capability=all --system-call-filter='@keyring bpf @privileged @module' --bind=/dev/kmsg "${words[@]}" ) || code=$?
    wait_for 10 is_empty "$name" || kill -KILL $(members "$name") 2> /dev/null || true
    leave_cgroup "$name"
    [ "$code" = 133 ] || break
  done
}
boot() {
  is_running "$1" && return 0
  [ -d "$HOSTS/$1/root" ] || fail "there's no host $1: hosts.sh up N"
  HOSTS=$HOSTS BED=$BED TESTBED=$TESTBED setsid "$here/hosts.sh" run "$1" "$HOSTS" > "$HOSTS/$1/console.log" 2>&1 < /dev/null &
  echo $! > "$HOSTS/$1/supervisor"
}
answers() { ssh -F "$HOSTS/ssh_config" -o BatchMode=yes -o ConnectTimeout=2 -o LogLevel=QUIET "root@$1" true 2> /dev/null; }
booted() {
  wait_for 180 answers "$1" || { tail -n 20 "$HOSTS/$1/console.log" >&2; fail "$1 doesn't answer over SSH after 180 s: see $HOSTS/$1/console.log"; }
  echo "$1 is up at $(address_of "$1")"
}
kill_host() { # the supervisor first, else it would take the end for a reboot
  local pid
  if is_running "$1"; then pid=$(cat "$HOSTS/$1/supervisor"); kill -KILL "$pid" 2> /dev/null || true; fi
  wait_for 20 eval 'kill -KILL $(members "'"$1"'") 2> /dev/null; is_empty "'"$1"'"' || fail "processes of $1 don't end: $(members "$1" | tr '\n' ' ')"
  leave_cgroup "$1"
  unplug "$1"
}

verb=${1:-help}; shift || true
case $verb in
  up)
    [ "$(id -u)" = 0 ] || { echo 'hosts.sh: needs root' >&2; exit 3; }
    command -v mmdebstrap > /dev/null && command -v systemd-nspawn > /dev/null || { echo 'hosts.sh: mmdebstrap or systemd-nspawn is missing. Try: test/testbed/setup.sh' >&2; exit 3; }
    case "${1:-}" in [1-9] | 1[0-9]) ;; *) fail 'up wants a number of hosts, 1 to 19';; esac
    # all hosts share this computer's limits: a kubelet takes dozens of inotify instances, and the usual 128 are gone with three of them
    for limit in max_user_instances=8192 max_user_watches=1048576; do
      [ "$(sysctl -n "fs.inotify.${limit%=*}")" -ge "${limit#*=}" ] || sysctl -q -w "fs.inotify.$limit"
    done
    [ -z "$(all)" ] || is_jump || [ "${2:-}" != --jump ] || fail "the bed at $HOSTS is up without --jump: hosts.sh down first"
    mkdir -p "$TESTBED"; root=$(image bookworm); secrets
    names=$(seq -f h%g "$1"); if [ "${2:-}" = --jump ]; then touch "$HOSTS/jump"; names="bastion $names"; fi
    for n in $names; do
      case " ${TRIXIE:-} " in *" ${n#h} "*) disk "$n" "$(image trixie)"; echo trixie > "$HOSTS/$n/suite";; *) disk "$n" "$root";; esac
    done
    ssh_files; switch_up
    for n in $names; do boot "$n"; done
    for n in $names; do booted "$n"; done;;
  boot) n=$(name_of "${1:-}"); boot "$n"; booted "$n";;
  kill) kill_host "$(name_of "${1:-}")";;
  run) run "$1";;
  cut) in_switch ip link set "$(cable_of "$(name_of "${1:-}")")" down;;
  mend) in_switch ip link set "$(cable_of "$(name_of "${1:-}")")" up;;
  rate)
    cable=$(cable_of "$(name_of "${1:-}")")
    case "${2:-}" in
      off) in_switch tc qdisc del dev "$cable" root;;
      [1-9]*bit) in_switch tc qdisc replace dev "$cable" root tbf rate "$2" burst 256kb latency 400ms;;
      *) fail 'rate wants a rate such as 100mbit, or off';;
    esac;;
  path) n=$(name_of "${1:-}"); [ -d "$HOSTS/$n/root" ] || fail "there's no host $n"; echo "$HOSTS/$n/root";;
  ssh) n=$(name_of "${1:-}"); shift; exec ssh -F "$HOSTS/ssh_config" -o LogLevel=ERROR "root@$n" "$@";;
  down)
    for n in $(all); do kill_host "$n"; done
    switch_down
    # only what lies on this bed's own file system: a mount that is left must never be emptied
    if [ -d "$HOSTS" ]; then
      grep -q " $HOSTS/" /proc/self/mountinfo && fail "something is still mounted under $HOSTS"
      rm -rf --one-file-system "$HOSTS"
    fi;;
  *) sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ "$verb" = help ] || exit 2;;
esac
