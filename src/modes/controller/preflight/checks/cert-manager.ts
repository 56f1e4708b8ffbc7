// cert-manager renews the certificates of webhooks: when it stands still, they run out one day.
import type {ManagementCheck} from '../check.ts';

export const certManagerHealthy: ManagementCheck = {
  id: 'cert-manager',
  title: 'cert-manager runs',
  severity: 'warning',
  of: 'management',
  run: ({certManager, certManagerRuns, ownCertificates}) => {
    // without it, this program issued them: that is another check's
    if (certManager.state === 'absent' && ownCertificates.length > 0) return [];
    if (certManager.state === 'absent')
      return [
        {observed: 'cert-manager is not installed', wanted: "something that renews the webhooks' certificates", remedy: 'trireme provider init installs it'},
      ];
    return (certManagerRuns ?? [])
      .filter(({available}) => !available)
      .map(({name}) => ({
        observed: `Deployment cert-manager/${name} is not available`,
        wanted: 'all its Deployments available',
        remedy: 'kubectl -n cert-manager get pods',
      }));
  },
};
