// Per file system: several of these folders may share one, and then it needs the sum.
import {mountOf} from '../../facts.ts';
import type {Finding, HostCheck, Role} from '../check.ts';

/** MiB: what the first installation writes, and what a node uses soon after. */
const needs: readonly {readonly path: string; readonly least: number; readonly comfortable: number; readonly roles?: readonly Role[]}[] = [
  {path: '/var/lib/trireme', least: 2048, comfortable: 4096},
  {path: '/var/lib/containerd', least: 3072, comfortable: 15_360},
  {path: '/var/lib/kubelet', least: 512, comfortable: 5120},
  {path: '/var/lib/etcd', least: 512, comfortable: 8192, roles: ['control-plane']},
  {path: '/var/log', least: 256, comfortable: 2048},
  {path: '/usr/local', least: 200, comfortable: 400},
];

export const diskSpace: HostCheck = {
  id: 'disk-space',
  title: 'Every file system that is written to has enough room',
  severity: 'error',
  scope: 'host',
  run: ({facts, role, ours}) => {
    const sums = new Map<string, {free: number; least: number; comfortable: number; folders: string[]}>();
    for (const need of needs.filter(({roles}) => roles === undefined || roles.includes(role))) {
      const mount = mountOf(facts, need.path);
      if (mount === undefined) continue;
      const sum = sums.get(mount.path) ?? {free: mount.free, least: 0, comfortable: 0, folders: []};
      sums.set(mount.path, {
        free: mount.free,
        least: sum.least + need.least,
        comfortable: sum.comfortable + need.comfortable,
        folders: [...sum.folders, need.path],
      });
    }
    return [...sums].flatMap(([path, {free, least, comfortable, folders}]): readonly Finding[] => {
      // what a node already holds is written: only the little that changes remains
      const [needed, roomy] = ours ? [Math.ceil(least / 4), Math.ceil(least / 2)] : [least, comfortable];
      if (free >= roomy) return [];
      const base = {observed: `${free} MiB free on ${path} (for ${folders.join(', ')})`, remedy: `free or add space: df -h ${path}`};
      return [
        free < needed ? {...base, wanted: `${needed} MiB or more`} : {...base, wanted: `${roomy} MiB leave room for images and logs`, severity: 'warning'},
      ];
    });
  },
};
