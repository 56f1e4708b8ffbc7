// The kubelet evicts pods when less than 10 % of the node's or 15 % of the images' file system is free (its hard eviction defaults).
import {mountOf} from '../../facts.ts';
import type {Finding, HostCheck} from '../check.ts';

const thresholds = [
  {path: '/var/lib/kubelet', percent: 10},
  {path: '/var/lib/containerd', percent: 15},
];

export const diskPressure: HostCheck = {
  id: 'disk-pressure',
  title: "The kubelet wouldn't begin with disk pressure",
  severity: 'error',
  scope: 'host',
  run: ({facts, configuration}) => {
    const own = configuration.kubelet['evictionHard'] !== undefined;
    return thresholds.flatMap(({path, percent}): readonly Finding[] => {
      const mount = mountOf(facts, path);
      const free = mount === undefined || mount.size === 0 ? 100 : Math.floor((mount.free / mount.size) * 100);
      if (free >= percent) return [];
      const note = own ? ' (configuration.kubelet.evictionHard sets other thresholds)' : '';
      return [
        {
          observed: `${free} % of ${mount?.path} is free, where ${path} lies${note}`,
          wanted: `${percent} % or more, else pods are evicted at once`,
          remedy: `free space on ${mount?.path}, or set configuration.kubelet.evictionHard`,
          ...(own ? {severity: 'warning' as const} : {}),
        },
      ];
    });
  },
};
