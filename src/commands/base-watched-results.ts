// The results of commands that look at clusters. These commands load them only when a result is checked: reading schemas takes longer than looking.
import {z} from 'zod';
import {clusterViewResult, eventResult, machineResult} from './base-results.ts';

const live = clusterViewResult
  .pick({simulated: true, version: true, health: true, reasons: true, controlPlanes: true, workers: true, phase: true, class: true, paused: true})
  .extend(clusterViewResult.pick({now: true, created: true, upgrade: true, deletion: true, stale: true, seenAt: true}).shape);
const listed = z.strictObject({
  name: z.string(),
  mode: z.string(),
  /** Empty where no file is known. */
  files: z.array(z.string()),
  digest: z.string(),
  hosts: z.array(z.strictObject({name: z.string(), address: z.string(), role: z.string()})),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  namespace: z.string().optional(),
  /** As the management cluster has it now. */
  live: live.optional(),
});

export const clusterListResult = z.strictObject({clusters: z.array(listed)});

export const clusterEventsResult = z.strictObject({cluster: z.string(), simulated: z.boolean(), events: z.array(eventResult)});

export const machineListResult = z.strictObject({cluster: z.string(), mode: z.string(), simulated: z.boolean(), machines: z.array(machineResult)});

export const dashResult = z.strictObject({
  clusters: z.array(
    z.strictObject({
      name: z.string(),
      mode: z.string(),
      simulated: z.boolean(),
      health: z.enum(['healthy', 'progressing', 'degraded', 'unknown']),
      namespace: z.string().optional(),
      context: z.string().optional(),
    }),
  ),
});
