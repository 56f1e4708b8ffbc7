// The management cluster answers, and takes our credentials.
import type {ReachCheck} from '../check.ts';

export const apiReachable: ReachCheck = {
  id: 'api',
  title: 'The management cluster answers',
  severity: 'error',
  of: 'reach',
  run: ({problem}) =>
    problem === undefined
      ? []
      : [
          {
            observed: problem.message,
            wanted: 'an API server that answers and takes the credentials',
            remedy: problem.hints[0] ?? 'Look at the kubeconfig: kubectl config view',
          },
        ],
};
