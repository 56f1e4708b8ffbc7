// What the suites of the management API are held against, and the objects that they make.
import {TriremeError} from '../../src/kernel/errors.ts';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import type {KubeObject} from '../../src/kube/object.ts';

export interface ManagementSubject {
  /** May do everything. */
  readonly api: KubeApi;
  /** May get, list and watch. */
  readonly readOnly: KubeApi;
  /** How long a cluster's next state is waited for, in ms. */
  readonly patience: number;
  close(): Promise<void>;
}

export const core = (kind: string, plural: string, namespaced = true): Resource => ({group: '', version: 'v1', plural, kind, namespaced});
export const capi = (kind: string, plural: string): Resource => ({group: 'cluster.x-k8s.io', version: 'v1beta2', plural, kind, namespaced: true});
export const clusters = capi('Cluster', 'clusters');
/** A Cluster of the class that both APIs have. */
export const clusterObject = (name: string, topology: Readonly<Record<string, unknown>> = {}): KubeObject => ({
  apiVersion: 'cluster.x-k8s.io/v1beta2',
  kind: 'Cluster',
  metadata: {name, namespace: 'default'},
  spec: {
    clusterNetwork: {services: {cidrBlocks: ['10.128.0.0/12']}, pods: {cidrBlocks: ['192.168.0.0/16']}, serviceDomain: 'cluster.local'},
    topology: {
      classRef: {name: 'in-memory'},
      version: 'v1.35.4',
      controlPlane: {replicas: 1},
      workers: {machineDeployments: [{class: 'default-worker', name: 'md-0', replicas: 1}]},
      ...topology,
    },
  },
});

/** The code of the error that some work ends with, or `done`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof TriremeError) return error.code;
    throw error;
  }
  return 'done';
}
