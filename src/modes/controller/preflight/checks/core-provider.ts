// Cluster API is installed, with something that makes machines.
import type {ManagementCheck} from '../check.ts';

export const coreProvider: ManagementCheck = {
  id: 'core-provider',
  title: 'A core provider, and an infrastructure provider, are installed',
  severity: 'error',
  of: 'management',
  run: ({providers}) =>
    (['core', 'infrastructure'] as const)
      .filter((type) => !providers.some((one) => one.type === type))
      .map((type) => ({
        observed: `no ${type} provider is in the inventory`,
        wanted: `${type === 'core' ? 'the' : 'an'} ${type} provider`,
        remedy: type === 'core' ? 'trireme provider init --infrastructure NAME' : 'trireme provider init --infrastructure NAME',
        // Cluster API may have been installed without clusterctl, so that the inventory doesn't know it
        ...(type === 'core' ? {} : {severity: 'warning' as const}),
      })),
};
