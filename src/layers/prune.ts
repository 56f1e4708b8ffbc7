// Taking away what a layer put and doesn't want any more. Only what is ours is touched: an object that we never applied stays, one that others
// apply too keeps their fields, and what holds data stays until a person removes it.
import {isTriremeError} from '../kernel/errors.ts';
import type {KubeApi, Resource} from '../kube/api.ts';
import {type KubeObject, type ManagedFields, textAt, valueAt} from '../kube/object.ts';
import {type InventoryItem, itemId} from './inventory.ts';
import {rankOfKind} from './manifest.ts';

/** The field manager of all that we apply. */
export const ourManager = 'trireme';

/** With these goes what others have put in or made of them. */
const heldKinds = new Set(['Namespace', 'CustomResourceDefinition', 'PersistentVolume', 'PersistentVolumeClaim']);

export interface PruneOptions {
  /** Of all layers that are wanted: an object that moved to another layer is that one's. */
  readonly kept: ReadonlySet<string>;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/** Removes these objects, last ones first; what isn't ours to remove is told. Returns how many are gone. */
export async function pruneObjects(api: KubeApi, items: readonly InventoryItem[], options: PruneOptions): Promise<number> {
  let removed = 0;
  const leaving = items.filter((item) => !options.kept.has(itemId(item))).toSorted((a, b) => rankOfKind(b.kind) - rankOfKind(a.kind));
  for (const item of leaving) if (await pruneObject(api, item, options)) removed += 1;
  return removed;
}

async function pruneObject(api: KubeApi, item: InventoryItem, {signal, say}: PruneOptions): Promise<boolean> {
  const {apiVersion, kind, name, namespace} = item;
  const resource = await resourceOf(api, item);
  // with its kind went the object
  if (resource === undefined) return false;
  const key = {name, ...(namespace === undefined ? {} : {namespace})};
  const live = await api.get(resource, key, {signal});
  if (live === undefined) return false;
  const what = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  if (heldKinds.has(kind)) {
    say(`${what} stays: others may have data in it. Remove it by hand when nobody needs it.`);
    return false;
  }
  const owners = ownersOf(live);
  if (owners.known && !owners.names.has(ourManager)) {
    say(`${what} stays: it isn't ours any more.`);
    return false;
  }
  const others = [...owners.names].filter((one) => one !== ourManager);
  if (others.length > 0) {
    // an apply without fields gives up ours
    await api.apply({apiVersion, kind, metadata: key}, {signal});
    say(`${what} stays with the fields of ${others.join(', ')}; ours are given up.`);
    return false;
  }
  const uid = textAt(live, 'metadata', 'uid');
  const gone = await api.remove(resource, key, {signal, propagation: 'Background', ...(uid === undefined ? {} : {uid})});
  if (gone) say(`${what} removed: the layer doesn't have it any more.`);
  return gone;
}

async function resourceOf(api: KubeApi, item: InventoryItem): Promise<Resource | undefined> {
  try {
    return await api.resource(item);
  } catch (error) {
    if (isTriremeError(error) && error.code === 'api.kind-unknown') return undefined;
    throw error;
  }
}

/** Whose object it is: ours by any write, others' by apply. An in-memory provider's clusters don't say it: then the inventory alone speaks. */
function ownersOf(live: KubeObject): {readonly known: boolean; readonly names: ReadonlySet<string>} {
  const entries = valueAt(live, 'metadata', 'managedFields');
  if (!Array.isArray(entries) || entries.length === 0) return {known: false, names: new Set()};
  const counted = (entries as readonly Partial<ManagedFields>[]).filter(({manager, operation}) => manager === ourManager || operation === 'Apply');
  return {known: true, names: new Set(counted.flatMap((entry) => entry.manager ?? []))};
}
