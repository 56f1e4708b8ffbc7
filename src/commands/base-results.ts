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
  state: z.enum(['new', 'changed', 'unchanged', 'unreachable']),
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

export const machineResult = z.strictObject({
  name: z.string(),
  role: z.string(),
  address: z.string(),
  state: z.enum(['ready', 'not-ready', 'not-joined', 'unreachable']),
  version: z.string().optional(),
  agent: z.strictObject({version: z.string(), converged: z.boolean(), answering: z.boolean()}).optional(),
  reasons: z.array(z.string()),
  drift: z.int(),
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
  conditions: z.array(z.strictObject({type: z.string(), ready: z.boolean(), message: z.string().optional()})),
  machines: z.array(machineResult),
});
