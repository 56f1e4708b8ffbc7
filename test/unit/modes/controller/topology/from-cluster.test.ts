import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {fileOfCluster} from '../../../../../src/modes/controller/topology/from-cluster.ts';
import {renderCluster, toServed} from '../../../../../src/modes/controller/topology/render-cluster.ts';
import {renderControllerFile} from '../../../../../src/spec/controller-file.ts';
import {fileText, readText} from '../../../../support/topology-facts.ts';

const rich = fileText
  .replace('replicas: 2}', 'replicas: 2, failureDomain: a, taints: [{key: gpu, effect: NoSchedule}], variables: {limits: {cpu: 2}}}')
  .replace(
    'labels: {zone: a}}',
    'labels: {zone: a}}\n      - {name: tide, class: default-worker, autoscale: {min: 0, max: 3}}\n      - {name: fleet, class: pool, kind: MachinePool, replicas: 4}',
  )
  .replace('    class: harbour', '    class: harbour\n    classNamespace: classes\n    labels: {team: sea}');

const objectOf = async (text: string) => {
  const {document} = await readText(text);
  return renderCluster(document, {variables: document.spec.controller?.variables ?? {}});
};

describe('the file of a live cluster', () => {
  it.each(['v1beta2', 'v1beta1'] as const)('renders to the very object that it came from, in %s', async (version) => {
    const object = await objectOf(rich);
    const {file} = fileOfCluster(toServed(object, version), {namespace: 'default'});
    expect(await objectOf(renderControllerFile(file))).toEqual(object);
  });

  it('names what it has no words for, and what a GitOps tool owns', async () => {
    const object = await objectOf(fileText);
    const spec = structuredClone(object['spec']) as {topology: {controlPlane: Record<string, unknown>}};
    spec.topology.controlPlane['deletion'] = {nodeDrainTimeoutSeconds: 10};
    const live: KubeObject = {
      ...object,
      metadata: {
        ...object.metadata,
        labels: {'kustomize.toolkit.fluxcd.io/name': 'fleet', team: 'sea'},
        annotations: {'kubectl.kubernetes.io/last-applied-configuration': '{}'},
        managedFields: [{manager: 'kustomize-controller', operation: 'Apply', fieldsV1: {'f:spec': {'f:topology': {'f:version': {}}}}}],
      },
      spec,
    };
    const {file, notes} = fileOfCluster(live, {namespace: 'default'});
    expect(notes).toEqual([
      'kustomize-controller (Flux) owns spec.topology.version: these are left alone; change them in its repository.',
      'Left alone, since the file has no words for it: controlPlane.deletion.',
    ]);
    expect(file.controller['labels']).toEqual({team: 'sea'});
    expect(file.controller['annotations']).toBeUndefined();
  });
});
