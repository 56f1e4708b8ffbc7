// A profile's layers onto a cluster through its API: object by object by server-side apply, each layer when the one before is healthy.
// What was applied is noted in the cluster itself, so that anybody's next run knows.
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {KubeApi} from '../kube/api.ts';
import {type KubeObject, valueAt} from '../kube/object.ts';
import type {DesiredLayer} from '../spec/desired.ts';
import {gateOf, type GateResult, hasGate, whyPodWaits} from './gate.ts';
import {digestOfLayer, type InventoryItem, itemId, noteLayer, readNotedLayers} from './inventory.ts';
import {applyWaves, type ManifestObject, parseManifest} from './manifest.ts';
import {pruneObjects} from './prune.ts';

/** What of a layer its application needs. */
export type ApplicableLayer = Pick<DesiredLayer, 'name' | 'manifest' | 'namespace' | 'patience'>;

export interface LayerOptions {
  readonly signal: AbortSignal;
  /** Told what is waited for, whenever that changes. */
  say(line: string): void;
  /** Between two looks, in ms; default 1000. */
  readonly interval?: number;
}

export interface ApplyLayerOptions extends LayerOptions {
  /** All layers that are wanted: what moved from one to another isn't taken away. */
  readonly layers: readonly ApplicableLayer[];
}

/** In ms. */
const defaultPatience = 10 * 60_000;

/** By layer: the digest of what was applied last. */
export async function readLayerDigests(api: KubeApi, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries([...(await readNotedLayers(api, signal))].map(([name, {digest}]) => [name, digest]));
}

const parsed = new WeakMap<object, readonly ManifestObject[]>();

/** Layers don't change: each is read once. */
function objectsOf(layer: ApplicableLayer): readonly ManifestObject[] {
  const known = parsed.get(layer) ?? parseManifest(layer.manifest, `the layer ${layer.name}`);
  parsed.set(layer, known);
  return known;
}

/**
 * Applies a layer's objects, takes away what it put before and doesn't want any more, and notes it. Throws `api.kind-unknown` naming the object
 * whose kind the cluster doesn't serve. Killed at any point, the next call ends the same: what is there is noted before it is touched.
 */
export async function applyLayer(api: KubeApi, layer: ApplicableLayer, options: ApplyLayerOptions): Promise<string> {
  const {signal} = options;
  const objects = objectsOf(layer);
  const before = (await readNotedLayers(api, signal)).get(layer.name);
  const items: InventoryItem[] = [];
  const noteAll = async () => {
    const known = new Set((before?.objects ?? []).map(itemId));
    const added = items.filter((item) => !known.has(itemId(item)));
    if (added.length > 0) await noteLayer(api, layer.name, {digest: before?.digest ?? '', objects: [...(before?.objects ?? []), ...added]}, signal);
  };
  const waves = applyWaves(objects);
  for (const [index, wave] of waves.entries()) {
    for (const object of wave) items.push(await itemOf(api, layer, object, index > 0, signal));
    await noteAll();
    for (const object of wave) await write(api, await inNamespace(api, layer, object), signal);
    // what the first wave defines must be served before the second needs it
    if (index < waves.length - 1) await waitForObjects(api, layer, wave, options);
  }
  const wanted = new Set(items.map(itemId));
  const left = (before?.objects ?? []).filter((item) => !wanted.has(itemId(item)));
  const removed = await pruneObjects(api, left, {...options, kept: await idsOf(api, options.layers)});
  await noteLayer(api, layer.name, {digest: digestOfLayer(layer), objects: items}, signal);
  return `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}${removed === 0 ? '' : `, ${removed} removed`}`;
}

/** Takes away all that a layer put which isn't wanted any more, and forgets it. */
export async function removeLayer(api: KubeApi, name: string, options: ApplyLayerOptions): Promise<string> {
  const noted = (await readNotedLayers(api, options.signal)).get(name);
  const removed = await pruneObjects(api, noted?.objects ?? [], {...options, kept: await idsOf(api, options.layers)});
  await noteLayer(api, name, undefined, options.signal);
  return `${removed} of ${noted?.objects.length ?? 0} objects removed`;
}

/** Names of the layers that the cluster has and nobody wants any more. Without wanted layers none: a forgotten profile removes nothing. */
export function leavingLayers(noted: Readonly<Record<string, unknown>>, layers: readonly {readonly name: string}[]): readonly string[] {
  if (layers.length === 0) return [];
  return Object.keys(noted)
    .filter((name) => !layers.some((layer) => layer.name === name))
    .toSorted();
}

async function idsOf(api: KubeApi, layers: readonly ApplicableLayer[]): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const layer of layers) {
    for (const object of objectsOf(layer)) {
      const {apiVersion, kind, metadata} = object;
      // a kind that isn't served yet has no objects that could go away
      const placed = await inNamespace(api, layer, object).catch(() => undefined);
      const namespace = placed?.metadata.namespace;
      ids.add(itemId({apiVersion, kind, name: metadata.name, ...(namespace === undefined ? {} : {namespace})}));
    }
  }
  return ids;
}

/** The object as it will be noted. Waits a moment for a kind that this very layer defines. */
async function itemOf(api: KubeApi, layer: ApplicableLayer, object: ManifestObject, mayComeLater: boolean, signal: AbortSignal): Promise<InventoryItem> {
  const {apiVersion, kind, metadata} = object;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const {namespace} = (await inNamespace(api, layer, object)).metadata;
      return {apiVersion, kind, name: metadata.name, ...(namespace === undefined ? {} : {namespace})};
    } catch (error) {
      // an in-memory provider's clusters answer 500 when asked for a group that they don't have
      if (!isTriremeError(error) || (error.code !== 'api.kind-unknown' && error.code !== 'api.failed')) throw error;
      if (!mayComeLater || attempt >= 5)
        throw new TriremeError(
          'api.kind-unknown',
          `The layer ${layer.name} has ${kind} ${metadata.name}, but the cluster serves no ${kind} of ${apiVersion}.`,
          {
            hints: ['The layer that brings this kind must come before, or its CustomResourceDefinition into the same layer.'],
            cause: error,
          },
        );
      await sleep(1000, signal);
    }
  }
}

/** Server-side apply; an in-memory provider's clusters answer 415 to that, and get the object created, or merged into what is there. */
async function write(api: KubeApi, object: KubeObject, signal: AbortSignal): Promise<void> {
  try {
    await api.apply(object, {force: true, signal});
  } catch (error) {
    if (!isTriremeError(error) || error.details?.['status'] !== 415) throw error;
    const resource = await api.resource(object);
    const {name, namespace} = object.metadata;
    const key = {name, ...(namespace === undefined ? {} : {namespace})};
    if ((await api.get(resource, key, {signal})) === undefined) await api.create(object, {signal});
    else await api.patch(resource, key, {type: 'merge', body: object}, {signal});
  }
}

/** As kubectl and helm: an object of a kind that lives in namespaces, and names none, goes into the layer's. */
async function inNamespace(api: KubeApi, layer: ApplicableLayer, object: ManifestObject): Promise<KubeObject> {
  const {namespaced} = await api.resource(object);
  return namespaced && object.metadata.namespace === undefined
    ? {...object, metadata: {...object.metadata, namespace: layer.namespace ?? 'default'}}
    : (object as KubeObject);
}

/** How a layer's objects are now. `briefly`: only those whose health is more than being there, for whoever looks again and again. */
export async function lookAtLayer(api: KubeApi, layer: ApplicableLayer, signal: AbortSignal, {briefly = false} = {}): Promise<GateResult> {
  const objects = objectsOf(layer);
  return lookAt(api, layer, briefly ? objects.filter(hasGate) : objects, signal);
}

async function lookAt(api: KubeApi, layer: ApplicableLayer, objects: readonly ManifestObject[], signal: AbortSignal): Promise<GateResult> {
  const live: KubeObject[] = [];
  const placed: ManifestObject[] = [];
  for (const object of objects) {
    const at = await inNamespace(api, layer, object);
    placed.push(at as ManifestObject);
    const {name, namespace} = at.metadata;
    const found = await api.get(await api.resource(object), {name, ...(namespace === undefined ? {} : {namespace})}, {signal});
    if (found !== undefined) live.push(found);
  }
  return gateOf(placed, live);
}

/** Waits until a layer is healthy. Throws `run.unhealthy` when something of it failed, or when it takes longer than the layer may. */
export async function waitForLayer(api: KubeApi, layer: ApplicableLayer, options: LayerOptions): Promise<void> {
  await waitForObjects(api, layer, objectsOf(layer), options);
}

async function waitForObjects(api: KubeApi, layer: ApplicableLayer, objects: readonly ManifestObject[], options: LayerOptions): Promise<void> {
  const patience = layer.patience ?? defaultPatience;
  const until = Date.now() + patience;
  // a container that ends at once is available for a moment, again and again: what was waited for must be healthy twice in a row
  let looksLeft = 1;
  for (let said = ''; ;) {
    const result = await lookAt(api, layer, objects, options.signal).catch((error: unknown): GateResult => {
      // an API that is busy or restarts is waited for like what it would tell
      if (!isTriremeError(error) || error.code !== 'api.unreachable') throw error;
      return {healthy: false, failed: false, waitingFor: [error.message]};
    });
    looksLeft = result.healthy ? looksLeft - 1 : 2;
    if (looksLeft === 0) return;
    const [first = said] = result.waitingFor;
    if (first !== said) options.say(first);
    said = first;
    if (result.failed || (Date.now() > until && !result.healthy))
      throw await unhealthy(api, layer, result, {waited: result.failed ? undefined : patience, signal: options.signal});
    await sleep(options.interval ?? 1000, options.signal);
  }
}

async function unhealthy(
  api: KubeApi,
  layer: ApplicableLayer,
  {waitingFor}: GateResult,
  {waited, signal}: {readonly waited: number | undefined; readonly signal: AbortSignal},
): Promise<TriremeError> {
  const after = waited === undefined ? '' : ` after ${waited >= 120_000 ? `${Math.round(waited / 60_000)} min` : `${Math.round(waited / 1000)} s`}`;
  const why = await whyPodsWait(api, layer, signal).catch(() => []);
  return new TriremeError(
    'run.unhealthy',
    `The layer ${layer.name} isn't healthy${after}: ${waitingFor.slice(0, 3).join('; ')}.${why.length === 0 ? '' : ` ${why.join('. ')}.`}`,
    {
      hints: ['The layers after it are not applied.', 'trireme cluster shell -- kubectl get pods -A', 'trireme apply --resume'],
    },
  );
}

/** What the pods of a layer's workloads say: one sentence for each of the first that aren't ready. */
async function whyPodsWait(api: KubeApi, layer: ApplicableLayer, signal: AbortSignal): Promise<readonly string[]> {
  const sentences: string[] = [];
  const pods = await api.resource({apiVersion: 'v1', kind: 'Pod'});
  for (const object of objectsOf(layer)) {
    const labels = valueAt(object, 'spec', 'selector', 'matchLabels') as Readonly<Record<string, string>> | undefined;
    if (labels === undefined || Object.keys(labels).length === 0) continue;
    const {namespace} = (await inNamespace(api, layer, object)).metadata;
    const labelSelector = Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(',');
    const {items} = await api.list(pods, {labelSelector, signal, ...(namespace === undefined ? {} : {namespace})});
    for (const pod of items) {
      const why = whyPodWaits(pod);
      if (why !== undefined) sentences.push(`Pod ${namespace ?? ''}/${pod.metadata.name} ${why}`);
    }
    if (sentences.length >= 2) break;
  }
  return sentences.slice(0, 2);
}
