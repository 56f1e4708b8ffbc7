#!/usr/bin/env bash
# Builds the test bed's real programs from their Go modules, pinned by go/*/go.mod and go.sum.
#   build.sh [PART...]     default: all but the second Kubernetes version      build.sh --list prints the parts and their versions
# Result: $TESTBED/bin/PART/VERSION/PROGRAM. What is there isn't built again. Builds wait for one another: they'd share the same two cores.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
default=(kubernetes etcd containerd runc cni-plugins crictl coredns flannel flannel-cni-plugin kube-vip programs cluster-api cert-manager helm capa)
others=(kubernetes-v1.35.4 registry)
export CGO_ENABLED=0 GOFLAGS=-mod=readonly

version_of() { # FOLDER MODULE: the version that its go.mod requires
  sed -n "s|^\(require\)\{0,1\}[[:space:]]*$2 \(v[^ ]*\).*|\2|p" "$here/go/$1/go.mod" | head -1
}
build() { # FOLDER OUT PACKAGE [LDFLAGS [TAGS [MODFILE]]]
  [ -x "$2" ] && return 0
  local started=$SECONDS
  mkdir -p "$(dirname "$2")"
  (cd "$here/go/$1" && go build -trimpath -buildvcs=false ${6:+"-modfile=$6"} -tags "${5:-}" -ldflags "-s -w ${4:-}" -o "$2.part" "$3")
  mv "$2.part" "$2"
  echo "$(basename "$2") $(basename "$(dirname "$2")"): built in $((SECONDS - started)) s"
}
out() { echo "$TESTBED/bin/$1/$2"; } # PART VERSION

kubernetes() { # [FOLDER]
  local folder=${1:-kubernetes-v1.36.3} version minor package program ldflags=''
  version=$(version_of "$folder" k8s.io/kubernetes); minor=${version#v1.}; minor=${minor%%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor -X $package.gitTreeState=archive -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  for program in kubeadm kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    build "$folder" "$(out kubernetes "$version")/$program" "k8s.io/kubernetes/cmd/$program" "$ldflags"
  done
}
kubernetes-v1.35.4() { kubernetes kubernetes-v1.35.4; }
etcd() {
  local bin; bin=$(out etcd "$(version_of etcd go.etcd.io/etcd/server/v3)")
  build etcd "$bin/etcd" go.etcd.io/etcd/server/v3
  build etcd "$bin/etcdctl" go.etcd.io/etcd/etcdctl/v3
  build etcd "$bin/etcdutl" go.etcd.io/etcd/etcdutl/v3
}
containerd() {
  local module=github.com/containerd/containerd/v2 version program
  version=$(version_of containerd $module)
  for program in containerd containerd-shim-runc-v2 ctr; do
    build containerd "$(out containerd "$version")/$program" $module/cmd/$program "-X $module/version.Version=$version" 'no_btrfs no_zfs no_devmapper'
  done
}
# runc enters the container's namespaces in C, hence CGO. Static, as the released one is; with seccomp when the library is there.
runc() {
  local module=github.com/opencontainers/runc tags='netgo osusergo'
  if [ -e /usr/include/seccomp.h ]; then tags+=' seccomp'; fi
  CGO_ENABLED=1 build runc "$(out runc "$(version_of runc $module)")/runc" $module "-extldflags=-static" "$tags"
}
cni-plugins() {
  local module=github.com/containernetworking/plugins version package
  version=$(version_of cni-plugins $module)
  for package in $(sed -n 's/^\t_ "\(.*\)"$/\1/p' "$here/go/cni-plugins/tools.go"); do
    build cni-plugins "$(out cni-plugins "$version")/${package##*/}" "$package" "-X $module/pkg/utils/buildversion.BuildVersion=$version"
  done
}
crictl() {
  local module=sigs.k8s.io/cri-tools version
  version=$(version_of crictl $module)
  build crictl "$(out crictl "$version")/crictl" $module/cmd/crictl "-X $module/pkg/version.Version=$version"
}
coredns() { build coredns "$(out coredns "$(version_of coredns github.com/coredns/coredns)")/coredns" github.com/coredns/coredns; }
flannel() {
  local module=github.com/flannel-io/flannel version
  version=$(version_of flannel $module)
  # its udp back end is C on amd64, and can't be left out
  CGO_ENABLED=1 build flannel "$(out flannel "$version")/flanneld" $module "-X $module/pkg/version.Version=$version -extldflags=-static" 'netgo osusergo'
  build flannel "$(out flannel "$version")/install-conf" $module/cmd/install_conf
}
# Flannel's own CNI plugin began as a part of the CNI plugins, which kept it up to v0.9.1; its later home isn't on the module proxy.
flannel-cni-plugin() {
  local module=github.com/containernetworking/plugins version
  version=$(version_of flannel-cni-plugin $module)
  build flannel-cni-plugin "$(out flannel-cni-plugin "$version")/flannel" $module/plugins/meta/flannel "-X $module/pkg/utils/buildversion.BuildVersion=$version"
}
kube-vip() {
  local module=github.com/kube-vip/kube-vip version
  version=$(version_of kube-vip $module)
  build kube-vip "$(out kube-vip "$version")/kube-vip" $module "-X main.Version=$version"
}
# our own pod programs have no version: they are built again when their source is newer
programs() {
  local program bin; bin=$(out programs 1)
  for program in pause probe provisioner; do
    if [ -n "$(find "$here/go/programs" -newer "$bin/$program" 2> /dev/null)" ]; then rm -f "$bin/$program"; fi
    build programs "$bin/$program" ./$program
  done
}
cluster-api() {
  local module=sigs.k8s.io/cluster-api version bin package ldflags='' minor
  version=$(version_of cluster-api $module); bin=$(out cluster-api "$version"); minor=${version#v1.}; minor=${minor%%.*}
  for package in version cmd/clusterctl/version; do
    ldflags+=" -X $module/$package.gitVersion=$version -X $module/$package.gitMajor=1 -X $module/$package.gitMinor=$minor -X $module/$package.gitTreeState=archive"
  done
  build cluster-api "$bin/core-manager" $module/core "$ldflags"
  build cluster-api "$bin/bootstrap-manager" $module/bootstrap/kubeadm "$ldflags"
  build cluster-api "$bin/control-plane-manager" $module/controlplane/kubeadm "$ldflags"
  build cluster-api "$bin/clusterctl" $module/cmd/clusterctl "$ldflags"
  if [ ! -x "$bin/in-memory-manager" ]; then build cluster-api "$bin/in-memory-manager" $module/test/infrastructure/docker "$ldflags" '' "$(in_memory_modfile)"; fi
}
# The in-memory backend's ports are constants in its source: 19000, and 20000 upward for the workload clusters' API servers. So that several can run
# beside one another, it's built from a copy of its module where three environment variables may move them; without them it's the very same program.
in_memory_modfile() {
  local module=sigs.k8s.io/cluster-api/test folder source server; folder=$TESTBED/source/cluster-api
  source=$(cd "$here/go/cluster-api" && go mod download $module && go list -m -f '{{.Dir}}' $module)
  rm -rf "$folder"; mkdir -p "$folder"; cp -r "$source" "$folder/test"; chmod -R u+w "$folder"
  server=$folder/test/infrastructure/inmemory/pkg/server
  cp "$here/go/cluster-api/ports.go.txt" "$server/ports.go"
  sed -i -E 's/^(\t\t(Min|Max|Debug)Port: +)(Default(Min|Max|Debug)Port),$/\1portFrom("IN_MEMORY_\U\2\E_PORT", \3),/' "$server/mux.go"
  [ "$(grep -c portFrom "$server/mux.go")" = 3 ] || { echo "build.sh: the ports aren't where they were in $server/mux.go" >&2; return 1; }
  { cat "$here/go/cluster-api/go.mod"; echo "replace $module => $folder/test"; } > "$folder/go.mod"
  cp "$here/go/cluster-api/go.sum" "$folder/go.sum"
  echo "$folder/go.mod"
}
# cert-manager's programs are modules of their own that the proxy doesn't have. Ours stand in for them: go/cert-manager is named below its path, so that
# they may use what is internal there. They know self-signed and CA issuers, not ACME.
cert-manager() {
  local module=github.com/cert-manager/cert-manager version program bin
  version=$(version_of cert-manager $module); bin=$(out cert-manager "$version")
  for program in controller webhook cainjector; do
    if [ -n "$(find "$here/go/cert-manager/$program" -newer "$bin/$program" 2> /dev/null)" ]; then rm -f "$bin/$program"; fi
    build cert-manager "$bin/$program" ./$program "-X $module/pkg/util.AppVersion=$version"
  done
}
# nothing is built of the provider for AWS: its kinds and templates are used
capa() { (cd "$here/go/capa" && go mod download sigs.k8s.io/cluster-api-provider-aws/v2); }
helm() { build helm "$(out helm "$(version_of helm helm.sh/helm/v4)")/helm" helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$(version_of helm helm.sh/helm/v4)"; }
# distribution, for the suites that carry content by a registry
registry() {
  local module=github.com/distribution/distribution/v3 version
  version=$(version_of registry $module)
  build registry "$(out registry "$version")/registry" $module/cmd/registry "-X $module/version.version=$version"
}

if [ "${1:-}" = --list ]; then
  for folder in "$here"/go/*/; do printf '%-22s %s\n' "$(basename "$folder")" "$(sed -n 's/^require \(.*\)/\1/p;s/^\t\([^ ]* v[^ ]*\)$/\1/p' "$folder/go.mod" | grep -v '(' | tr '\n' ' ')"; done
  exit 0
fi
[ $# -gt 0 ] || set -- "${default[@]}"
for part in "$@"; do
  case " ${default[*]} ${others[*]} " in *" $part "*) ;; *) echo "build.sh: no part named $part. Parts: ${default[*]} ${others[*]}" >&2; exit 2;; esac
done
command -v go > /dev/null || { echo 'build.sh: Go is missing. Try: test/testbed/setup.sh' >&2; exit 3; }
mkdir -p "$TESTBED"; exec 9> "$TESTBED/build.lock"; flock 9
for part in "$@"; do "$part"; done
