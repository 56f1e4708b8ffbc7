// Why a Deployment isn't available: the nearest cause that its ReplicaSets, pods and the cluster's nodes tell.
import type {KubeApi} from '../../../kube/api.ts';
import {type Condition, type KubeObject, listAt, numberAt, textAt, valueAt} from '../../../kube/object.ts';

/** A sentence's part, `its pod can't be scheduled: 0/1 nodes are available`. Only reads; what can't be read is passed over. */
export async function explainDeployment(api: KubeApi, deployment: KubeObject, signal: AbortSignal): Promise<string> {
  if (numberAt(deployment, 'status', 'observedGeneration') === undefined) {
    const nodes = await countNodes(api, signal);
    if (nodes === 0) return 'the cluster has no nodes, and no kube-controller-manager looks after Deployments';
    return 'no kube-controller-manager has looked at it';
  }
  const failure = conditions(deployment).find(({type, status}) => type === 'ReplicaFailure' && status === 'True');
  if (failure?.message !== undefined) return `its pods can't be made: ${failure.message}`;
  const pods = await podsOf(api, deployment, signal);
  const told = pods.map(explainPod).find((text) => text !== undefined);
  const nodes = await countNodes(api, signal);
  if (nodes === 0) return `the cluster has no nodes${told === undefined ? '' : `: ${told}`}`;
  if (told !== undefined) return told;
  const progress = conditions(deployment).find(({type}) => type === 'Available');
  return progress?.message ?? (pods.length === 0 ? 'it has no pods yet' : 'its pods are not ready yet');
}

function conditions(object: KubeObject): readonly Condition[] {
  return listAt(object, 'status', 'conditions') as readonly Condition[];
}

async function podsOf(api: KubeApi, deployment: KubeObject, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const labels = Object.entries((valueAt(deployment, 'spec', 'selector', 'matchLabels') ?? {}) as Readonly<Record<string, string>>);
  if (labels.length === 0) return [];
  const {namespace} = deployment.metadata;
  try {
    const resource = await api.resource({apiVersion: 'v1', kind: 'Pod'});
    const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(',');
    return (await api.list(resource, {...(namespace === undefined ? {} : {namespace}), labelSelector, signal})).items;
  } catch {
    return [];
  }
}

async function countNodes(api: KubeApi, signal: AbortSignal): Promise<number | undefined> {
  try {
    const resource = await api.resource({apiVersion: 'v1', kind: 'Node'});
    return (await api.list(resource, {metadataOnly: true, signal})).items.length;
  } catch {
    return undefined;
  }
}

/** What holds a pod up; undefined when nothing does. */
function explainPod(pod: KubeObject): string | undefined {
  const {name} = pod.metadata;
  const scheduled = conditions(pod).find(({type}) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return `the pod ${name} can't be scheduled: ${scheduled.message ?? scheduled.reason ?? 'no reason given'}`;
  for (const status of [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')]) {
    const container = textAt(status, 'name') ?? '';
    const reason = textAt(status, 'state', 'waiting', 'reason');
    if (reason !== undefined && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
      const last = textAt(status, 'lastState', 'terminated', 'message') ?? textAt(status, 'lastState', 'terminated', 'reason');
      const message = textAt(status, 'state', 'waiting', 'message') ?? '';
      return `the container ${container} of the pod ${name} waits: ${reason}${message === '' ? '' : ` (${message})`}${last === undefined ? '' : `; it ended before: ${last}`}`;
    }
    const ended = valueAt(status, 'state', 'terminated');
    if (ended !== undefined && numberAt(ended, 'exitCode') !== 0)
      return `the container ${container} of the pod ${name} ended with ${String(numberAt(ended, 'exitCode'))}: ${textAt(ended, 'message') ?? textAt(ended, 'reason') ?? 'no reason given'}`;
  }
  const ready = conditions(pod).find(({type}) => type === 'Ready');
  if (ready?.status === 'False') return `the pod ${name} isn't ready: ${ready.message ?? ready.reason ?? 'no reason given'}`;
  return scheduled === undefined ? `the pod ${name} has not been scheduled: is there a kube-scheduler?` : undefined;
}
