// Controller mode: Cluster API makes the machines, and we drive it through the management cluster's kubeconfig.
import {resolve} from 'node:path';
import {TriremeError} from '../../kernel/errors.ts';
import type {Intent, Mode} from '../mode.ts';
import {absentCluster, findCluster} from './observe/observe.ts';
import {ControllerScope, referenceOf} from './scope.ts';
import type {TemplateFacts} from './template/facts.ts';
import {gatherTemplate} from './template/gather-template.ts';
import {planTemplate} from './template/plan-template.ts';
import type {TopologyFacts} from './topology/facts.ts';
import {gatherTopology} from './topology/gather.ts';
import {planTopology} from './topology/plan-topology.ts';
import {requireRights} from './topology/rights.ts';

/** What was seen of the cluster's objects. */
export type ControllerFacts = TopologyFacts | TemplateFacts;

export const controllerMode: Mode<ControllerFacts, ControllerScope> = {
  name: 'controller',
  capabilities: {
    converge: {supported: true},
    scale: {supported: true},
    upgrade: {supported: true},
    pause: {supported: true},
    resume: {supported: true},
    restart: {supported: true},
    delete: {supported: true},
    'machine-remediate': {supported: true},
    'machine-delete': {supported: true},
    'machine-replace': {supported: true},
    'machine-cordon': {supported: true},
    'machine-uncordon': {supported: true},
    'machine-drain': {supported: true},
    provision: {supported: true},
    events: {supported: true},
    certificates: {
      supported: false,
      reason: 'the control plane provider looks after them (spec.rollout.before.certificatesExpiryDays of a KubeadmControlPlane replaces machines in time)',
    },
    backup: {
      supported: false,
      reason: "etcd lies on machines that Cluster API makes and replaces; trireme cluster move --to-directory saves the cluster's objects",
    },
    restore: {
      supported: false,
      reason: "etcd lies on machines that Cluster API makes and replaces; trireme cluster move --from-directory brings the cluster's objects back",
    },
    trustedBoot: {supported: false, reason: "in controller mode the machines boot the provider's image, or yours, as the infrastructure provider boots it"},
  },
  openScope: (cluster, options) =>
    ControllerScope.open(
      referenceOf(cluster, (path) => resolve(cluster.source.folder, path)),
      options,
    ),
  facts: (cluster, scope) => (cluster.document.spec.controller?.template === undefined ? gatherTopology(cluster, scope) : gatherTemplate(cluster, scope)),
  plan: (cluster, facts, intent) => {
    refuseLimit(intent);
    return facts.way === 'class' ? planTopology(cluster, facts, intent) : planTemplate(cluster, facts, intent);
  },
  obstacles: (_cluster, facts) => {
    requireRights(facts);
    return [];
  },
  observe: async (cluster, _facts, scope, options) => {
    const {name} = cluster.document.metadata;
    return (await findCluster(scope, name, options)) ?? absentCluster(cluster, scope);
  },
};

/** The Cluster is one object: it can't be applied for some machines only. */
function refuseLimit(intent: Intent): void {
  const limit = intent.verb === 'converge' ? intent.limit : undefined;
  if (limit !== undefined && limit.length > 0)
    throw new TriremeError('usage.invalid', '--limit chooses hosts; in controller mode the cluster is applied as a whole.', {hints: ['Leave --limit out.']});
}
