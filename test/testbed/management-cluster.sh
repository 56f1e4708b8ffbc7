#!/usr/bin/env bash
# A real management cluster on loopback without containers or nodes: etcd, kube-apiserver, kube-controller-manager, and Cluster API's core, kubeadm
# bootstrap, kubeadm control plane and docker (in-memory) managers as plain processes. Needs what `build.sh kubernetes etcd cluster-api` builds.
#   management-cluster.sh up DIR [--offset N] [--api-only]    DIR/kubeconfig works then; ClusterClass `in-memory` is in namespace default
#   management-cluster.sh user DIR NAME [GROUP...]            prints a kubeconfig for a user who has no right yet
#   management-cluster.sh crds DIR cluster-api|aws...         installs kinds alone: aws are those of the provider for AWS, which has no manager here
#   management-cluster.sh list                                 those that are up: offset and folder
#   management-cluster.sh down DIR                             ends exactly its processes, removes DIR
# --api-only: without Cluster API, not even its CRDs. Each N (0 to 24) has ports of its own, so that many can be up at once; without --offset the first
# free one from 24 down. A cluster that nobody takes down ends by itself after $LIFETIME (3h).
set -euo pipefail; shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
umask 077
fail() { echo "management-cluster.sh: $*" >&2; exit 1; }
usage() { sed -n '4,8s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
# wait_for SECONDS COMMAND...: polls until COMMAND succeeds; fails at the deadline
wait_for() { local deadline=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $deadline ] || return 1; sleep 0.2; done; }
version_of() { sed -n "s|^\(require\)\{0,1\}[[:space:]]*$2 \(v[^ ]*\).*|\2|p" "$here/go/$1/go.mod" | head -1; }
program() { # PART VERSION NAME
  [ -x "$TESTBED/bin/$1/$2/$3" ] || fail "$3 $2 isn't built. Try: test/testbed/build.sh ${1%%/*}"
  echo "$TESTBED/bin/$1/$2/$3"
}

# ---- processes: DIR/processes/NAME holds its id and start time, so that no other process that got the same id is ever ended -------------------
started_at() { local stat; stat=$(cat "/proc/$1/stat" 2> /dev/null) || return 0; set -- ${stat##*) }; echo "${20}"; }
start() { # NAME COMMAND...
  local name=$1; shift
  setsid "$@" > "$DIR/logs/$name.log" 2>&1 < /dev/null 7>&- &
  echo "$! $(started_at $!)" > "$DIR/processes/$name"; disown
}
is_alive() { # FILE
  local pid at
  read -r pid at < "$1" && [ -n "$at" ] && [ "$(started_at "$pid")" = "$at" ] && [ "$(sed -E 's/.*\) (.).*/\1/' "/proc/$pid/stat" 2> /dev/null)" != Z ]
}
none_alive() { local file; for file in "$DIR"/processes/*; do [ ! -e "$file" ] || [ "$(cut -d' ' -f1 "$file")" = $$ ] || ! is_alive "$file" || return 1; done; }
end_all() { # each is the leader of a group of its own; nothing that they keep outlives them, so they needn't end in order
  local file pid
  for file in "$DIR"/processes/*; do
    [ -e "$file" ] || continue
    read -r pid _ < "$file"
    if [ "$pid" != $$ ] && is_alive "$file"; then kill -KILL -- "-$pid" 2> /dev/null || true; fi
  done
}
down() {
  [ -e "$DIR" ] || return 0
  [ -e "$DIR/offset" ] || fail "$DIR isn't a management cluster's folder"
  end_all
  wait_for 15 none_alive || fail "some processes of $DIR don't end"
  rm -rf --one-file-system "$DIR"
}

# ---- ports ------------------------------------------------------------------------------------------------------------------------------------
# A lock per offset, which the watchdog holds as long as it lives.
take_offset() { # [N]
  local n
  mkdir -p "$TESTBED/management-clusters"
  for n in ${1:-$(seq 24 -1 0)}; do
    exec 7>> "$TESTBED/management-clusters/$n"
    if flock -n 7; then echo "$DIR" > "$TESTBED/management-clusters/$n"; offset=$n; return; fi
  done
  if [ -n "${1:-}" ]; then fail "offset $1 is in use: $(cat "$TESTBED/management-clusters/$1")"; else fail 'no offset is free'; fi
}

# ---- credentials ------------------------------------------------------------------------------------------------------------------------------
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
certificate() { # NAME SUBJECT EXTENSIONS
  openssl req "${key[@]}" -subj "$2" -keyout "$DIR/pki/$1.key" -out "$DIR/pki/$1.csr" 2> /dev/null
  openssl x509 -req -in "$DIR/pki/$1.csr" -CA "$DIR/pki/ca.crt" -CAkey "$DIR/pki/ca.key" -set_serial "0x$(openssl rand -hex 16)" -days 30 -extfile <(printf '%b' "$3") -out "$DIR/pki/$1.crt" 2> /dev/null
}
kubeconfig() { # USER
  cat << Y
apiVersion: v1
kind: Config
clusters: [{name: management, cluster: {server: "https://127.0.0.1:$((base + 43))", certificate-authority-data: $(base64 -w0 "$DIR/pki/ca.crt")}}]
users: [{name: $1, user: {client-certificate-data: $(base64 -w0 "$DIR/pki/$1.crt"), client-key-data: $(base64 -w0 "$DIR/pki/$1.key")}}]
contexts: [{name: management, context: {cluster: management, user: $1}}]
current-context: management
Y
}
user() { # NAME [GROUP...]
  local name=$1 group subject=''; shift
  [[ $name =~ ^[a-z][a-z0-9-]*$ && ! -e $DIR/pki/$name.crt ]] || fail "there's a user $name already, or the name isn't lower case letters, digits and dashes"
  for group in "$@"; do subject+=/O=$group; done
  certificate "$name" "$subject/CN=$name" 'extendedKeyUsage=clientAuth\n'
  kubeconfig "$name"
}

crds() { # NAME...
  local kubectl; kubectl=$(program kubernetes "${KUBERNETES:-v1.36.3}" kubectl); export KUBECONFIG=$DIR/kubeconfig
  node "$here/cluster-api.mjs" crds "$kubectl" "$@" > "$DIR/crds.yaml"
  "$kubectl" apply --server-side -f "$DIR/crds.yaml" > /dev/null
  "$kubectl" wait --for=condition=Established crd --all --timeout=60s > /dev/null
}

# ---- up ---------------------------------------------------------------------------------------------------------------------------------------
api() {
  local version etcd apiserver manager
  version=${KUBERNETES:-v1.36.3}
  kubectl=$(program kubernetes "$version" kubectl)
  apiserver=$(program kubernetes "$version" kube-apiserver); manager=$(program kubernetes "$version" kube-controller-manager)
  etcd=$(program etcd "$(version_of etcd go.etcd.io/etcd/server/v3)" etcd)
  openssl req -x509 "${key[@]}" -days 30 -subj /CN=testbed-management -keyout "$DIR/pki/ca.key" -out "$DIR/pki/ca.crt" 2> /dev/null
  openssl genrsa -out "$DIR/pki/service-accounts.key" 2048 2> /dev/null
  certificate server /CN=kube-apiserver 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:10.0.0.1\nextendedKeyUsage=serverAuth\n'
  certificate admin /O=system:masters/CN=admin 'extendedKeyUsage=clientAuth\n'
  kubeconfig admin > "$DIR/kubeconfig"; export KUBECONFIG=$DIR/kubeconfig
  local store=http://127.0.0.1:$((base + 79)) peer=http://127.0.0.1:$((base + 80))
  start etcd "$etcd" --data-dir "$DIR/etcd" --listen-client-urls "$store" --advertise-client-urls "$store" --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" --unsafe-no-fsync
  start apiserver "$apiserver" --etcd-servers="$store" --secure-port=$((base + 43)) --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
    --tls-cert-file="$DIR/pki/server.crt" --tls-private-key-file="$DIR/pki/server.key" --client-ca-file="$DIR/pki/ca.crt" \
    --service-account-key-file="$DIR/pki/service-accounts.key" --service-account-signing-key-file="$DIR/pki/service-accounts.key" --service-account-issuer=https://kubernetes.default.svc \
    --authorization-mode=Node,RBAC --service-cluster-ip-range=10.0.0.0/24 --allow-privileged=true
  answers() { is_alive "$DIR/processes/etcd" && is_alive "$DIR/processes/apiserver" || return 0; "$kubectl" get --raw=/readyz > /dev/null 2>&1; }
  wait_for 90 answers || fail "the API server isn't ready after 90 s: $(tail -n 3 "$DIR/logs/apiserver.log")"
  is_alive "$DIR/processes/etcd" || fail "etcd has ended: $(tail -n 3 "$DIR/logs/etcd.log")"
  is_alive "$DIR/processes/apiserver" || fail "the API server has ended: $(tail -n 3 "$DIR/logs/apiserver.log")"
  start controller-manager "$manager" --kubeconfig="$KUBECONFIG" --root-ca-file="$DIR/pki/ca.crt" --service-account-private-key-file="$DIR/pki/service-accounts.key" \
    --controllers=namespace-controller,serviceaccount-controller,garbage-collector-controller,root-ca-certificate-publisher-controller,clusterrole-aggregation-controller,deployment-controller,replicaset-controller \
    --bind-address=127.0.0.1 --secure-port=$((base + 57)) --leader-elect=false
}
get() { # PORT PATH: is the answer 200?
  local line
  { exec 6<> "/dev/tcp/127.0.0.1/$1"; } 2> /dev/null || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&6; read -rt 5 line <&6 || line=''; exec 6>&-
  [[ $line == *' 200 '* ]]
}
cluster-api() {
  local version name namespace gates i=0 at=$DIR/objects
  version=$(version_of cluster-api sigs.k8s.io/cluster-api)
  mkdir "$at" "$DIR/webhook"; cp "$DIR/pki/server.crt" "$DIR/webhook/tls.crt"; cp "$DIR/pki/server.key" "$DIR/webhook/tls.key"
  node "$here/cluster-api.mjs" "$kubectl" "$DIR/pki/ca.crt" $((base + 1)) "$at" > "$DIR/managers"
  # the in-memory provider exits when a kind that it watches isn't served yet
  "$kubectl" apply --server-side -f "$at/crds.yaml" > /dev/null
  "$kubectl" wait --for=condition=Established crd --all --timeout=60s > /dev/null
  "$kubectl" apply --server-side -f "$at/objects.yaml" > /dev/null
  while read -r name namespace gates; do
    i=$((i + 1))
    POD_NAMESPACE=$namespace POD_NAME=$name POD_IP=127.0.0.1 IN_MEMORY_DEBUG_PORT=$((base + 31)) IN_MEMORY_MIN_PORT=$((20000 + 500 * offset)) IN_MEMORY_MAX_PORT=$((20499 + 500 * offset)) \
      start "$name" "$(program cluster-api "$version" "$name")" --webhook-port=$((base + i)) --webhook-cert-dir="$DIR/webhook" --health-addr=127.0.0.1:$((base + 10 + i)) \
      --diagnostics-address=127.0.0.1:$((base + 20 + i)) --insecure-diagnostics --leader-elect=false --kubeconfig="$KUBECONFIG" "--feature-gates=$gates"
  done < "$DIR/managers"
  i=0
  while read -r name namespace gates; do
    i=$((i + 1))
    settled() { ! is_alive "$DIR/processes/$name" || get $((base + 10 + i)) /readyz; }
    wait_for 120 settled || fail "$name isn't ready after 120 s: $(tail -n 3 "$DIR/logs/$name.log")"
    is_alive "$DIR/processes/$name" || fail "$name has ended: $(tail -n 5 "$DIR/logs/$name.log")"
  done < "$DIR/managers"
  "$kubectl" apply --server-side -f "$at/webhooks.yaml" -f "$at/inventory.yaml" > /dev/null
  "$kubectl" apply --server-side -n default -f "$at/class.yaml" > /dev/null
}
up() {
  local api_only='' wanted=''
  while [ $# -gt 0 ]; do case $1 in --api-only) api_only=1; shift;; --offset) wanted=${2:-}; [[ $wanted =~ ^([0-9]|1[0-9]|2[0-4])$ ]] || fail 'an offset is a number from 0 to 24'; shift 2;; *) usage;; esac; done
  [ ! -e "$DIR" ] || [ -z "$(ls -A "$DIR")" ] || fail "$DIR isn't empty. Try: test/testbed/management-cluster.sh down $DIR"
  take_offset "$wanted"; base=$((16000 + 100 * offset))
  mkdir -p "$DIR"/{pki,logs,processes}; echo "$offset" > "$DIR/offset"
  trap 'code=$?; trap - EXIT; [ $code = 0 ] || down || true; exit $code' EXIT
  # shellcheck disable=SC2016
  setsid bash -c 'sleep "$1"; exec "$2" down "$3"' watchdog "${LIFETIME:-3h}" "${BASH_SOURCE[0]}" "$DIR" > /dev/null 2>&1 < /dev/null &
  echo "$! $(started_at $!)" > "$DIR/processes/watchdog"; exec 7>&-
  api
  [ -n "$api_only" ] || cluster-api
  echo "$DIR/kubeconfig"
}

verb=${1:-}
if [ "$verb" = list ]; then
  for lock in "$TESTBED"/management-clusters/*; do if [ -e "$lock" ] && ! flock -n "$lock" true; then echo "$(basename "$lock") $(cat "$lock")"; fi; done
  exit 0
fi
[ $# -ge 2 ] || usage
DIR=$(realpath -m "$2"); shift 2
case $verb in
  up) up "$@";;
  down) down;;
  crds) [ $# -ge 1 ] || usage; [ -e "$DIR/offset" ] || fail "$DIR isn't a management cluster's folder"; crds "$@";;
  user) [ $# -ge 1 ] || usage; [ -e "$DIR/offset" ] || fail "$DIR isn't a management cluster's folder"; base=$((16000 + 100 * $(cat "$DIR/offset"))); user "$@";;
  *) usage;;
esac
