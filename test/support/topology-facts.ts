// Facts of a management cluster for plans of controller mode, made without one.
import {readFileSync} from 'node:fs';
import {parse} from 'yaml';
import type {KubeObject} from '../../src/kube/object.ts';
import {type ClassFacts, readClass} from '../../src/modes/controller/topology/cluster-class.ts';
import type {TopologyFacts} from '../../src/modes/controller/topology/facts.ts';
import {renderServed} from '../../src/modes/controller/topology/gather.ts';
import {checkFiles} from '../../src/spec/read.ts';
import type {DesiredCluster} from '../../src/spec/desired.ts';

const fixture = new URL('../fixtures/controller/class-with-variables.yaml', import.meta.url);

export const harbourObject = parse(readFileSync(fixture, 'utf8')) as KubeObject;
export const harbour: ClassFacts = readClass(harbourObject);

export const fileText = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: bireme}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    class: harbour
    variables:
      size: small
      startup: 3s
    controlPlane: {replicas: 1}
    pools:
      - {name: quay, class: default-worker, replicas: 2}
      - {name: pier, class: default-worker, replicas: 1, labels: {zone: a}}
`;

/** Reads a cluster from text; throws where the file is wrong. */
export async function readText(text: string): Promise<DesiredCluster> {
  const {clusters, complaints} = await checkFiles({files: ['-'], folder: '/', stdin: async () => text, env: {}});
  const [cluster] = clusters;
  if (cluster === undefined) throw new Error(complaints.map(({rule, message}) => `${rule}: ${message}`).join('\n'));
  return cluster;
}

export type FactsChange = Partial<TopologyFacts> & {readonly class?: ClassFacts};

/** A management cluster with the class `harbour` that accepts whatever is sent; `live` as a file's text: the cluster that it made. */
export async function factsFor(
  cluster: DesiredCluster,
  of: {readonly live?: string; readonly change?: FactsChange; readonly edit?: (live: KubeObject) => KubeObject} = {},
): Promise<TopologyFacts> {
  const base = {
    way: 'class',
    simulated: false,
    serverVersion: 'v1.36.3',
    coreVersion: 'v1beta2',
    namespace: {name: 'default', exists: true},
    classes: ['harbour', 'in-memory'],
    class: harbour,
    pools: [],
    missingRights: [],
    ...of.change,
  } as const;
  const made = of.live === undefined ? undefined : liveOf(await readText(of.live));
  const live = made === undefined ? undefined : (of.edit ?? ((object) => object))(made);
  const {object} = renderServed(cluster, base.coreVersion, live, base.class);
  const accepted =
    live === undefined
      ? object
      : {...live, ...object, metadata: {...live.metadata, ...object.metadata}, spec: {...(live['spec'] as object), ...(object['spec'] as object)}};
  return {dryRun: {outcome: 'accepted', object: accepted}, ...base, ...(live === undefined ? {} : {live})};
}

/** The object that an apply of the file made, settled. */
function liveOf(cluster: DesiredCluster): KubeObject {
  const {rendered} = renderServed(cluster, 'v1beta2', undefined, harbour);
  const settled = ['TopologyReconciled', 'Available', 'ControlPlaneAvailable'].map((type) => ({type, status: 'True', observedGeneration: 1}));
  return {
    ...rendered,
    metadata: {...rendered.metadata, uid: 'uid-1', generation: 1},
    status: {observedGeneration: 1, conditions: settled, initialization: {infrastructureProvisioned: true, controlPlaneInitialized: true}},
  };
}
