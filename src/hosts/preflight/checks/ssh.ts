// Everything else needs a connection and root.
import type {ClusterCheck} from '../check.ts';

export const ssh: ClusterCheck = {
  id: 'ssh',
  title: 'Every host answers over SSH and tells its facts',
  severity: 'error',
  scope: 'cluster',
  run: ({hosts}) =>
    hosts.flatMap(({name, problem}) =>
      problem === undefined
        ? []
        : [{host: name, observed: problem.message, wanted: 'an SSH connection with root by sudo', remedy: problem.hints[0] ?? `trireme host check ${name}`}],
    ),
};
