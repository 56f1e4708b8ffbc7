// How many machines a file asks for.
import type {ClusterSpec, ControllerPool} from './schema.ts';

export interface MachineCount {
  readonly controlPlanes: number;
  readonly workers: number;
}

/** What the file says; an autoscaled pool counts with its smallest size. */
export function countMachines(spec: Pick<ClusterSpec, 'mode' | 'agent' | 'controller'>): MachineCount {
  if (spec.mode === 'controller' && spec.controller !== undefined) {
    const {controlPlane, pools} = spec.controller;
    return {controlPlanes: controlPlane.replicas, workers: pools.reduce((sum, pool) => sum + replicasOf(pool), 0)};
  }
  const hosts = spec.agent?.hosts ?? [];
  const controlPlanes = hosts.filter((host) => host.role === 'control-plane').length;
  return {controlPlanes, workers: hosts.length - controlPlanes};
}

/** The number of machines of a pool when it is made. */
export function replicasOf(pool: Pick<ControllerPool, 'replicas' | 'autoscale'>): number {
  return pool.replicas ?? pool.autoscale?.min ?? 1;
}
