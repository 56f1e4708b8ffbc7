// New machines for old ones, without any other change: `rollout.after`, for the control plane and pools.
import {numberAt, textAt} from '../../../kube/object.ts';
import type {HostPlan, Plan, Step, Warning} from '../../../plan/plan.ts';
import type {Intent} from '../../mode.ts';
import type {ControllerScope} from '../scope.ts';
import {fieldAt, fieldStep, type FieldPath} from './field-step.ts';
import {lookAtCluster, type LiveCluster, type LivePool} from './live.ts';
import {controlPlaneHost, controlPlaneProgress, poolProgress} from './progress.ts';
import {poolPath, requirePool} from './scale.ts';
import {changedHost, pausedWarning, refuse, requireAlive, verbPlan, type VerbOptions} from './verb-plan.ts';
import {SharedLook, waitStep} from './wait-step.ts';

export type RestartIntent = Extract<Intent, {verb: 'restart'}>;

interface Restarted {
  readonly plan: HostPlan;
  readonly step: Step<ControllerScope>;
}

/** Throws `plan.refused`, `pool.not-found`. */
export function planRestart(live: LiveCluster, intent: RestartIntent, options: VerbOptions): Plan<ControllerScope> {
  requireAlive(live, 'restart');
  const {at} = intent;
  const isAll = intent.controlPlane !== true && intent.pools === undefined;
  const warnings: Warning[] = [...pausedWarning(live)];
  const pools = isAll ? live.pools : (intent.pools ?? []).map((name) => requirePool(live, name));
  const groups = pools.filter((pool) => pool.kind === 'MachinePool');
  if (!isAll && groups[0] !== undefined)
    throw refuse(`${groups[0].name} is a MachinePool: Cluster API has no way to restart one.`, [
      "Change something of its template, or use the infrastructure provider's own way",
    ]);
  if (groups.length > 0)
    warnings.push({
      code: 'pool.not-restarted',
      message: `Machine pools have no way to be restarted, and are left as they are: ${groups.map((pool) => pool.name).join(', ')}.`,
    });
  const restarted = [
    ...(isAll || intent.controlPlane === true ? [restartControlPlane(live, at)] : []),
    ...pools.filter((pool) => pool.kind === 'MachineDeployment' && (pool.inTopology || pool.object !== undefined)).map((pool) => restartPool(live, pool, at)),
  ];
  const look = new SharedLook((scope, signal) => lookAtCluster(scope, live.name, {signal}));
  return verbPlan(live, {
    operation: 'restart',
    hosts: restarted.map((one) => one.plan),
    phases: [
      {title: 'Want new machines', steps: restarted.map((one) => one.step), concurrency: 1},
      {title: 'Wait for the new machines', steps: options.wait ? restarted.map((one) => waitFor(one.plan.host, at, look)) : []},
    ],
    basis: {at, hosts: restarted.map((one) => one.plan.host)},
    warnings,
  });
}

function waitFor(host: string, at: string, look: SharedLook<LiveCluster>): Step<ControllerScope> {
  return waitStep({
    id: `wait/${host}`,
    title: 'Wait for the new machines',
    host,
    subject: host,
    condition: 'UpToDate',
    look: async (scope, signal) => {
      const now = await look.now(scope, signal);
      return host === controlPlaneHost ? controlPlaneProgress(now, {newerThan: at}) : poolProgress(now, host, {newerThan: at});
    },
  });
}

function restartControlPlane(live: LiveCluster, at: string): Restarted {
  const own = live.controlPlane;
  if (own === undefined) throw refuse(`${live.name} has no control plane object to restart.`);
  if (own.resource.kind !== 'KubeadmControlPlane' && !live.hasTopology)
    throw refuse(`A control plane of kind ${own.resource.kind} has no rollout.after that is known here.`);
  const count = numberAt(own.object, 'spec', 'replicas') ?? 0;
  return restart(live, {
    host: controlPlaneHost,
    role: 'control plane',
    at,
    count,
    ...(live.hasTopology
      ? {resource: live.resource, object: live.cluster, path: ['spec', 'topology', 'controlPlane', 'rollout', 'after']}
      : {resource: own.resource, object: own.object, path: ['spec', 'rollout', 'after']}),
  });
}

function restartPool(live: LiveCluster, pool: LivePool, at: string): Restarted {
  const base = {host: pool.name, role: 'pool', at, count: pool.replicas ?? 0};
  if (pool.inTopology) return restart(live, {...base, resource: live.resource, object: live.cluster, path: [...poolPath(pool), 'rollout', 'after']});
  if (pool.object === undefined || pool.resource === undefined) throw refuse(`The pool ${pool.name} has no object to restart.`);
  return restart(live, {...base, resource: pool.resource, object: pool.object, path: ['spec', 'rollout', 'after']});
}

interface RestartParts {
  readonly host: string;
  readonly role: string;
  readonly at: string;
  readonly count: number;
  readonly resource: LiveCluster['resource'];
  readonly object: LiveCluster['cluster'];
  readonly path: FieldPath;
}

function restart(live: LiveCluster, {host, role, at, count, resource, object, path}: RestartParts): Restarted {
  const from = fieldAt(object, path);
  const {name} = object.metadata;
  return {
    plan: changedHost(host, role, [
      {
        path: 'rollout.after',
        ...(typeof from === 'string' ? {from} : {}),
        to: at,
        effect: 'replace',
        why: `${count} ${count === 1 ? 'machine' : 'machines'} replaced, one after the other`,
      },
    ]),
    step: fieldStep({
      id: `restart/${host}`,
      title: 'Want new machines',
      host,
      effect: 'replace',
      resource,
      key: {namespace: textAt(object, 'metadata', 'namespace') ?? live.namespace, name},
      changes: [{path, ...(from === undefined ? {} : {from}), to: at}],
      done: `machines from before ${at} are replaced`,
    }),
  };
}
