// The providers' controllers run.
import type {ManagementCheck} from '../check.ts';

export const providersHealthy: ManagementCheck = {
  id: 'providers-healthy',
  title: "The providers' controllers run",
  severity: 'error',
  of: 'management',
  run: ({providers}) =>
    providers
      .filter(({health}) => health === 'degraded')
      .map(({provider, reasons, namespace}) => ({
        observed: `${provider}: ${reasons[0] ?? 'degraded'}`,
        wanted: 'all its Deployments available',
        remedy: `kubectl -n ${namespace} get pods`,
      })),
};
