// etcd needs a majority of the control planes for every write; an even number only adds one that can fail.
import {seenAgent} from '../../agent-seen.ts';
import type {ClusterCheck, Finding} from '../check.ts';

export const quorum: ClusterCheck = {
  id: 'quorum',
  title: 'The control planes make a sound quorum',
  severity: 'error',
  scope: 'cluster',
  run: ({hosts, checked, cluster}) => {
    const wanted = (cluster.spec.agent?.hosts ?? []).filter(({role}) => role === 'control-plane').length;
    const looked = hosts.filter(({role}) => role === 'control-plane').length;
    const reached = checked.filter(({role}) => role === 'control-plane');
    const findings: Finding[] = [];
    if (wanted > 0 && wanted % 2 === 0)
      findings.push({
        observed: `${wanted} control planes`,
        wanted: 'an odd number: 1, 3 or 5',
        remedy: `make it ${wanted - 1} or ${wanted + 1}: ${wanted} survive no more failures than ${wanted - 1}`,
        severity: 'warning',
      });
    const majority = Math.floor(wanted / 2) + 1;
    // with --limit the others weren't asked
    if (looked === wanted && reached.length < majority)
      findings.push({
        observed: `${reached.length} of ${wanted} control planes answer`,
        wanted: `${majority} or more`,
        remedy: 'bring the others back first: trireme host check',
      });
    const members = reached.filter(({ours, facts}) => ours && seenAgent(facts)?.member === true);
    const stopped = members.filter(({facts}) => !facts.agent.active);
    if (stopped.length > 0)
      findings.push({
        observed: `the agent is stopped on ${stopped.map(({name}) => name).join(', ')}`,
        wanted: 'an active agent on every control plane',
        remedy: 'systemctl start trireme-agent',
        severity: 'warning',
      });
    return findings;
  },
};
