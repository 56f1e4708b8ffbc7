// Content and agent exist for two architectures.
import type {HostCheck} from '../check.ts';

export const architecture: HostCheck = {
  id: 'architecture',
  title: 'The processor architecture is supported',
  severity: 'error',
  scope: 'host',
  run: ({facts}) =>
    facts.architecture === undefined
      ? [
          {
            observed: facts.kernel.architecture,
            wanted: 'x86_64 or aarch64',
            remedy: 'use a host of another architecture; Kubernetes content and the agent exist for amd64 and arm64',
          },
        ]
      : [],
};
