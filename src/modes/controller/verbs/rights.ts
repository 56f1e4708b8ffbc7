// What a verb must be allowed to do in the management cluster, so that it is refused before it begins and not in the middle.
import type {AccessCheck, Resource} from '../../../kube/api.ts';
import type {Intent} from '../../mode.ts';
import {kubeconfigSecret, secrets} from '../workload.ts';
import type {LiveCluster, LivePool} from './live.ts';
import {requireMachine, poolWithout} from './machine.ts';
import {requirePool} from './scale.ts';

/** The rights that changing the live objects needs; `reads` are found missing when they are used. */
export function rightsFor(live: LiveCluster, intent: Intent): readonly AccessCheck[] {
  const cluster = (verb: string) => right(live, verb, live.resource, live.name);
  switch (intent.verb) {
    case 'converge':
    case 'pause':
    case 'resume':
      return [cluster('patch')];
    case 'delete':
      return [cluster('delete')];
    case 'scale':
      return [
        ...(intent.controlPlane === undefined ? [] : controlPlaneRights(live)),
        ...Object.keys(intent.pools).flatMap((name) => poolRights(live, requirePool(live, name))),
      ];
    case 'upgrade':
      return live.hasTopology ? [cluster('patch')] : [...controlPlaneRights(live), ...live.pools.flatMap((pool) => poolRights(live, pool))];
    case 'restart': {
      const isAll = intent.controlPlane !== true && intent.pools === undefined;
      const pools = isAll ? live.pools : (intent.pools ?? []).map((name) => requirePool(live, name));
      return [...(isAll || intent.controlPlane === true ? controlPlaneRights(live) : []), ...pools.flatMap((pool) => poolRights(live, pool))];
    }
    case 'machine-remediate':
      return [right(live, 'patch', live.machineResource, requireMachine(live, intent.machine).metadata.name)];
    case 'machine-replace':
      return [right(live, 'delete', live.machineResource, requireMachine(live, intent.machine).metadata.name)];
    case 'machine-delete': {
      const {machine, pool} = poolWithout(live, intent.machine);
      return [right(live, 'patch', live.machineResource, machine.metadata.name), ...poolRights(live, pool)];
    }
    case 'machine-cordon':
    case 'machine-uncordon':
    case 'machine-drain':
      return [right(live, 'get', secrets, kubeconfigSecret(live.name))];
    case 'host-maintain':
    case 'agent-upgrade':
      return []; // there are no hosts of ours
  }
}

function right(live: LiveCluster, verb: string, {group, plural}: Resource, name: string): AccessCheck {
  return {verb, group, resource: plural, namespace: live.namespace, name};
}

function controlPlaneRights(live: LiveCluster): readonly AccessCheck[] {
  if (live.hasTopology) return [right(live, 'patch', live.resource, live.name)];
  return live.controlPlane === undefined ? [] : [right(live, 'patch', live.controlPlane.resource, live.controlPlane.object.metadata.name)];
}

function poolRights(live: LiveCluster, pool: LivePool): readonly AccessCheck[] {
  if (pool.inTopology) return [right(live, 'patch', live.resource, live.name)];
  return pool.resource === undefined || pool.object === undefined ? [] : [right(live, 'patch', pool.resource, pool.object.metadata.name)];
}
