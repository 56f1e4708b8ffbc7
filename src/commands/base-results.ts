// Schemas of what several commands return.
import {z} from 'zod';
import {effects} from '../kernel/event.ts';

export const problemResult = z.strictObject({
  code: z.string(),
  message: z.string(),
  hints: z.array(z.string()),
  exit: z.int(),
  host: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? {readonly [Key in keyof T]: DeepReadonly<T[Key]>}
    : T;

/** What a command with this schema returns; everything in it may be readonly. */
export type ResultOf<S extends z.ZodType> = DeepReadonly<z.output<S>>;

/** The envelope around every result; `result` itself is held against the command's own schema. */
export const envelopeResult = z.strictObject({
  ok: z.boolean(),
  exit: z.int(),
  command: z.string(),
  result: z.unknown(),
  warnings: z.array(z.strictObject({code: z.string(), message: z.string(), host: z.string().optional(), hints: z.array(z.string()).optional()})),
  problem: problemResult.optional(),
});

const changeResult = z.strictObject({
  path: z.string(),
  from: z.unknown().optional(),
  to: z.unknown().optional(),
  effect: z.enum(effects),
  why: z.string().optional(),
});

export const hostPlanResult = z.strictObject({
  host: z.string(),
  role: z.string().optional(),
  state: z.enum(['new', 'changed', 'unchanged', 'unreachable', 'removed']),
  effect: z.enum(effects),
  changes: z.array(changeResult),
  reason: z.string().optional(),
  problem: problemResult.optional(),
});

export const planResult = z.strictObject({
  operation: z.string(),
  cluster: z.string(),
  mode: z.string(),
  simulated: z.boolean(),
  changes: z.boolean(),
  hosts: z.array(hostPlanResult),
  phases: z.array(
    z.strictObject({
      title: z.string(),
      steps: z.array(z.strictObject({id: z.string(), title: z.string(), host: z.string().optional(), effect: z.enum(effects)})),
    }),
  ),
});

export const runOutcomes = z.enum(['succeeded', 'unchanged', 'failed', 'interrupted']);

export const hostOutcomeResult = z.strictObject({
  host: z.string(),
  outcome: z.enum(['changed', 'unchanged', 'failed', 'unreachable', 'interrupted']),
  problem: problemResult.optional(),
});

export const runResult = z.strictObject({
  /** The run's name, for `history`; absent when nothing ran. */
  run: z.string().optional(),
  cluster: z.string(),
  mode: z.string(),
  simulated: z.boolean(),
  outcome: runOutcomes,
  hosts: z.array(hostOutcomeResult),
  /** Milliseconds. */
  ms: z.number(),
});

const standing = z.enum(['good', 'working', 'bad', 'unknown']);

export const conditionResult = z.strictObject({
  type: z.string(),
  /** Whether it is as it shall be, whatever its polarity. */
  ready: z.boolean(),
  message: z.string().optional(),
  status: z.enum(['True', 'False', 'Unknown']).optional(),
  reason: z.string().optional(),
  since: z.string().optional(),
  standing: standing.optional(),
  /** Repeats what an object below tells better. */
  echo: z.boolean().optional(),
});

const partResult = z.strictObject({kind: z.string(), name: z.string(), standing, missing: z.boolean(), reasons: z.array(z.string())});

export const certificateResult = z.strictObject({
  host: z.string(),
  /** As kubeadm calls it. */
  name: z.string(),
  path: z.string(),
  kind: z.enum(['authority', 'certificate']),
  subject: z.string(),
  issuer: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  /** SHA-256. */
  fingerprint: z.string(),
  renewedBy: z.enum(['agent', 'kubelet', 'nobody']),
  /** From when a new one is made. */
  renewsAt: z.string().optional(),
  state: z.enum(['valid', 'due', 'expired']),
});

export const machineResult = z.strictObject({
  name: z.string(),
  role: z.string(),
  address: z.string(),
  state: z.enum(['ready', 'not-ready', 'not-joined', 'unreachable']),
  version: z.string().optional(),
  agent: z.strictObject({version: z.string(), converged: z.boolean(), answering: z.boolean()}).optional(),
  reasons: z.array(z.string()),
  drift: z.int(),
  reconcilers: z
    .array(
      z.strictObject({
        name: z.string(),
        status: z.enum(['waiting', 'working', 'done', 'failed']),
        message: z.string().optional(),
        since: z.string(),
        attempts: z.int(),
      }),
    )
    .optional(),
  drifts: z.array(z.strictObject({area: z.string(), subject: z.string(), found: z.string(), at: z.string(), outcome: z.string()})).optional(),
  /** When the agent was started. */
  agentSince: z.string().optional(),
  namespace: z.string().optional(),
  /** Name of the control plane, MachineDeployment or MachinePool that keeps it. */
  pool: z.string().optional(),
  phase: z.string().optional(),
  standing: standing.optional(),
  node: z.string().optional(),
  providerId: z.string().optional(),
  failureDomain: z.string().optional(),
  upToDate: z.boolean().optional(),
  created: z.string().optional(),
  paused: z.boolean().optional(),
  deleting: z.string().optional(),
  infrastructure: partResult.optional(),
  bootstrap: partResult.optional(),
  conditions: z.array(conditionResult).optional(),
});

const replicasResult = z.strictObject({wanted: z.int(), current: z.int(), ready: z.int(), available: z.int(), upToDate: z.int()});

const upgradeResult = z.strictObject({
  from: z.array(z.string()),
  to: z.string(),
  /** Versions still to come, one after the other. */
  plan: z.array(z.string()),
  done: z.int(),
  total: z.int(),
  waiting: z.string().optional(),
});

const poolResult = z.strictObject({
  name: z.string(),
  kind: z.string(),
  /** Its name in the cluster's topology, and so in the file. */
  topologyName: z.string().optional(),
  role: z.enum(['control-plane', 'worker']),
  standing,
  replicas: replicasResult,
  version: z.string().optional(),
  versions: z.array(z.strictObject({version: z.string(), replicas: z.int()})),
  upgrade: upgradeResult.optional(),
  autoscaled: z.strictObject({min: z.int(), max: z.int()}).optional(),
  paused: z.boolean(),
  deleting: z.string().optional(),
  reasons: z.array(z.string()),
  conditions: z.array(conditionResult),
});

export const eventResult = z.strictObject({
  type: z.enum(['Normal', 'Warning']),
  reason: z.string(),
  message: z.string(),
  object: z.string(),
  namespace: z.string().optional(),
  first: z.string().optional(),
  last: z.string(),
  count: z.int(),
  source: z.string().optional(),
});

const objectNodeResult = z.strictObject({
  role: z.enum([
    'cluster',
    'infrastructure',
    'control-plane',
    'pool',
    'machine-set',
    'machine',
    'bootstrap',
    'node',
    'health-check',
    'add-on',
    'template',
    'group',
  ]),
  kind: z.string(),
  name: z.string(),
  /** By its own conditions. */
  standing,
  /** The worst of itself and of all below. */
  worst: standing,
  created: z.string().optional(),
  version: z.string().optional(),
  replicas: replicasResult.optional(),
  /** Something names it, and it isn't there. */
  missing: z.boolean().optional(),
  remarks: z.array(z.string()),
  paused: z.boolean(),
  deleting: z.string().optional(),
  conditions: z.array(conditionResult),
  get children() {
    return z.array(objectNodeResult);
  },
});

export const clusterViewResult = z.strictObject({
  name: z.string(),
  mode: z.string(),
  simulated: z.boolean(),
  version: z.string(),
  health: z.enum(['healthy', 'progressing', 'degraded', 'unknown']),
  reasons: z.array(z.string()),
  controlPlanes: z.strictObject({ready: z.int(), wanted: z.int()}),
  workers: z.strictObject({ready: z.int(), wanted: z.int()}),
  conditions: z.array(conditionResult),
  machines: z.array(machineResult),
  etcd: z
    .array(
      z.strictObject({
        name: z.string(),
        id: z.string(),
        healthy: z.boolean(),
        leader: z.boolean(),
        learner: z.boolean(),
        version: z.string().optional(),
        size: z.int().optional(),
        message: z.string().optional(),
      }),
    )
    .optional(),
  certificates: z
    .strictObject({expired: z.int(), due: z.int(), next: z.strictObject({host: z.string(), name: z.string(), notAfter: z.string()}).optional()})
    .optional(),
  namespace: z.string().optional(),
  context: z.string().optional(),
  created: z.string().optional(),
  phase: z.string().optional(),
  class: z.string().optional(),
  endpoint: z.string().optional(),
  /** Of an endpoint that the control planes serve: which of them has the address. */
  endpointHolder: z.strictObject({holder: z.string().optional(), since: z.string().optional()}).optional(),
  paused: z.boolean().optional(),
  /** What it does at the moment; absent when it rests. */
  now: z.string().optional(),
  controlPlane: poolResult.optional(),
  pools: z.array(poolResult).optional(),
  upgrade: upgradeResult.optional(),
  deletion: z
    .strictObject({since: z.string(), remaining: z.array(z.strictObject({kind: z.string(), count: z.int()})), blockedBy: z.array(z.string())})
    .optional(),
  tree: objectNodeResult.optional(),
  events: z.array(eventResult).optional(),
  /** What couldn't be looked at, and why. */
  unseen: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  seenAt: z.string().optional(),
  stale: z.strictObject({since: z.string(), why: z.string()}).optional(),
});
