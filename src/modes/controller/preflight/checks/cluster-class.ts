// The class is there, and Cluster API has read its variables.
import type {ManagementCheck} from '../check.ts';

export const clusterClass: ManagementCheck = {
  id: 'cluster-class',
  title: 'The ClusterClass is there and its variables are read',
  severity: 'error',
  of: 'management',
  run: ({clusterClass: found}) => {
    if (found === undefined) return [];
    const place = `${found.namespace}/${found.name}`;
    if (found.missing)
      return [
        {
          observed: `there is no ClusterClass ${place}`,
          wanted: 'the class that the file names',
          remedy: `kubectl get clusterclasses -A; apply the class, or correct spec.controller.class`,
        },
      ];
    return (['VariablesReady', 'RefVersionsUpToDate'] as const).flatMap((type) => {
      const condition =
        found.conditions.find((one) => one.type === type) ?? found.conditions.find((one) => one.type === 'VariablesReconciled' && type === 'VariablesReady');
      if (condition?.status === 'True') return [];
      // classes of v1beta1 don't have the second
      if (condition === undefined && type === 'RefVersionsUpToDate') return [];
      return [
        {
          observed: `ClusterClass ${place}: ${type} is ${condition?.status ?? 'not told yet'}${condition?.message === undefined || condition.message === '' ? '' : `: ${condition.message}`}`,
          wanted: `${type} is True`,
          remedy: `kubectl -n ${found.namespace} describe clusterclass ${found.name}`,
          ...(type === 'RefVersionsUpToDate' ? {severity: 'warning' as const} : {}),
        },
      ];
    });
  },
};
