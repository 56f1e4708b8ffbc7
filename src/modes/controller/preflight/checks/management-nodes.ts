// Controllers need nodes to run on.
import type {ManagementCheck} from '../check.ts';

export const managementNodes: ManagementCheck = {
  id: 'management-nodes',
  title: 'The management cluster has nodes that are ready',
  severity: 'warning',
  of: 'management',
  run: ({nodes}) => {
    if (nodes === undefined || (nodes.all > 0 && nodes.ready === nodes.all)) return [];
    return [
      {
        observed: nodes.all === 0 ? 'the management cluster has no nodes' : `${nodes.ready} of ${nodes.all} nodes are ready`,
        wanted: 'nodes that are ready: controllers run on them',
        remedy: 'kubectl get nodes',
        ...(nodes.all > 0 && nodes.ready === 0 ? {severity: 'error' as const} : {}),
      },
    ];
  },
};
