// kubeadm's Port-N checks. What listens for our own cluster is fine.
import type {HostCheck} from '../check.ts';
import {componentPorts} from '../ports.ts';
import {unlessForeign} from '../take-out.ts';

export const ports: HostCheck = {
  id: 'ports',
  title: 'The ports of the Kubernetes components are free',
  severity: 'error',
  scope: 'host',
  run: ({facts, role, ours, foreign}, {cluster}) =>
    componentPorts(role, cluster.spec.endpoint.port).flatMap(({port, protocol, program}) => {
      const listener = facts.listening.find((candidate) => candidate.port === port && candidate.protocol === protocol);
      // without the program's name (no ss) a member's own listener can't be told from another
      if (listener === undefined || (ours && (listener.program === '' || listener.program.startsWith(program)))) return [];
      const who = listener.program === '' ? 'a program' : listener.program;
      return [
        {
          observed: `${who} listens on ${listener.address}:${port}/${protocol}`,
          wanted: `${port}/${protocol} free for ${program}`,
          remedy: unlessForeign(foreign, `find and stop it: ss -lnp 'sport = :${port}'`),
        },
      ];
    }),
};
