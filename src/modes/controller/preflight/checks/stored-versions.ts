// Objects that are kept in a version that nobody serves any more are lost with the next upgrade of the CRD.
import type {ManagementCheck} from '../check.ts';

export const storedVersions: ManagementCheck = {
  id: 'stored-versions',
  title: "Cluster API's objects are kept in versions that are served",
  severity: 'warning',
  of: 'management',
  run: ({unservedStorage}) =>
    (unservedStorage ?? []).map(({crd, versions}) => ({
      observed: `${crd} still lists objects kept in ${versions.join(', ')}, which isn't served`,
      wanted: 'every stored version served',
      remedy: "The provider's controllers write such objects again by themselves; look whether they run: trireme provider list",
    })),
};
