// What the bootstrap cluster keeps of a pivot: the way to the new cluster, whose own Secret with it leaves with the move. With it any computer can go on.
import type {KubeObject} from '../../../kube/object.ts';
import {textAt} from '../../../kube/object.ts';
import type {ControllerScope} from '../scope.ts';
import {hideCredentials, secrets} from '../workload.ts';

const stateAnnotation = 'trireme.dev/pivot';
const serverAnnotation = 'trireme.dev/pivot-server';

export interface PivotRecord {
  /** `moving`: the move may have begun. `done`: the cluster manages itself; nothing secret is kept any more. */
  readonly state: 'moving' | 'done';
  /** The new cluster's API. */
  readonly server: string;
  /** Its administrator's kubeconfig; empty when it's done. */
  readonly kubeconfig: string;
}

/** Name of the Secret. */
export const recordName = (cluster: string) => `${cluster}-pivot`;

export async function readRecord(scope: ControllerScope, cluster: string, signal: AbortSignal): Promise<PivotRecord | undefined> {
  const name = recordName(cluster);
  const secret = await scope.api.get(secrets, {namespace: scope.namespace, name}, {signal});
  const state = secret?.metadata.annotations?.[stateAnnotation];
  if (secret === undefined || (state !== 'moving' && state !== 'done')) return undefined;
  const kubeconfig = Buffer.from(textAt(secret, 'data', 'kubeconfig') ?? '', 'base64').toString('utf8');
  if (kubeconfig !== '') hideCredentials(kubeconfig, `in the Secret ${name}`, scope.options.redactor);
  return {state, server: secret.metadata.annotations?.[serverAnnotation] ?? '', kubeconfig};
}

export async function writeRecord(scope: ControllerScope, cluster: string, record: PivotRecord, signal: AbortSignal): Promise<void> {
  const secret: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: recordName(cluster), namespace: scope.namespace, annotations: {[stateAnnotation]: record.state, [serverAnnotation]: record.server}},
    type: 'trireme.dev/pivot',
    data: {kubeconfig: Buffer.from(record.kubeconfig).toString('base64')},
  };
  await scope.api.apply(secret, {force: true, signal});
}
