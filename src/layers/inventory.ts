// What each layer put onto a cluster, noted in the cluster itself: anybody's next run knows what was applied, and what is to be taken away.
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {KubeApi} from '../kube/api.ts';
import {valueAt} from '../kube/object.ts';
import type {DesiredLayer} from '../spec/desired.ts';

/** The ConfigMap: for each layer NAME the digest of its manifest, and under NAME.objects what it put. Names of layers have no dots. */
export const layerNote = {namespace: 'kube-system', name: 'trireme-layers'} as const;

/** One object that a layer put. */
export interface InventoryItem {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Absent for what lives in no namespace. */
  readonly namespace?: string;
}

export interface NotedLayer {
  /** Of what was applied last. */
  readonly digest: string;
  readonly objects: readonly InventoryItem[];
}

export type LayerPlace = Pick<DesiredLayer, 'manifest' | 'namespace'>;

/** Names a layer's content. */
export function digestOfLayer({manifest, namespace}: LayerPlace): string {
  return digestOf(namespace === undefined ? manifest : `# namespace: ${namespace}\n${manifest}`);
}

/** What makes an item one; the version of its API is no part of it. */
export function itemId({apiVersion, kind, name, namespace}: InventoryItem): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return `${group}/${kind} ${namespace ?? ''}/${name}`;
}

/** By the layer's name. */
export async function readNotedLayers(api: KubeApi, signal: AbortSignal): Promise<ReadonlyMap<string, NotedLayer>> {
  const note = await api.get(await api.resource({apiVersion: 'v1', kind: 'ConfigMap'}), layerNote, {signal});
  const data = (valueAt(note, 'data') ?? {}) as Readonly<Record<string, unknown>>;
  const names = Object.keys(data).filter((name) => !name.includes('.') && typeof data[name] === 'string');
  return new Map(names.map((name) => [name, {digest: String(data[name]), objects: parseItems(data[`${name}.objects`])}]));
}

/** Notes a layer; with undefined it is forgotten. */
export async function noteLayer(api: KubeApi, name: string, layer: NotedLayer | undefined, signal: AbortSignal): Promise<void> {
  const resource = await api.resource({apiVersion: 'v1', kind: 'ConfigMap'});
  const there = (await api.get(resource, layerNote, {signal})) !== undefined;
  if (!there && layer === undefined) return;
  const data = {[name]: layer?.digest ?? null, [`${name}.objects`]: layer === undefined ? null : formatItems(layer.objects)};
  if (there) await api.patch(resource, layerNote, {type: 'merge', body: {data}}, {signal});
  else await api.create({apiVersion: 'v1', kind: 'ConfigMap', metadata: layerNote, data}, {signal});
}

/** Plans are made of manifests only. Throws where a caller forgot to have charts and kustomizations rendered. */
export function requireRendered(layers: readonly Pick<DesiredLayer, 'name' | 'source'>[]): void {
  const raw = layers.find((layer) => layer.source !== undefined);
  if (raw !== undefined) throw new TriremeError('bug.unexpected', `The layer ${raw.name} is planned before it is rendered.`);
}

function formatItems(items: readonly InventoryItem[]): string {
  return items.map(({apiVersion, kind, name, namespace}) => `${apiVersion} ${kind} ${namespace ?? ''}/${name}\n`).join('');
}

function parseItems(text: unknown): readonly InventoryItem[] {
  if (typeof text !== 'string') return [];
  return text.split('\n').flatMap((line) => {
    const [, apiVersion, kind, namespace, name] = /^(\S+) (\S+) ([^/]*)\/(\S+)$/.exec(line) ?? [];
    if (apiVersion === undefined || kind === undefined || name === undefined) return [];
    return [{apiVersion, kind, name, ...(namespace === undefined || namespace === '' ? {} : {namespace})}];
  });
}
