// Clusters to look at.
import type {ClusterView, ConditionView, MachineView, ObjectNode, PoolView} from '../../../src/modes/mode.ts';

export function viewOf(name: string, more: Partial<ClusterView> = {}): ClusterView {
  return {
    name,
    mode: 'controller',
    simulated: false,
    version: 'v1.36.3',
    health: 'healthy',
    reasons: [],
    controlPlanes: {ready: 3, wanted: 3},
    workers: {ready: 5, wanted: 5},
    conditions: [],
    machines: [],
    namespace: 'fleet',
    context: 'management',
    created: '2026-02-26T12:00:00Z',
    seenAt: '2026-03-01T12:00:00Z',
    ...more,
  };
}

export const smallFleet: readonly ClusterView[] = [
  viewOf('anchor'),
  viewOf('berth', {
    health: 'progressing',
    now: 'upgrading to v1.36.3: 2/8',
    upgrade: {from: ['v1.35.4'], to: 'v1.36.3', plan: ['v1.36.3'], done: 2, total: 8},
    workers: {ready: 4, wanted: 5},
  }),
  viewOf('capstan', {health: 'degraded', reasons: ['md-0: 1 machine is not ready: no node for 12 m'], workers: {ready: 2, wanted: 5}}),
  viewOf('dory', {
    mode: 'agent',
    namespace: undefined,
    context: undefined,
    simulated: true,
    health: 'unknown',
    reasons: ['no host answers'],
    controlPlanes: {ready: 0, wanted: 1},
    workers: {ready: 0, wanted: 2},
  }),
];

const condition = (type: string, more: Partial<ConditionView> = {}): ConditionView => ({type, ready: true, status: 'True', standing: 'good', ...more});

export const notReady = condition('Ready', {
  ready: false,
  status: 'False',
  standing: 'bad',
  reason: 'NodeNotFound',
  message: 'no node yet',
  since: '2026-03-01T11:48:00Z',
});

export function nodeOf(role: ObjectNode['role'], kind: string, name: string, more: Partial<ObjectNode> = {}): ObjectNode {
  const children = more.children ?? [];
  const standing = more.standing ?? 'good';
  const worst = children.some((child) => child.worst === 'bad') ? 'bad' : standing;
  return {role, kind, name, standing, worst, remarks: [], paused: false, conditions: [], children, ...more};
}

export const machineOf = (name: string, more: Partial<MachineView> = {}): MachineView => ({
  name,
  role: 'worker',
  address: '10.0.0.1',
  state: 'ready',
  version: 'v1.36.3',
  reasons: [],
  drift: 0,
  ...more,
});

const machineNode = (name: string, more: Partial<ObjectNode> = {}) => nodeOf('machine', 'Machine', name, {version: 'v1.36.3', ...more});

export const capstanTree: ObjectNode = nodeOf('cluster', 'Cluster', 'capstan', {
  children: [
    nodeOf('infrastructure', 'DevCluster', 'capstan'),
    nodeOf('control-plane', 'KubeadmControlPlane', 'capstan-cp', {
      version: 'v1.36.3',
      replicas: {wanted: 3, current: 3, ready: 3, available: 3, upToDate: 3},
      children: ['a', 'b', 'c'].map((letter) => machineNode(`capstan-cp-${letter}`)),
    }),
    nodeOf('pool', 'MachineDeployment', 'capstan-md-0', {
      replicas: {wanted: 5, current: 5, ready: 2, available: 2, upToDate: 5},
      children: [
        machineNode('capstan-md-0-x1'),
        machineNode('capstan-md-0-x2'),
        machineNode('capstan-md-0-x3', {
          standing: 'bad',
          worst: 'bad',
          conditions: [notReady],
          children: [nodeOf('infrastructure', 'DevMachine', 'capstan-md-0-x3', {missing: true, standing: 'bad', worst: 'bad'})],
        }),
      ],
    }),
  ],
});

export function poolOf(name: string, more: Partial<PoolView> = {}): PoolView {
  return {
    name,
    kind: 'MachineDeployment',
    role: 'worker',
    standing: 'good',
    replicas: {wanted: 5, current: 5, ready: 5, available: 5, upToDate: 5},
    version: 'v1.36.3',
    versions: [{version: 'v1.36.3', replicas: 5}],
    paused: false,
    reasons: [],
    conditions: [],
    ...more,
  };
}
