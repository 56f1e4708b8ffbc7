// What of a cluster's objects is worth a line. What stands well and alike is folded; what is missing or failing never is. Pure, for text and screens.
import type {ConditionView, ObjectNode} from '../modes/mode.ts';

/** So many like machines are worth folding. */
export const foldFrom = 3;

const sums: ReadonlySet<string> = new Set(['Ready', 'Available', 'MachinesReady', 'WorkersAvailable', 'WorkerMachinesReady', 'ControlPlaneMachinesReady']);

/** Conditions that say something: what objects below tell better, and sums whose parts are told, are left out. */
export function tellingConditions(conditions: readonly ConditionView[]): readonly ConditionView[] {
  const wrong = conditions.filter((one) => !one.ready && one.echo !== true);
  const parts = wrong.filter((one) => !sums.has(one.type));
  const isTold = (sum: ConditionView) => parts.some((one) => one.standing === sum.standing || one.standing === 'bad');
  return wrong.filter((one) => !sums.has(one.type) || !isTold(one));
}

/** Machine sets that only pass on their machines, and healthy parts of healthy machines, are left out unless `all`. */
export function shownChildren(node: ObjectNode, all: boolean): readonly ObjectNode[] {
  if (all) return node.children;
  if (node.role === 'machine') {
    const isQuiet = node.worst === 'good';
    return isQuiet ? [] : node.children.filter((child) => child.role !== 'node' || child.worst !== 'good');
  }
  const sets = node.children.filter((child) => child.role === 'machine-set');
  const busy = sets.filter((set) => set.children.length > 0 || set.worst !== 'good' || (set.replicas?.wanted ?? 0) > 0);
  return node.children.flatMap((child) => {
    if (child.role !== 'machine-set') return [child];
    if (!busy.includes(child)) return [];
    return busy.length === 1 && child.deleting === undefined && tellingConditions(child.conditions).length === 0 ? child.children : [child];
  });
}

/** Whether a machine may be one of many in a line. */
export function isFoldable(node: ObjectNode): boolean {
  return node.role === 'machine' && node.worst === 'good' && !node.paused && node.deleting === undefined && node.remarks.length === 0;
}

export type ShownNode = {readonly kind: 'object'; readonly node: ObjectNode} | {readonly kind: 'machines'; readonly machines: readonly ObjectNode[]};

/** Machines that stand well and alike become one; whoever differs, in version too, keeps its own place. */
export function foldMachines(children: readonly ObjectNode[], all: boolean): readonly ShownNode[] {
  const groups = new Map<string, ObjectNode[]>();
  for (const child of children) {
    if (all || !isFoldable(child)) continue;
    const key = child.version ?? '';
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [child]);
    else known.push(child);
  }
  const folded = new Set([...groups.values()].filter((group) => group.length >= foldFrom).flat());
  const done = new Set<string>();
  return children.flatMap((child): readonly ShownNode[] => {
    if (!folded.has(child)) return [{kind: 'object', node: child}];
    const key = child.version ?? '';
    if (done.has(key)) return [];
    done.add(key);
    return [{kind: 'machines', machines: groups.get(key) ?? []}];
  });
}
