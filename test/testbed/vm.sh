#!/usr/bin/env bash
# A whole Debian 13 machine in QEMU: its own kernel, cgroup v2, no override needed. Needs root once, to make the disk.
#   vm.sh up DIR [--memory MIB]     2 CPUs, 4096 MiB      vm.sh ssh DIR [COMMAND...]  as root
#   vm.sh kill DIR                  a power cut           vm.sh boot DIR              power on again      vm.sh down DIR    leaves nothing
# DIR holds id, known_hosts, ssh_config (host `vm`), sudo-password, port (SSH on 127.0.0.1), console.log. The machine reaches nothing outside:
# its only link is the forwarded port. A machine that nobody takes down ends by itself after $LIFETIME (3h).
set -euo pipefail; shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
packages=systemd,systemd-sysv,dbus,libpam-systemd,udev,openssh-server,sudo,iproute2,iputils-ping,ca-certificates,curl,kmod,iptables,nftables,procps,conntrack,ethtool,socat,mount,util-linux,e2fsprogs,less,gpg,zstd,openssl,initramfs-tools,linux-image-cloud-amd64
umask 022
fail() { echo "vm.sh: $*" >&2; exit 1; }
wait_for() { local deadline=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $deadline ] || return 1; sleep 0.5; done; }

customise() { # ROOT: what a server of this kind has, and the seed: a second disk, a tar, with the keys that were made for this one machine
  local root=$1
  chroot "$root" useradd -m -s /bin/bash -G sudo ops
  chroot "$root" systemctl -q enable ssh systemd-networkd
  chroot "$root" systemctl -q mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
  rm -f "$root"/etc/ssh/ssh_host_*; : > "$root/etc/machine-id"; echo vm > "$root/etc/hostname"
  echo '/dev/vda / ext4 defaults 0 1' > "$root/etc/fstab"
  printf '%s\n' '127.0.0.1 localhost' '10.0.2.15 vm' > "$root/etc/hosts"
  printf '%s\n' 'nameserver 10.0.2.3' 'options timeout:1 attempts:1' > "$root/etc/resolv.conf"
  printf '%s\n' '[Match]' 'Type=ether' 'Kind=!*' '[Network]' 'Address=10.0.2.15/24' 'Gateway=10.0.2.2' > "$root/etc/systemd/network/testbed.network"
  cat > "$root/etc/systemd/system/testbed-seed.service" << 'U'
[Unit]
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
DefaultDependencies=no
Requires=dev-vdb.device
After=dev-vdb.device systemd-remount-fs.service
Before=sysinit.target ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'tar -xf /dev/vdb -C / --no-overwrite-dir; chpasswd -e < /root/ops; rm /root/ops; chown -R ops:ops /home/ops/.ssh'
[Install]
WantedBy=sysinit.target
U
  chroot "$root" systemctl -q enable testbed-seed
}

base() { # prints the folder of the base disk, its kernel and initrd; made once
  local recipe folder root
  recipe=$({ echo "$packages"; declare -f customise base; } | sha256sum | cut -c1-12); folder=$TESTBED/vm-$recipe
  mkdir -p "$TESTBED"; exec 8> "$TESTBED/vm.lock"; flock 8
  if [ ! -d "$folder" ]; then
    echo 'making the disk of the virtual machine (once)' >&2
    rm -rf "$folder.part"; mkdir -p "$folder.part"; root=$folder.part/root
    # a short list of modules makes a small initrd, which counts where every instruction is translated
    # shellcheck disable=SC2016
    mmdebstrap --format=directory --variant=minbase --include="$packages" --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
      --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"; echo MODULES=list > "$1/etc/initramfs-tools/conf.d/testbed"; printf "%s\n" virtio_pci virtio_blk ext4 > "$1/usr/share/initramfs-tools/modules.d/testbed"' \
      trixie "$root" > "$TESTBED/vm.log" 2>&1 || { tail -n 5 "$TESTBED/vm.log" >&2; fail "can't make the disk: see $TESTBED/vm.log"; }
    customise "$root"
    cp "$root"/boot/vmlinuz-* "$folder.part/vmlinuz"; cp "$root"/boot/initrd.img-* "$folder.part/initrd"
    truncate -s 20G "$folder.part/disk.raw"; mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$folder.part/disk.raw"
    qemu-img convert -O qcow2 "$folder.part/disk.raw" "$folder.part/disk.qcow2"
    rm -rf --one-file-system "$root" "$folder.part/disk.raw"; mv "$folder.part" "$folder"
  fi
  exec 8>&-; echo "$folder"
}

seed() { # the tar of the second disk, made of files only
  local tree=$DIR/seed.d
  (umask 077
    [ -e "$DIR/id" ] || ssh-keygen -q -t ed25519 -N '' -C trireme-testbed -f "$DIR/id"
    [ -e "$DIR/sudo-password" ] || openssl rand -base64 15 | tr -d '\n' > "$DIR/sudo-password"
    mkdir -p "$tree"/etc/ssh "$tree"/root/.ssh "$tree"/home/ops/.ssh
    ssh-keygen -A -f "$tree" > /dev/null
    cp "$DIR/id.pub" "$tree/root/.ssh/authorized_keys"; cp "$DIR/id.pub" "$tree/home/ops/.ssh/authorized_keys"
    { printf ops:; openssl passwd -6 -stdin < "$DIR/sudo-password"; } > "$tree/root/ops"
    tar -C "$tree" --owner=0 --group=0 -cf "$DIR/seed" etc/ssh $(cd "$tree" && find root home -type f) root/.ssh home/ops/.ssh)
  local port=$1 key
  for key in "$tree"/etc/ssh/ssh_host_*_key.pub; do echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$key")"; done > "$DIR/known_hosts"
  rm -rf "$tree"
  printf '%s\n' 'Host vm' '  HostName 127.0.0.1' "  Port $port" '  User ops' "  IdentityFile $DIR/id" '  IdentitiesOnly yes' "  UserKnownHostsFile $DIR/known_hosts" \
    '  GlobalKnownHostsFile /dev/null' '  StrictHostKeyChecking yes' '  ConnectTimeout 10' > "$DIR/ssh_config"
  echo "$port" > "$DIR/port"
}

is_running() { local pid; pid=$(cat "$DIR/pid" 2> /dev/null) && [ -d "/proc/$pid" ] && tr '\0' ' ' < "/proc/$pid/cmdline" | grep -q -- "-name trireme.*$DIR/disk"; }
# /dev/kvm may be there and not work, so it's used only when asked for: ACCEL=kvm. Without AVX programs choose code that's quicker to translate:
# a copy over SSH takes 40% less, the rest 5 to 10%. A control plane's programs fill 2 GiB of translated code, QEMU's most: with less, all is thrown
# away and translated anew over and over. Without fine timers (highres, nohz) Go's many short sleeps end at the tick; each fine one woke QEMU's main
# loop, which then took a whole core and the lock that the processors need. A busy machine's TSC looks unstable; the clock in its place is slow.
start() {
  local folder; folder=$(cat "$DIR/base")
  setsid timeout --signal=KILL "${LIFETIME:-3h}" qemu-system-x86_64 -name trireme -machine q35 -accel "${ACCEL:-tcg,thread=multi,tb-size=2047}" -cpu "${CPU:-max,-avx,-avx2,-bmi2}" -smp 2 -m "$(cat "$DIR/memory")" \
    -kernel "$folder/vmlinuz" -initrd "$folder/initrd" -append 'root=/dev/vda rw console=ttyS0 quiet panic=10 mitigations=off tsc=reliable nowatchdog highres=off nohz=off' \
    -drive "if=virtio,format=qcow2,cache=unsafe,file=$DIR/disk" -drive "if=virtio,format=raw,read-only=on,file=$DIR/seed" \
    -nic "user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:$(cat "$DIR/port")-:22" -device virtio-rng-pci \
    -display none -monitor none -serial "file:$DIR/console.log" -pidfile "$DIR/pid" > "$DIR/qemu.log" 2>&1 < /dev/null &
  disown
  wait_for 10 is_running || { cat "$DIR/qemu.log" >&2; fail 'QEMU does not start'; }
}
answers() { ssh -F "$DIR/ssh_config" -o BatchMode=yes -o LogLevel=QUIET root@vm true 2> /dev/null; }
stop() {
  is_running || return 0
  kill -KILL "$(cat "$DIR/pid")"
  is_stopped() { ! is_running; }
  wait_for 20 is_stopped || fail "QEMU $(cat "$DIR/pid") doesn't end"
}
boot() { # one start in a great many hangs: the watchdog gives it a second one
  local try
  for try in 1 2; do
    start
    if wait_for "${BOOT_SECONDS:-300}" eval '! is_running || answers' && is_running; then echo "up: ssh -F $DIR/ssh_config vm"; return 0; fi
    echo "vm.sh: no answer over SSH at try $try; the console's end:" >&2; tail -n 15 "$DIR/console.log" >&2 || true
    stop
  done
  fail "the machine doesn't come up: see $DIR/console.log"
}

verb=${1:-help}
case $verb in up | down | ssh | kill | boot) [ -n "${2:-}" ] || fail "$verb wants a folder"; DIR=$(realpath -m "$2"); shift 2;; esac
case $verb in
  up)
    command -v qemu-system-x86_64 > /dev/null && command -v mmdebstrap > /dev/null || { echo 'vm.sh: QEMU or mmdebstrap is missing. Try: test/testbed/setup.sh' >&2; exit 3; }
    memory=4096; if [ "${1:-}" = --memory ]; then memory=$2; fi
    if [ -e "$DIR/disk" ]; then is_running || boot; exit 0; fi
    mkdir -p "$DIR"; chmod 700 "$DIR"; folder=$(base); echo "$folder" > "$DIR/base"; echo "$memory" > "$DIR/memory"
    seed "$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')"
    qemu-img create -q -f qcow2 -F qcow2 -b "$folder/disk.qcow2" "$DIR/disk"
    boot;;
  boot) [ -e "$DIR/disk" ] || fail "there's no machine in $DIR: vm.sh up"; is_running || boot;;
  kill) stop;;
  ssh) exec ssh -F "$DIR/ssh_config" -o LogLevel=ERROR root@vm "$@";;
  # only the files that are ours: DIR may be a test's own folder
  down) stop; rm -f "$DIR"/{disk,seed,base,memory,port,pid,id,id.pub,known_hosts,ssh_config,sudo-password,console.log,qemu.log}; rmdir "$DIR" 2> /dev/null || true;;
  *) sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; [ "$verb" = help ] || exit 2;;
esac
