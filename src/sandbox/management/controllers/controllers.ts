// All simulated controllers of the management cluster.
import {bootstrapConfigs} from './bootstrap.ts';
import {clusterClasses} from './cluster-class.ts';
import {clusters} from './cluster.ts';
import {controlPlanes} from './control-plane.ts';
import {devClusters, devMachines} from './dev-infrastructure.ts';
import {startDeployments, startGarbageCollection} from './garbage.ts';
import {healthChecks} from './health-check.ts';
import {machineDeployments} from './machine-deployment.ts';
import {machineSets} from './machine-set.ts';
import {machines} from './machine.ts';
import {Runtime, type Parts} from './runtime.ts';
import {topologies} from './topology.ts';

export interface Controllers {
  /** What controllers stumbled over, newest last. */
  readonly errors: readonly string[];
  stop(): void;
}

export function startControllers(parts: Parts): Controllers {
  const all = [
    clusterClasses,
    topologies,
    clusters,
    devClusters,
    controlPlanes,
    machineDeployments,
    machineSets,
    machines,
    bootstrapConfigs,
    devMachines,
    healthChecks,
  ];
  const runtime = new Runtime(parts, all);
  const stops = [startGarbageCollection(parts), startDeployments(parts), () => runtime.stop()];
  return {
    errors: runtime.errors,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}
