// What Cluster API refuses in a ClusterClass: classes that are there twice or still used, and deleting one that has clusters.
import {listAt, textAt, type KubeObject} from '../../../kube/object.ts';
import type {FieldError} from '../failure.ts';
import type {Rules, World} from './admission.ts';
import {forbiddenField, invalidField} from './field-error.ts';

function clustersOf(clusterClass: KubeObject, {store, kinds}: World): readonly KubeObject[] {
  return store.list(kinds.need('cluster.x-k8s.io', 'Cluster')).filter((cluster) => {
    const namespace = textAt(cluster, 'spec', 'topology', 'classRef', 'namespace') ?? cluster.metadata.namespace;
    return textAt(cluster, 'spec', 'topology', 'classRef', 'name') === clusterClass.metadata.name && namespace === clusterClass.metadata.namespace;
  });
}

function validate(clusterClass: KubeObject, old: KubeObject | undefined, world: World): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ['machineDeployments', 'machinePools']) {
    const noun = kind === 'machineDeployments' ? 'MachineDeployment' : 'MachinePool';
    const classes = listAt(clusterClass, 'spec', 'workers', kind).map((one) => textAt(one, 'class') ?? '');
    for (const [index, name] of classes.entries())
      if (classes.indexOf(name) !== index)
        errors.push(
          invalidField(`spec.workers.${kind}[${index}].class`, name, `${noun} class must be unique. ${noun} with class "${name}" is defined more than once`),
        );
    if (old === undefined) continue;
    const removed = listAt(old, 'spec', 'workers', kind)
      .map((one) => textAt(one, 'class') ?? '')
      .filter((name) => !classes.includes(name));
    const users = removed.length === 0 ? [] : clustersOf(clusterClass, world);
    for (const name of removed) {
      const used = users.filter((cluster) => listAt(cluster, 'spec', 'topology', 'workers', kind).some((pool) => textAt(pool, 'class') === name));
      if (used.length > 0)
        errors.push(
          forbiddenField(
            `spec.workers.${kind}`,
            `${noun}Class "${name}" cannot be deleted because it is used by Cluster(s) "${used.map((one) => one.metadata.name).join(',')}"`,
          ),
        );
    }
  }
  return errors;
}

export const clusterClassRules: Rules = {
  webhook: 'clusterclass.cluster.x-k8s.io',
  validate,
  whyKept: (clusterClass, world) => {
    const names = clustersOf(clusterClass, world).map((one) => `${one.metadata.namespace}/${one.metadata.name}`);
    if (names.length === 0) return undefined;
    const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')}, ... (${names.length - 3} more)` : names.join(', ');
    return `ClusterClass cannot be deleted because it is used by Cluster(s): ${shown}`;
  },
};
