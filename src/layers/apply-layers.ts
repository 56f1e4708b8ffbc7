// A profile's layers onto a cluster through its API: object by object by server-side apply, each layer when the one before is healthy.
// What was applied is noted in the cluster itself, so that anybody's next run knows.
import {sleep} from '../kernel/cancel.ts';
import {digestOf} from '../kernel/digest.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {KubeApi} from '../kube/api.ts';
import {type KubeObject, valueAt} from '../kube/object.ts';
import type {DesiredLayer} from '../spec/desired.ts';
import {gateOf, type GateResult} from './gate.ts';
import {applyWaves, type ManifestObject, parseManifest} from './manifest.ts';

/** Where a cluster says which layers it has: by name, the digest of the manifest. */
export const layerNote = {namespace: 'kube-system', name: 'trireme-layers'} as const;

export interface LayerOptions {
  readonly signal: AbortSignal;
  /** Told what is waited for, whenever that changes. */
  say(line: string): void;
  /** In ms; default ten minutes. */
  readonly patience?: number;
}

export function digestOfLayer(layer: DesiredLayer): string {
  return digestOf(layer.manifest);
}

/** By layer: the digest of what was applied last. */
export async function readLayerDigests(api: KubeApi, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const note = await api.get(await api.resource({apiVersion: 'v1', kind: 'ConfigMap'}), layerNote, {signal});
  const entries = Object.entries((valueAt(note, 'data') ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.flatMap(([name, digest]) => (typeof digest === 'string' ? [[name, digest]] : [])));
}

/** Applies a layer's objects and notes it. Throws `api.kind-unknown` naming the object whose kind the cluster doesn't serve. */
export async function applyLayer(api: KubeApi, layer: DesiredLayer, options: LayerOptions): Promise<string> {
  const objects = parseManifest(layer.manifest, `the layer ${layer.name}`);
  const waves = applyWaves(objects);
  for (const [index, wave] of waves.entries()) {
    for (const object of wave) await applyObject(api, layer, object, index > 0, options.signal);
    // what the first wave defines must be served before the second needs it
    if (index < waves.length - 1) await waitForObjects(api, layer, wave, options);
  }
  await noteLayer(api, layer, options.signal);
  return `${objects.length} ${objects.length === 1 ? 'object' : 'objects'}`;
}

async function applyObject(api: KubeApi, layer: DesiredLayer, object: ManifestObject, mayComeLater: boolean, signal: AbortSignal): Promise<void> {
  const what = `${object.kind} ${object.metadata.name}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await write(api, await inNamespace(api, object), signal);
      return;
    } catch (error) {
      // an in-memory provider's clusters answer 500 when asked for a group that they don't have
      const isUnknown = isTriremeError(error) && (error.code === 'api.kind-unknown' || (error.code === 'api.failed' && !(await serves(api, object))));
      if (!isUnknown) throw error;
      if (!mayComeLater || attempt >= 5)
        throw new TriremeError('api.kind-unknown', `The layer ${layer.name} has ${what}, but the cluster serves no ${object.kind} of ${object.apiVersion}.`, {
          hints: ['The layer that brings this kind must come before, or its CustomResourceDefinition into the same layer.'],
          cause: error,
        });
      await sleep(1000, signal);
    }
  }
}

async function serves(api: KubeApi, object: ManifestObject): Promise<boolean> {
  return api.resource(object).then(
    () => true,
    () => false,
  );
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

/** As kubectl: an object of a kind that lives in namespaces, and names none, goes into `default`. */
async function inNamespace(api: KubeApi, object: ManifestObject): Promise<KubeObject> {
  const {namespaced} = await api.resource(object);
  return namespaced && object.metadata.namespace === undefined ? {...object, metadata: {...object.metadata, namespace: 'default'}} : (object as KubeObject);
}

async function noteLayer(api: KubeApi, layer: DesiredLayer, signal: AbortSignal): Promise<void> {
  const resource = await api.resource({apiVersion: 'v1', kind: 'ConfigMap'});
  const data = {[layer.name]: digestOfLayer(layer)};
  if ((await api.get(resource, layerNote, {signal})) === undefined)
    await api.create({apiVersion: 'v1', kind: 'ConfigMap', metadata: layerNote, data}, {signal});
  else await api.patch(resource, layerNote, {type: 'merge', body: {data}}, {signal});
}

/** How a layer's objects are now. */
export async function lookAtLayer(api: KubeApi, layer: DesiredLayer, signal: AbortSignal): Promise<GateResult> {
  return lookAt(api, parseManifest(layer.manifest, `the layer ${layer.name}`), signal);
}

async function lookAt(api: KubeApi, objects: readonly ManifestObject[], signal: AbortSignal): Promise<GateResult> {
  const live: KubeObject[] = [];
  for (const object of objects) {
    const {name, namespace} = (await inNamespace(api, object)).metadata;
    const found = await api.get(await api.resource(object), {name, ...(namespace === undefined ? {} : {namespace})}, {signal});
    if (found !== undefined) live.push(found);
  }
  return gateOf(objects, live);
}

/** Waits until a layer is healthy. Throws `run.unhealthy` when something of it failed, or when it takes longer than `patience`. */
export async function waitForLayer(api: KubeApi, layer: DesiredLayer, options: LayerOptions): Promise<void> {
  await waitForObjects(api, layer, parseManifest(layer.manifest, `the layer ${layer.name}`), options);
}

async function waitForObjects(api: KubeApi, layer: DesiredLayer, objects: readonly ManifestObject[], options: LayerOptions): Promise<void> {
  const until = Date.now() + (options.patience ?? 10 * 60_000);
  for (let said = ''; ;) {
    const {healthy, failed, waitingFor} = await lookAt(api, objects, options.signal);
    if (healthy) return;
    const [first = ''] = waitingFor;
    if (failed || Date.now() > until)
      throw new TriremeError('run.unhealthy', `The layer ${layer.name} isn't healthy: ${waitingFor.slice(0, 3).join('; ')}.`, {
        hints: ['trireme cluster shell -- kubectl get pods -A', 'trireme apply --resume'],
      });
    if (first !== said) options.say(first);
    said = first;
    await sleep(1000, options.signal);
  }
}
