#!/usr/bin/env bash
# What somebody does who knows kubeadm well and has a shell: three control planes and a worker by ssh, scp and kubeadm, side by side wherever kubeadm
# allows it. What the benches `install` and `upgrade` hold Trireme against. The hosts are h1..h4 of the test bed; root logs in, so no sudo is in the way.
#   by-hand.sh pack DIR VERSION      lays out what will be sent to hosts: not part of what is timed
#   by-hand.sh install DIR VERSION   to nodes that have been told to join; whoever called waits for Ready
#   by-hand.sh upgrade DIR VERSION
set -euo pipefail; shopt -s inherit_errexit
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
BED=${BED:?} HOSTS=${HOSTS:?} verb=$1 pack=$2/$3 version=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ways=(-F "$HOSTS/ssh_config" -o User=root -o LogLevel=ERROR -o ControlMaster=auto -o "ControlPath=$2/%n.way" -o ControlPersist=300)
all='1 2 3 4' planes='1 2 3'
on() { local host=$1; shift; ssh "${ways[@]}" "h$host" "$@"; }
step() { echo "[$SECONDS s] $*"; }
# together COMMAND HOST...: for all hosts at once; fails when one failed
together() { local command=$1 pids=() pid failed=0; shift; for host in "$@"; do "$command" "$host" & pids+=($!); done; for pid in "${pids[@]}"; do wait "$pid" || failed=1; done; return $failed; }

lay_out() {
  local bin=$TESTBED/bin reference image
  rm -rf "$pack"; mkdir -p "$pack"/{all,planes}/{bin,images} "$pack/all/cni" "$pack/all/etc/"{containerd,systemd/system}
  cp "$bin/kubernetes/$version"/{kubeadm,kubelet,kubectl} "$bin"/containerd/*/{containerd,containerd-shim-runc-v2,ctr} "$bin"/runc/*/runc "$bin"/crictl/*/crictl "$pack/all/bin"
  cp "$(echo "$bin"/cni-plugins/*)"/* "$pack/all/cni"
  "$bin/kubernetes/$version/kubeadm" config images list --kubernetes-version "$version" 2> /dev/null > "$pack/list"
  grep -h image: "$here/../testbed/flannel/kube-flannel.yaml" | awk '{print $2}' | sort -u >> "$pack/list"
  while read -r reference; do
    # only control planes run these
    case $reference in *kube-apiserver:* | *kube-controller-manager:* | *kube-scheduler:* | *etcd:*) image=planes;; *) image=all;; esac
    tar -C "$TESTBED/images/${reference%:*}/${reference##*:}" -cf "$pack/$image/images/$(echo "$reference" | tr '/:' '__').tar" .
  done < "$pack/list"
  printf '%s\n' 'version = 3' "[plugins.'io.containerd.cri.v1.images'.pinned_images]" "sandbox = '$(grep /pause: "$pack/list")'" \
    "[plugins.'io.containerd.cri.v1.runtime']" 'restrict_oom_score_adj = true' > "$pack/all/etc/containerd/config.toml"
  cat > "$pack/all/etc/systemd/system/containerd.service" << 'U'
[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
Restart=always
LimitNOFILE=1048576
TasksMax=infinity
[Install]
WantedBy=multi-user.target
U
  cat > "$pack/all/etc/systemd/system/kubelet.service" << 'U'
[Unit]
After=containerd.service
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=1
[Install]
WantedBy=multi-user.target
U
}

send() { # HOST: what its role needs
  local parts=("$pack/all"); case " $planes " in *" $1 "*) parts+=("$pack/planes");; esac
  on "$1" 'rm -rf /root/pack; mkdir -p /root/pack'
  scp -q -r "${ways[@]}" "${parts[@]}" "h$1:/root/pack/"
}
# two at a time: reading one, unpacking another
import='find /root/pack/*/images -name "*.tar" | xargs -P2 -n1 ctr -n k8s.io images import > /dev/null'
prepare() {
  send "$1"
  on "$1" "set -e; cd /root/pack/all; mkdir -p /opt/cni/bin /etc/kubernetes /var/lib/kubelet; mv bin/* /usr/local/bin; mv cni/* /opt/cni/bin; cp -r etc/. /etc/
    echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-kubernetes.conf; sysctl -qw net.ipv4.ip_forward=1
    systemctl daemon-reload; systemctl enable -q --now containerd; systemctl enable -q kubelet; $import; rm -rf /root/pack"
  step "h$1 has programs and images"
}

settings() { cat << Y
nodeRegistration: {criSocket: unix:///run/containerd/containerd.sock, imagePullPolicy: IfNotPresent, ignorePreflightErrors: [SystemVerification]}
Y
}
start() { # the token and the certificates' key are chosen here: nobody waits to be told them
  on 1 'cat > /root/kubeadm.yaml; kubeadm init --upload-certs --skip-token-print --skip-certificate-key-print --config /root/kubeadm.yaml' << Y > "$2/init.log" 2>&1 || { tail -n 40 "$2/init.log" >&2; return 1; }
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 10.$BED.0.11}
bootstrapTokens: [{token: $token}]
certificateKey: $key
$(settings)
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $version
controlPlaneEndpoint: 10.$BED.0.11:6443
networking: {podSubnet: 10.244.0.0/16}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
conntrack: {maxPerCore: 0}
Y
  step 'the cluster is started'
  on 1 kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f - < "$here/../testbed/flannel/kube-flannel.yaml" > /dev/null
}
join() {
  on "$1" 'cat > /root/kubeadm.yaml; kubeadm join --config /root/kubeadm.yaml' << Y > "$folder/join$1.log" 2>&1 || { tail -n 40 "$folder/join$1.log" >&2; return 1; }
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery: {bootstrapToken: {apiServerEndpoint: "10.$BED.0.11:6443", token: $token, caCertHashes: ["sha256:$hash"]}}
$(case " $planes " in *" $1 "*) echo "controlPlane: {localAPIEndpoint: {advertiseAddress: 10.$BED.0.1$1}, certificateKey: $key}";; esac)
$(settings)
Y
  step "h$1 has joined"
}

install() {
  local i pids=()
  token=$(openssl rand -hex 3).$(openssl rand -hex 8) key=$(openssl rand -hex 32)
  for i in $all; do prepare "$i" & pids[i]=$!; done
  # nobody waits for others than they need: the first control plane starts as soon as it has its own
  wait "${pids[1]}"; start 1 "$folder"
  hash=$(on 1 "openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1")
  # etcd takes one learner at a time; a worker joins beside them
  { wait_for_pack 4; join 4; } & local worker=$!
  wait "${pids[2]}"; join 2; wait "${pids[3]}"; join 3
  wait "$worker"
}
wait_for_pack() { until on "$1" 'test ! -d /root/pack && test -e /usr/local/bin/kubeadm'; do sleep 0.5; done; }

kubectl() { on 1 kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"; }
stage() { # what is new on a host, while it serves: programs beside the old ones, images imported
  send "$1"; on "$1" "set -e; $import; rm -rf /root/pack/*/images"
  step "h$1 has the new programs and images"
}
renew() { # HOST: drained, its kubelet exchanged, Ready with the new version
  local tries=0
  # the API server of the endpoint may just be starting again: asked anew, as one would by hand
  until kubectl drain "h$1" --ignore-daemonsets --delete-emptydir-data > "$folder/drain$1.log" 2>&1; do [ $((tries += 1)) -lt 20 ] || { cat "$folder/drain$1.log" >&2; return 1; }; sleep 1; done
  on "$1" 'set -e; mv /root/pack/all/bin/{kubelet,kubectl} /usr/local/bin; systemctl daemon-reload; systemctl restart kubelet; rm -rf /root/pack'
  until [ "$(kubectl get node "h$1" -o "'jsonpath={.status.nodeInfo.kubeletVersion} {.status.conditions[?(@.type==\"Ready\")].status}'" 2> /dev/null)" = "$version True" ]; do sleep 0.5; done
  until kubectl uncordon "h$1" > "$folder/uncordon$1.log" 2>&1; do [ $((tries += 1)) -lt 60 ] || { cat "$folder/uncordon$1.log" >&2; return 1; }; sleep 0.5; done
  step "h$1 has the new version"
}
upgrade() {
  local i command
  together stage $all
  for i in $all; do
    if [ "$i" = 1 ]; then command="kubeadm upgrade apply $version --yes --ignore-preflight-errors=SystemVerification"; else command='kubeadm upgrade node --ignore-preflight-errors=SystemVerification'; fi
    on "$i" "mv /root/pack/all/bin/kubeadm /usr/local/bin; $command" > "$folder/upgrade$i.log" 2>&1 || { tail -n 40 "$folder/upgrade$i.log" >&2; return 1; }
    renew "$i"
  done
}

folder=$2
case $verb in
  pack) lay_out;;
  install | upgrade) trap 'for i in $all; do ssh "${ways[@]}" -O exit "h$i" 2> /dev/null || true; done' EXIT; "$verb";;
  *) sed -n '4,6s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2;;
esac
