// What an old kubeadm cluster leaves behind stops a new one: certificates of another CA, an etcd member of another cluster.
import type {HostCheck} from '../check.ts';
import {unlessForeign} from '../take-out.ts';

const paths = [
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/manifests',
  '/etc/kubernetes/pki',
  '/var/lib/etcd/member',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/pki',
  '/var/lib/kubelet/pods',
];

export const kubernetesLeftovers: HostCheck = {
  id: 'kubernetes-leftovers',
  title: 'Nothing of an earlier Kubernetes cluster is left',
  severity: 'error',
  scope: 'host',
  run: ({facts, ours, foreign}) => {
    const found = ours ? [] : paths.filter((path) => facts.leftovers.includes(path));
    if (found.length === 0) return [];
    return [
      {
        observed: found.join(', '),
        wanted: 'none of these',
        remedy: unlessForeign(
          foreign,
          `${facts.tools['kubeadm'] === undefined ? '' : 'kubeadm reset -f; '}save what you need, then: rm -rf ${found.join(' ')}`,
        ),
      },
    ];
  },
};
