// The agent and all it starts run as root.
import type {HostCheck} from '../check.ts';

export const rootAccess: HostCheck = {
  id: 'root-access',
  title: 'The user becomes root',
  severity: 'error',
  scope: 'host',
  run: ({facts}) =>
    facts.sudo.root
      ? []
      : [
          {
            observed: "scripts don't run as root",
            wanted: 'root, by login or by sudo',
            remedy: 'allow the user to run /bin/sh by sudo: visudo -f /etc/sudoers.d/trireme',
          },
        ],
};
