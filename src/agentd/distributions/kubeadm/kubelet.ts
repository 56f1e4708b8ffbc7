// The programs kubeadm, kubelet and kubectl, and the kubelet's unit. It runs once the host is a member: see kubelet-service.ts.
import {absentStep, fileStep} from '../../file-step.ts';
import {enableStep} from '../../service-step.ts';
import type {Reconciler, Target} from '../../reconciler.ts';
import {requireContent} from '../../reconcilers/content.ts';
import {installStep} from './install.ts';
import {isVersionChange} from './member.ts';
import {kubeadmDropIn, kubeletUnit, proxyDropIn} from './render-kubelet.ts';

export const kubeletPaths = {
  unit: '/etc/systemd/system/kubelet.service',
  dropIn: '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
  proxy: '/etc/systemd/system/kubelet.service.d/50-trireme-proxy.conf',
};

export const kubelet: Reconciler = {
  name: 'kubelet',
  needs: ['content'],
  inputs: ['content', 'proxy', 'kubernetesVersion'],
  outputs: Object.values(kubeletPaths),
  area: 'kubelet',
  steps: (target) => {
    const {host, wanted} = target;
    const toBin = ({host: {bin}}: Target) => bin;
    const proxy = proxyDropIn(wanted.proxy);
    // another version comes by an upgrade, which has an order of its own
    const programs = isVersionChange(target) ? [] : ['kubeadm', 'kubelet', 'kubectl'].map((name) => installStep(requireContent(wanted, name), toBin));
    return [
      ...programs,
      fileStep({path: kubeletPaths.unit, content: kubeletUnit(host.bin)}),
      fileStep({path: kubeletPaths.dropIn, content: kubeadmDropIn(host.bin)}),
      proxy === undefined ? absentStep(kubeletPaths.proxy) : fileStep({path: kubeletPaths.proxy, content: proxy, mode: '0600'}),
      enableStep('kubelet.service', Object.values(kubeletPaths)),
    ];
  },
};
