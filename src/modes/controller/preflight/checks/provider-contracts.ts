// All providers follow a contract that the core provider works with.
import {compatibleContracts} from '../../providers/metadata.ts';
import type {ManagementCheck} from '../check.ts';

export const providerContracts: ManagementCheck = {
  id: 'provider-contracts',
  title: 'All providers follow a contract that the core provider works with',
  severity: 'error',
  of: 'management',
  run: ({providers, contract}) =>
    contract === null
      ? []
      : providers
          .filter((one) => one.contract !== null && !compatibleContracts(contract).includes(one.contract))
          .map((one) => ({
            observed: `${one.provider} ${one.version} follows ${one.contract ?? ''}`,
            wanted: compatibleContracts(contract).join(' or '),
            remedy: `trireme provider upgrade ${one.provider}`,
          })),
};
