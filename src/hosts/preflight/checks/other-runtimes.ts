// Two runtimes fight over iptables, cgroups and /opt/cni. Ours brings its own containerd.
import type {HostCheck} from '../check.ts';
import {unlessForeign} from '../take-out.ts';

const runtimes = ['docker', 'crio', 'cri-docker', 'podman'];
const packages: Readonly<Record<string, readonly string[]>> = {
  docker: ['docker.io', 'docker-ce'],
  crio: ['cri-o'],
  'cri-docker': ['cri-dockerd'],
  containerd: ['containerd', 'containerd.io'],
};

export const otherRuntimes: HostCheck = {
  id: 'other-runtimes',
  title: 'No other container runtime runs',
  severity: 'error',
  scope: 'host',
  run: ({facts, ours, family, foreign}) => {
    const running = [...runtimes, ...(ours ? [] : ['containerd'])].filter((unit) => facts.services[unit] === 'active');
    return running.map((unit) => ({
      observed: `${unit}.service is active`,
      wanted: 'no runtime but the one that Trireme brings',
      remedy: unlessForeign(foreign, `systemctl disable --now ${unit}, then ${family.remove([...(packages[unit] ?? [unit])])}`),
    }));
  },
};
