// This user may do what the verbs on a cluster need.
import type {ManagementCheck} from '../check.ts';

export const accessRights: ManagementCheck = {
  id: 'access-rights',
  title: "This user may change clusters in the cluster's namespace",
  severity: 'error',
  of: 'management',
  run: ({access, context}) => {
    const missing = access.filter(({allowed}) => !allowed);
    if (missing.length === 0) return [];
    const name = ({verb, resource, group}: (typeof missing)[number]) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
    return [
      {
        observed: `the user of ${context} may not ${missing.map(name).join(', ')} in namespace ${missing[0]?.namespace ?? ''}`,
        wanted: 'the rights to read and change clusters, and to read their kubeconfig',
        remedy: 'Ask whoever runs the management cluster for a Role with these verbs, or use another context.',
      },
    ];
  },
};
