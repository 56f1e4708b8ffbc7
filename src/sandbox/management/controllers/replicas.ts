// What sets, deployments and control planes all say of their machines.
import {textAt, type KubeObject} from '../../../kube/object.ts';
import type {Draft} from '../draft.ts';
import {aggregate, conditionOf, either, holds, isFalse, isTrue, type Said} from './conditions.ts';
import {isLeaving} from './names.ts';

export function countsOf(machines: readonly KubeObject[]): Draft {
  const versions = new Map<string, number>();
  for (const machine of machines) {
    const version = textAt(machine, 'spec', 'version') ?? '';
    versions.set(version, (versions.get(version) ?? 0) + 1);
  }
  const count = (type: string) => machines.filter((one) => holds(one, type)).length;
  return {
    replicas: machines.length,
    readyReplicas: count('Ready'),
    availableReplicas: count('Available'),
    upToDateReplicas: count('UpToDate'),
    ...(versions.size === 0 ? {} : {versions: [...versions].toSorted().map(([version, replicas]) => ({version, replicas}))}),
  };
}

export interface Group {
  readonly machines: readonly KubeObject[];
  readonly wanted: number;
  readonly isLeaving: boolean;
  /** Why machines can't be made, in lines. */
  readonly blockedBy?: readonly string[];
  readonly hasRollout: boolean;
}

export function groupConditions({machines, wanted, isLeaving: leaving, blockedBy = [], hasRollout}: Group): readonly Said[] {
  const target = leaving ? 0 : wanted;
  const current = machines.length;
  const outdated = machines.filter((one) => conditionOf(one, 'UpToDate')?.status === 'False');
  const up = `Scaling up from ${current} to ${target} replicas${blockedBy.length === 0 ? '' : ` is blocked because:\n${blockedBy.map((one) => `* ${one}`).join('\n')}`}`;
  const remediated = machines.filter(
    (one) => conditionOf(one, 'OwnerRemediated')?.status === 'False' && conditionOf(one, 'HealthCheckSucceeded')?.status === 'False',
  );
  const rollout = outdated.length === 0 || leaving ? isFalse('RollingOut', 'NotRollingOut') : isTrue('RollingOut', 'RollingOut', rolloutMessage(outdated));
  return [
    current < target ? isTrue('ScalingUp', 'ScalingUp', up) : isFalse('ScalingUp', 'NotScalingUp'),
    current > target ? isTrue('ScalingDown', 'ScalingDown', `Scaling down from ${current} to ${target} replicas`) : isFalse('ScalingDown', 'NotScalingDown'),
    aggregate('MachinesReady', machines, {good: 'Ready', bad: 'NotReady', unknown: 'ReadyUnknown'}, 'Ready'),
    // a machine that is just made isn't asked yet
    aggregate(
      'MachinesUpToDate',
      machines.filter((one) => conditionOf(one, 'UpToDate') !== undefined),
      {good: 'UpToDate', bad: 'NotUpToDate', unknown: 'UpToDateUnknown'},
      'UpToDate',
    ),
    either(
      'Remediating',
      remediated.length > 0,
      ['Remediating', 'NotRemediating'],
      [remediated.map((one) => `* Machine ${one.metadata.name}: ${conditionOf(one, 'OwnerRemediated')?.message ?? ''}`).join('\n'), ''],
    ),
    ...(hasRollout ? [rollout] : []),
  ];
}

function rolloutMessage(outdated: readonly KubeObject[]): string {
  const why = [...new Set(outdated.flatMap((one) => (conditionOf(one, 'UpToDate')?.message ?? '').split('\n').filter((line) => line !== '')))];
  return [`Rolling out ${outdated.length} not up-to-date replicas`, ...why].join('\n');
}

export const deletingCondition = (object: KubeObject, text: string): Said =>
  isLeaving(object) ? isTrue('Deleting', 'Deleting', text) : isFalse('Deleting', 'NotDeleting');

export const deletingMachines = (count: number) => (count === 0 ? 'Deletion completed' : `Deleting ${count} Machine${count === 1 ? '' : 's'}`);

/** A whole number, or a percentage of `total`. */
export function scaled(value: unknown, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value;
  const percent = Number.parseInt(String(value ?? '0'), 10);
  return roundUp ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}
