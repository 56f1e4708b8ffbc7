// Another Kubernetes on the host uses the same ports, folders and firewall rules.
import type {HostCheck} from '../check.ts';

const clusters = [
  {name: 'K3s', units: ['k3s', 'k3s-agent'], paths: ['/var/lib/rancher/k3s'], remedy: '/usr/local/bin/k3s-uninstall.sh (or k3s-agent-uninstall.sh)'},
  {name: 'RKE2', units: ['rke2-server', 'rke2-agent'], paths: ['/var/lib/rancher/rke2'], remedy: '/usr/local/bin/rke2-uninstall.sh'},
  {name: 'MicroK8s', units: ['snap.microk8s.daemon-kubelite'], paths: ['/var/snap/microk8s'], remedy: 'snap remove --purge microk8s'},
  {name: 'Canonical Kubernetes', units: ['snap.k8s.kubelet'], paths: ['/var/snap/k8s'], remedy: 'snap remove --purge k8s'},
  {name: 'k0s', units: ['k0scontroller', 'k0sworker'], paths: ['/var/lib/k0s'], remedy: 'k0s stop && k0s reset'},
  {name: 'Palette', units: [], paths: ['/opt/spectrocloud'], remedy: "remove Palette's agent as its documentation says, or install the system anew"},
];

export const otherClusters: HostCheck = {
  id: 'other-clusters',
  title: 'No other Kubernetes distribution is on the host',
  severity: 'error',
  scope: 'host',
  run: ({facts}) =>
    clusters.flatMap(({name, units, paths, remedy}) => {
      const signs = [
        ...units.filter((unit) => facts.services[unit] === 'active').map((unit) => `${unit}.service is active`),
        ...paths.filter((path) => facts.leftovers.includes(path)).map((path) => `${path} exists`),
      ];
      return signs.length === 0 ? [] : [{observed: `${name}: ${signs.join(', ')}`, wanted: `no ${name}`, remedy}];
    }),
};
