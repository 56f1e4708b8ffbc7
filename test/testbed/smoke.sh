#!/usr/bin/env bash
# Proves that the test bed's parts fit together, without Trireme: kubeadm init on h1, flannel, join of h2, a pod on each, one asks the other.
#   smoke.sh [--keep]       80 s once everything is built; the bed is number 67, so that it disturbs no other
#   smoke.sh --vm [--keep]  one Debian 13 machine in QEMU, kubeadm's defaults, no override but of the time it may take
set -euo pipefail; shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TESTBED=${TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/trireme-testbed}
export BED=67 HOSTS=${HOSTS:-/var/tmp/trireme-hosts-67}
kubernetes=${KUBERNETES:-v1.36.3} bin=$TESTBED/bin
vm='' keep=''
for option in "$@"; do case $option in --vm) vm=${VM:-/var/tmp/trireme-smoke-vm};; --keep) keep=1;; *) sed -n '3,4s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2;; esac; done
if [ -n "$vm" ]; then
  nodes=1 addresses=(- 10.0.2.15) logs=$vm
  on() { shift; "$here/vm.sh" ssh "$vm" "$@"; }
  down() { rm -f "$vm"/*.log; "$here/vm.sh" down "$vm"; }
else
  nodes=2 addresses=(- "10.$BED.0.11" "10.$BED.0.12") logs=$HOSTS
  on() { "$here/hosts.sh" ssh "$@"; }
  down() { "$here/hosts.sh" down; }
fi
if [ -z "$keep" ]; then trap down EXIT; fi
step() { echo "[$SECONDS s] $*"; }
# until_says SECONDS WANTED COMMAND...: polls until COMMAND prints WANTED
until_says() {
  local deadline=$((SECONDS + $1)) wanted=$2 said=''; shift 2
  until said=$("$@" 2>&1) && [ "$said" = "$wanted" ]; do [ $SECONDS -lt $deadline ] || { echo "smoke.sh: $* never said '$wanted', but: $said" >&2; return 1; }; sleep 1; done
}

if [ -n "$vm" ]; then "$here/vm.sh" up "$vm"; else "$here/hosts.sh" up $nodes; fi
step 'hosts are up'
images=$(mktemp -d); "$here/images.mjs"
"$here/images.mjs" list > "$images/list"

install_host() {
  (cd "$bin" && tar -cf - --transform 's|.*/||' kubernetes/"$kubernetes"/{kubeadm,kubelet,kubectl} containerd/*/{containerd,containerd-shim-runc-v2,ctr} runc/*/runc crictl/*/crictl) | on "$1" tar -xf - --no-same-owner -C /usr/local/bin
  on "$1" mkdir -p /opt/cni/bin /etc/containerd /etc/kubernetes /var/lib/kubelet /usr/lib/systemd/system/kubelet.service.d
  tar -C "$(echo "$bin"/cni-plugins/*)" -cf - . | on "$1" tar -xf - --no-same-owner -C /opt/cni/bin
  { echo 'version = 3'; echo "[plugins.'io.containerd.cri.v1.images'.pinned_images]"; echo "sandbox = '$(grep /pause: "$images/list")'"
    if [ -n "$vm" ]; then echo "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]"; echo 'SystemdCgroup = true'
    # this machine's kernel gives no CAP_SYS_RESOURCE, so no score can be lowered
    else echo "[plugins.'io.containerd.cri.v1.runtime']"; echo 'restrict_oom_score_adj = true'; fi
  } | on "$1" tee /etc/containerd/config.toml > /dev/null
  on "$1" bash -s << 'SETUP'
set -euo pipefail
cat > /etc/systemd/system/containerd.service << 'U'
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
cat > /etc/systemd/system/kubelet.service << 'U'
[Unit]
After=containerd.service
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
U
# flannel wants the bridge filter; these hosts' kernel has it built in and no modules
if [ -d "/lib/modules/$(uname -r)" ]; then modprobe -a overlay br_netfilter; fi
sysctl -qw net.ipv4.ip_forward=1
systemctl daemon-reload
systemctl enable -q --now containerd
systemctl enable -q kubelet
SETUP
  while read -r reference; do tar -C "$TESTBED/images/${reference%:*}/${reference##*:}" -cf - . | on "$1" ctr -n k8s.io images import - > /dev/null 2>&1; done < "$images/list"
}
for i in $(seq $nodes); do install_host "$i"; done
rm -rf "$images"
step 'programs and images are there'

overrides() { cat << Y
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
}
token=$(openssl rand -hex 3).$(openssl rand -hex 8)
{ cat << Y
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: ${addresses[1]}}
nodeRegistration: {criSocket: unix:///run/containerd/containerd.sock$([ -n "$vm" ] || echo ', ignorePreflightErrors: [SystemVerification]')}
bootstrapTokens: [{token: $token}]
$([ -z "$vm" ] || echo 'timeouts: {controlPlaneComponentHealthCheck: 20m, kubeletHealthCheck: 20m, kubernetesAPICall: 20m}')
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $kubernetes
networking: {podSubnet: 10.244.0.0/16}
Y
[ -n "$vm" ] || overrides; } | on 1 tee /root/kubeadm.yaml > /dev/null
on 1 kubeadm init --config /root/kubeadm.yaml > "$logs/init.log" 2>&1 || { tail -n 40 "$logs/init.log" >&2; exit 1; }
step 'kubeadm init is done'
kubectl() { on 1 "kubectl --kubeconfig=/etc/kubernetes/admin.conf $(printf '%q ' "$@")"; }
kubectl apply -f - < "$here/flannel/kube-flannel.yaml" > /dev/null
if [ -z "$vm" ]; then
  hash=$(on 1 "openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | sha256sum | cut -d' ' -f1")
  on 2 kubeadm join "${addresses[1]}:6443" --token "$token" --discovery-token-ca-cert-hash "sha256:$hash" --ignore-preflight-errors SystemVerification > "$logs/join.log" 2>&1 || { tail -n 40 "$logs/join.log" >&2; exit 1; }
  step 'h2 has joined'
fi
wait=$([ -n "$vm" ] && echo 1800 || echo 120)
# polled, since under translation an answer may be late and the rollout's own deadline too short
ready() { kubectl get "$@" -o 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}'; }
all_of() { printf 'True %.0s' $(seq "$1"); }
until_says "$wait" "$(all_of "$nodes")" ready nodes
step 'all nodes are Ready'
until_says "$wait" "$(all_of "$nodes")" ready pods -n kube-flannel
until_says "$wait" "$(all_of 2)" ready pods -n kube-system -l k8s-app=kube-dns
step 'CoreDNS and flannel are running'

for i in 1 2; do
  kubectl apply -f - << Y > /dev/null
apiVersion: v1
kind: Pod
metadata: {name: probe$i, labels: {app: probe$i}}
spec:
  nodeName: $([ -n "$vm" ] && echo vm || echo "h$((i > nodes ? nodes : i))")
  terminationGracePeriodSeconds: 1
  tolerations: [{operator: Exists}]
  containers: [{name: probe, image: 'ghcr.io/trireme/testbed-probe:1'}]
---
apiVersion: v1
kind: Service
metadata: {name: probe$i}
spec: {selector: {app: probe$i}, ports: [{port: 80, targetPort: 8080}]}
Y
done
until_says "$wait" "$(all_of 2)" ready pods -n default
until_says 60 probe2 kubectl exec probe1 -- /probe fetch "http://$(kubectl get pod probe2 -o 'jsonpath={.status.podIP}'):8080/"
until_says 60 probe1 kubectl exec probe2 -- /probe fetch http://probe1.default.svc.cluster.local/
step 'one pod answers the other, by address and by service name'
kubectl get nodes,pods -A -o wide
