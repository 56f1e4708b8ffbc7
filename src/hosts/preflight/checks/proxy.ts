// A proxy set for the whole host catches the cluster's own traffic too: nodes are lost after the next reboot.
import {networksOverlap} from '../../parse/addresses.ts';
import type {HostCheck} from '../check.ts';

export const proxy: HostCheck = {
  id: 'proxy',
  title: "The host's proxy settings leave out the cluster's networks",
  severity: 'error',
  scope: 'host',
  run: ({facts, nodeAddresses}, {cluster}) => {
    const set = ['http_proxy', 'https_proxy', 'all_proxy'].filter((name) => (facts.environmentProxy[name] ?? '') !== '');
    if (set.length === 0) return [];
    const {network, endpoint} = cluster.spec;
    const excluded = (facts.environmentProxy['no_proxy'] ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    const isCovered = (target: string) =>
      excluded.some((item) => item === '*' || item === target || networksOverlap(item, target) || (item.startsWith('.') && `.${target}`.endsWith(item)));
    const missing = [...network.pods, ...network.services, endpoint.host, ...nodeAddresses, '.svc'].filter((target) => !isCovered(target));
    return missing.length === 0
      ? []
      : [
          {
            observed: `${set.join(' and ')} set, NO_PROXY lacks ${missing.join(', ')}`,
            wanted: 'pod and service networks, the endpoint, the nodes and .svc in NO_PROXY',
            remedy: `add to NO_PROXY in /etc/environment: ${missing.join(',')}`,
          },
        ];
  },
};
