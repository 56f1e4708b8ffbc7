// On a member the kubelet runs, with the configuration that is wanted now.
import {parse, stringify} from 'yaml';
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {markStale, serviceStep} from '../../service-step.ts';
import type {AgentStep, Reconciler, Target} from '../../reconciler.ts';
import {memberNeeds} from './names.ts';
import {isContained, leafPaths, mergeOver, without, type Settings} from './merge.ts';
import {kubeletPaths} from './kubelet.ts';
import {renderKubelet} from './render-kubelet.ts';
import {traitsOf} from './traits.ts';

const path = '/var/lib/kubelet/config.yaml';
const flags = '/var/lib/kubelet/kubeadm-flags.env';

export const kubeletService: Reconciler = {
  name: 'kubelet-service',
  needs: [...memberNeeds, 'upgrade'],
  inputs: ['configuration.kubelet', 'network', 'content', 'proxy'],
  outputs: [path],
  area: 'kubelet',
  steps: async ({host, wanted}) => [configStep(renderKubelet(wanted, await traitsOf(host))), kubeletServiceStep(wanted, true)],
};

/** The kubelet runs with the program and the settings that lie there now. `adopts`: kubeadm has just started it with them. */
export function kubeletServiceStep(wanted: Pick<Wanted, 'content'>, adopts: boolean): AgentStep {
  return serviceStep({
    unit: 'kubelet.service',
    adopts,
    files: [path, flags, ...Object.values(kubeletPaths)],
    also: wanted.content.filter((item) => item.name === 'kubelet').map((item) => item.digest),
  });
}

/**
 * kubeadm writes the file with fields of its own beside ours (resolvConf and the like), so only our fields are kept right. Those that we set
 * once and want no more are taken out.
 */
function configStep(fields: Settings): AgentStep {
  const key = 'kubelet.fields';
  const look = async ({host, records}: Target) => {
    const found = (parse((await host.read(path)) ?? '') ?? {}) as Settings;
    const wantedPaths = new Set(leafPaths(fields).map((leaf) => leaf.join('\0')));
    const stale = (records.get<readonly (readonly string[])[]>(key) ?? []).filter((leaf) => !wantedPaths.has(leaf.join('\0')));
    return {found, stale};
  };
  return {
    id: 'kubelet-config',
    title: "Write the kubelet's configuration",
    subject: path,
    effect: 'restart',
    check: async ({scope}) => {
      const {found, stale} = await look(scope);
      return stale.length === 0 && isContained(fields, found) && scope.records.get(key) !== undefined ? 'satisfied' : 'needed';
    },
    apply: async ({scope}) => {
      const {found, stale} = await look(scope);
      const wanted = mergeOver(stale.reduce(without, found), fields);
      if (JSON.stringify(wanted) !== JSON.stringify(found)) {
        await markStale(scope, 'kubelet.service');
        await scope.host.write(path, stringify(wanted, {lineWidth: 0}), '0644');
      }
      await scope.records.set(key, leafPaths(fields));
    },
    found: async ({host}) => ((await host.exists(path)) ? 'other settings' : 'missing'),
  };
}
