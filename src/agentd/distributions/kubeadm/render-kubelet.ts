// The kubelet's configuration and its systemd unit.
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {mergeOver, type Settings} from './merge.ts';
import {cgroupDriverOf, type HostTraits} from './render-containerd.ts';

export const criSocket = 'unix:///run/containerd/containerd.sock';

/** The address of cluster DNS: the tenth of the services' network, as kubeadm chooses it. */
export function dnsAddressOf(cidr: string): string {
  const [base = ''] = cidr.split('/');
  if (!base.includes(':')) {
    const number = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + 10;
    return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
  }
  return base.endsWith('::') ? `${base}a` : base.replace(/[0-9a-f]*$/, (last) => (Number.parseInt(last || '0', 16) + 10).toString(16));
}

/** The fields that we answer for: kubeadm's own, so that taking an override back leads to them, with the file's over them. */
export function renderKubelet(wanted: Wanted, traits: HostTraits): Settings {
  const base: Settings = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: '/etc/kubernetes/pki/ca.crt'}},
    authorization: {mode: 'Webhook'},
    cgroupDriver: cgroupDriverOf(wanted, traits),
    clusterDNS: wanted.network.services.map(dnsAddressOf).slice(0, 1),
    clusterDomain: wanted.network.dnsDomain,
    containerRuntimeEndpoint: criSocket,
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    rotateCertificates: true,
    staticPodPath: '/etc/kubernetes/manifests',
    // its default lies below /usr, and the kubelet would try to make it
    ...(traits.isUsrLocked === true ? {volumePluginDir: '/var/lib/kubelet/volumeplugins'} : {}),
  };
  return mergeOver(base, wanted.configuration.kubelet);
}

/** /etc/systemd/system/kubelet.service; its flags come from kubeadm through the drop-in. */
export function kubeletUnit(bin: string): string {
  return `# Written by Trireme
[Unit]
Description=kubelet: the Kubernetes node agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target containerd.service
After=network-online.target containerd.service

[Service]
ExecStart=${bin}/kubelet
Restart=always
StartLimitInterval=0
RestartSec=5
CPUAccounting=true
MemoryAccounting=true

[Install]
WantedBy=multi-user.target
`;
}

/** The drop-in that kubeadm expects beside the unit (its file names are fixed there). */
export function kubeadmDropIn(bin: string): string {
  return `# Written by Trireme
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=${bin}/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;
}

/** /etc/systemd/system/containerd.service */
export function containerdUnit(bin: string): string {
  return `# Written by Trireme
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target dbus.service

[Service]
Environment=PATH=${bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=${bin}/containerd --config /etc/containerd/config.toml
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
`;
}

/** A systemd drop-in with the proxy's environment; undefined when there's no proxy. */
export function proxyDropIn(proxy: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(proxy);
  if (entries.length === 0) return undefined;
  // systemd: a per cent sign begins a specifier
  const lines = entries.map(([name, value]) => `Environment="${name}=${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`);
  return `# Written by Trireme\n[Service]\n${lines.join('\n')}\n`;
}
