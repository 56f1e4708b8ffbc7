// Controller mode: Cluster API makes the machines, and we drive it through the management cluster's kubeconfig.
import {resolve} from 'node:path';
import type {Mode} from '../mode.ts';
import {ControllerScope, referenceOf} from './scope.ts';

/** What was seen of the cluster's objects. */
export type ControllerFacts = Readonly<Record<string, never>>;

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
    trustedBoot: {supported: false, reason: "in controller mode the machines boot the provider's image, or yours, as the infrastructure provider boots it"},
  },
  openScope: (cluster, options) =>
    ControllerScope.open(
      referenceOf(cluster, (path) => resolve(cluster.source.folder, path)),
      options,
    ),
  facts: async () => {
    throw new Error('not there yet');
  },
  plan: () => {
    throw new Error('not there yet');
  },
  obstacles: () => [],
  observe: async () => {
    throw new Error('not there yet');
  },
};
