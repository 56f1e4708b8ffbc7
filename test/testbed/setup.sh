#!/usr/bin/env bash
# Installs what the real suites need from Debian's archive; does nothing, in a second, when all is there. Exits 3 with what's missing when it
# can't: without root, without apt, without Go.
set -euo pipefail
missing=()
version() { printf '%s\n%s\n' "$1" "$2" | sort -VC; } # is $1 at most $2?

# program:package
needs=(mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 nsenter:util-linux ssh:openssh-client openssl:openssl tar:tar gzip:gzip
  qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils mkfs.ext4:e2fsprogs gcc:gcc pkg-config:pkg-config
  strace:strace)
packages=()
for need in "${needs[@]}"; do PATH=$PATH:/usr/sbin:/sbin command -v "${need%%:*}" > /dev/null || packages+=("${need##*:}"); done
[ -e /usr/include/seccomp.h ] || packages+=(libseccomp-dev)
[ -e /usr/include/stdlib.h ] || packages+=(libc6-dev)
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages+=(debian-archive-keyring)
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then missing+=("packages: ${packages[*]} (and root to install them)")
  elif ! command -v apt-get > /dev/null; then missing+=("packages: ${packages[*]} (there's no apt-get here: the test bed is for Debian)")
  else
    echo "setup.sh: installing ${packages[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" > /dev/null
  fi
fi
[ "$(id -u)" = 0 ] || missing+=('root: hosts are namespaces, mounts and bridges')
wanted=1.26.0 # what go/*/go.mod say
if ! command -v go > /dev/null; then missing+=("Go $wanted or newer: https://go.dev/dl/, or Debian's golang-go where it's new enough")
else
  found=$(go env GOVERSION); found=${found#go}
  version "$wanted" "$found" || missing+=("Go $wanted or newer: this is $found. https://go.dev/dl/")
fi
command -v node > /dev/null && version v20.19.0 "$(node --version)" || missing+=('Node 20.19 or newer')
if [ ${#missing[@]} -gt 0 ]; then printf 'setup.sh: missing %s\n' "${missing[@]}" >&2; exit 3; fi
