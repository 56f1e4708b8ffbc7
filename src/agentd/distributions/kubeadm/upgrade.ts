// Another Kubernetes version than the one that this host joined with.
import {TriremeError} from '../../../kernel/errors.ts';
import type {Reconciler} from '../../reconciler.ts';
import {isVersionChange, memberOf} from './member.ts';
import {memberNeeds} from './names.ts';

/** This version of the agent can't upgrade, and says so rather than leave the difference unnoticed. */
export const upgrade: Reconciler = {
  name: 'upgrade',
  needs: memberNeeds,
  inputs: ['kubernetesVersion'],
  outputs: ['kubernetes version'],
  interval: 60_000,
  steps: (target) => {
    if (!isVersionChange(target)) return [];
    const {kubernetesVersion} = target.wanted;
    const {name} = target.host;
    return [
      {
        id: 'upgrade',
        title: `Upgrade to ${kubernetesVersion}`,
        effect: 'drain',
        check: async () => 'needed',
        apply: async () => {
          throw new TriremeError(
            'mode.unsupported',
            `${name} runs ${memberOf(target)?.kubernetesVersion} and ${kubernetesVersion} is wanted; this version of the agent doesn't upgrade.`,
            {
              host: name,
              hints: [`Put the version back in the file, or upgrade by hand with kubeadm.`],
            },
          );
        },
      },
    ];
  },
};
