// How long what is simulated takes, in ms.
import {randomInt} from 'node:crypto';
import {textAt, valueAt, type KubeObject} from '../../../kube/object.ts';

export interface Pace {
  /** From a machine's wish to its running VM. */
  readonly vm: number;
  /** From the running VM to the Node. */
  readonly node: number;
  /** Draining a node, and each further stage of a machine's end. */
  readonly removal: number;
  /** Take the durations that the objects say (`startupDuration`), where they do. */
  readonly fromObjects: boolean;
}

export type PaceName = 'fast' | 'demo' | 'real';

const paces: Readonly<Record<PaceName, Pace>> = {
  fast: {vm: 25, node: 10, removal: 10, fromObjects: false},
  demo: {vm: 300, node: 100, removal: 60, fromObjects: false},
  real: {vm: 10_000, node: 2000, removal: 1500, fromObjects: true},
};

export const paceNamed = (name: PaceName): Pace => paces[name];

/** How long this machine's part takes to start. */
export function startupOf(pace: Pace, devMachine: KubeObject | undefined, part: 'vm' | 'node'): number {
  const provisioning = valueAt(devMachine, 'spec', 'backend', 'inMemory', part, 'provisioning');
  const duration = pace.fromObjects ? parseDuration(textAt(provisioning, 'startupDuration')) : undefined;
  if (duration === undefined) return pace[part];
  const jitter = Number(textAt(provisioning, 'startupJitter') ?? 0);
  return Math.round(duration * (1 + (randomInt(1000) / 1000) * jitter));
}

/** Go's `1m30s`, in ms. */
function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const units: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000};
  let total = 0;
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) total += Number(number) * (units[unit] ?? 0);
  return total;
}
