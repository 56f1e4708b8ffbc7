// MachineHealthChecks: which machines are unhealthy, or were said to be by an annotation, and whether they may be replaced.
import {fitsSelector, type LabelSelector} from '../../../kube/label-selector.ts';
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import {conditionOf, isFalse, isTrue, withConditions} from './conditions.ts';
import {say} from './machine-set.ts';
import {annotations, isLeaving, kinds} from './names.ts';
import {keepPaused, pausedCondition} from './paused.ts';
import type {Controller} from './runtime.ts';

export const healthChecks: Controller = {
  name: 'machine-health-check',
  kind: kinds.healthCheck,
  follows: [kinds.cluster, kinds.machine],
  reconcile: (check, reach) => {
    const clusterName = valueAt(check, 'spec', 'clusterName') as string;
    const {namespace} = check.metadata;
    const cluster = reach.get(kinds.cluster, clusterName, namespace);
    if (cluster === undefined || isLeaving(check) || keepPaused(check, cluster, reach)) return undefined;
    reach.addOwner(check, cluster, {controller: false});
    const selector: LabelSelector = valueAt(check, 'spec', 'selector') ?? {};
    const targets = reach.ofCluster(kinds.machine, clusterName, namespace).filter((one) => fitsSelector(selector, one.metadata.labels ?? {}));
    let healthy = 0;
    for (const machine of targets) {
      if (isLeaving(machine)) continue;
      const isAsked = machine.metadata.annotations?.[annotations.remediate] !== undefined;
      if (isAsked) {
        say(
          machine,
          isFalse(
            'HealthCheckSucceeded',
            'HasRemediateAnnotation',
            'Health check failed: marked for remediation via cluster.x-k8s.io/remediate-machine annotation',
          ),
          reach,
        );
        const fresh = reach.get(kinds.machine, machine.metadata.name, namespace);
        const isAllowed = machine.metadata.annotations?.[annotations.skipRemediation] === undefined;
        if (isAllowed && fresh !== undefined && conditionOf(fresh, 'OwnerRemediated') === undefined)
          say(fresh, isFalse('OwnerRemediated', 'WaitingForRemediation'), reach);
      } else if (isRunning(machine)) {
        healthy += 1;
        say(machine, isTrue('HealthCheckSucceeded', 'HealthCheckSucceeded'), reach);
      }
    }
    const fresh = reach.get(kinds.healthCheck, check.metadata.name, namespace) ?? check;
    const said = [isTrue('RemediationAllowed', 'RemediationAllowed'), pausedCondition(check, cluster)];
    reach.setStatus(fresh, {
      currentHealthy: healthy,
      expectedMachines: targets.length,
      remediationsAllowed: healthy,
      observedGeneration: check.metadata.generation,
      ...(targets.length === 0 ? {} : {targets: targets.map((one) => one.metadata.name)}),
      conditions: withConditions(fresh, said),
    });
    return undefined;
  },
};

const isRunning = (machine: KubeObject) => valueAt(machine, 'status', 'nodeRef') !== undefined;
