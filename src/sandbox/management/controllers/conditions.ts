// Conditions as Cluster API keeps and summarises them.
import {listAt, valueAt, type Condition, type KubeObject} from '../../../kube/object.ts';
import {timestamp} from '../writes.ts';

/** What a controller says; when it began is kept from before. */
export interface Said {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message?: string;
}

export const isTrue = (type: string, reason: string, message = ''): Said => ({type, status: 'True', reason, message});
export const isFalse = (type: string, reason: string, message = ''): Said => ({type, status: 'False', reason, message});
export const isUnknown = (type: string, reason: string, message = ''): Said => ({type, status: 'Unknown', reason, message});
export const either = (type: string, claim: boolean, reasons: readonly [string, string], messages: readonly [string, string] = ['', '']): Said =>
  claim ? isTrue(type, reasons[0], messages[0]) : isFalse(type, reasons[1], messages[1]);

export function conditionOf(object: unknown, type: string): Condition | undefined {
  return (listAt(object, 'status', 'conditions') as readonly Condition[]).find((one) => one.type === type);
}

export const holds = (object: unknown, type: string) => conditionOf(object, type)?.status === 'True';

/** Cluster API's own order, as far as anybody sees it. */
const order = [
  'Available',
  'Ready',
  'UpToDate',
  'RemoteConnectionProbe',
  'CertificatesAvailable',
  'Initialized',
  'BootstrapConfigReady',
  'InfrastructureReady',
  'ControlPlaneInitialized',
  'ControlPlaneAvailable',
  'WorkersAvailable',
  'EtcdClusterHealthy',
  'ControlPlaneComponentsHealthy',
  'NodeHealthy',
  'NodeReady',
  'NodeKubeadmLabelsAndTaintsSet',
  'EtcdPodHealthy',
  'EtcdMemberHealthy',
  'APIServerPodHealthy',
  'ControllerManagerPodHealthy',
  'SchedulerPodHealthy',
  'HealthCheckSucceeded',
  'OwnerRemediated',
  'Updating',
  'TopologyReconciled',
  'RollingOut',
  'Remediating',
  'ScalingDown',
  'ScalingUp',
  'MachinesReady',
  'ControlPlaneMachinesReady',
  'WorkerMachinesReady',
  'MachinesUpToDate',
  'ControlPlaneMachinesUpToDate',
  'WorkerMachinesUpToDate',
  'Paused',
  'Deleting',
];
const ranks = new Map(order.map((type, index) => [type, index]));
const rank = (type: string) => ranks.get(type) ?? order.length - 2.5;

/** The conditions of an object after something was said about it. */
export function withConditions(object: KubeObject | Readonly<Record<string, unknown>>, said: readonly Said[]): readonly Condition[] {
  const before = listAt(object, 'status', 'conditions') as readonly Condition[];
  const merged = new Map(before.map((one) => [one.type, one]));
  const observedGeneration = valueAt(object, 'metadata', 'generation') as number | undefined;
  for (const {type, status, reason, message = ''} of said) {
    const old = merged.get(type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : undefined;
    merged.set(type, {
      type,
      status,
      reason,
      message,
      lastTransitionTime: lastTransitionTime ?? timestamp(),
      ...(observedGeneration === undefined ? {} : {observedGeneration}),
    });
  }
  return [...merged.values()].toSorted((a, b) => rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : 1));
}

/** A text under a title: a list goes below it, indented. */
function nested(title: string, text: string): string {
  return text.startsWith('* ')
    ? `* ${title}:\n${text
        .split('\n')
        .map((line) => `  ${line}`)
        .join('\n')}`
    : `* ${title}: ${text}`;
}

/** The first of several objects' complaints, as an aggregate says them: `* Machine a, b: text`. */
export function aggregate(
  type: string,
  objects: readonly KubeObject[],
  reasons: {readonly good: string; readonly bad: string; readonly unknown: string; readonly none?: string},
  of: string = type,
): Said {
  if (objects.length === 0) return isTrue(type, reasons.none ?? 'NoReplicas');
  const bad = objects.filter((one) => conditionOf(one, of)?.status === 'False');
  const unknown = objects.filter((one) => (conditionOf(one, of)?.status ?? 'Unknown') === 'Unknown');
  const groups = new Map<string, string[]>();
  for (const one of [...bad, ...unknown]) {
    const text = conditionOf(one, of)?.message ?? `Condition ${of} not yet reported`;
    groups.set(text, [...(groups.get(text) ?? []), one.metadata.name]);
  }
  const lines = [...groups].map(([text, names]) => {
    const noun = `${objects[0]?.kind ?? 'Machine'}${names.length === 1 ? '' : 's'}`;
    const shown = names.length > 3 ? `${names.slice(0, 3).join(', ')}, ... (${names.length - 3} more)` : names.join(', ');
    return nested(`${noun} ${shown}`, text);
  });
  const message = lines.join('\n');
  if (bad.length > 0) return isFalse(type, reasons.bad, message);
  return unknown.length > 0 ? isUnknown(type, reasons.unknown, message) : isTrue(type, reasons.good);
}

/** A summary of an object's own conditions: `* Type: text`. */
export function summarise(
  type: string,
  object: {readonly said: readonly Said[]},
  of: readonly string[],
  reasons: {readonly good: string; readonly bad: string; readonly unknown: string},
): Said {
  const parts = of.flatMap((name) => object.said.find((one) => one.type === name) ?? []);
  const wrong = parts.filter((one) => (negative.has(one.type) ? one.status !== 'False' : one.status !== 'True'));
  if (wrong.length === 0) return isTrue(type, reasons.good);
  const message = wrong.map((one) => nested(one.type, (one.message ?? '') === '' ? one.reason : (one.message ?? ''))).join('\n');
  const isBad = wrong.some((one) => one.status !== 'Unknown');
  return isBad ? isFalse(type, reasons.bad, message) : isUnknown(type, reasons.unknown, message);
}

const negative = new Set(['Deleting', 'Paused', 'RollingOut', 'ScalingUp', 'ScalingDown', 'Remediating', 'Updating']);
