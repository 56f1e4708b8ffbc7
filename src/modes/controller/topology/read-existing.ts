// Finds a live cluster for `init --from-cluster`.
import {TriremeError} from '../../../kernel/errors.ts';
import {valueAt} from '../../../kube/object.ts';
import {listOr, nearest} from '../../../spec/nearest.ts';
import type {ControllerScope, ManagementReference} from '../scope.ts';
import {fileOfCluster, type ReadBack} from './from-cluster.ts';
import {coreResource} from './gather.ts';

/** The file of a live cluster with a class. Throws `cluster.not-found`, naming the nearest, and `mode.unsupported` for one without a class. */
export async function readExisting(scope: ControllerScope, name: string, reference: ManagementReference): Promise<ReadBack> {
  const {api, namespace} = scope;
  const {signal} = scope.options;
  const {cluster: resource} = await coreResource(api);
  const live = await api.get(resource, {name, namespace}, {signal});
  if (live === undefined) {
    const names = (await api.list(resource, {namespace, metadataOnly: true, signal})).items.map((one) => one.metadata.name);
    const meant = nearest(name, names);
    throw new TriremeError('cluster.not-found', `The namespace ${namespace} of ${api.context} has no cluster ${name}.`, {
      hints: [
        meant === undefined ? (names.length === 0 ? 'It has none; choose another with -n NAMESPACE.' : `It has ${listOr(names)}.`) : `Did you mean ${meant}?`,
      ],
    });
  }
  if (valueAt(live, 'spec', 'topology') === undefined)
    throw new TriremeError('mode.unsupported', `The cluster ${name} has no class: its objects say what it is made of, and no short file could.`, {
      hints: ['The verbs on live clusters work without a file: trireme cluster scale, upgrade, delete.'],
    });
  return fileOfCluster(live, {
    ...(reference.kubeconfig === undefined ? {} : {kubeconfig: reference.kubeconfig}),
    ...(reference.context === undefined ? {} : {context: reference.context}),
    namespace,
  });
}
