// What differs between two wanted documents, leaf by leaf, and what each difference costs.
import {canonicalJson, digestOf} from '../kernel/digest.ts';
import type {Effect} from '../kernel/event.ts';
import type {Change} from '../plan/plan.ts';
import {isNamedList} from './merge.ts';
import {controlPlaneTaint, effectsByPath, type Wanted, type WantedTaint} from './protocol.ts';

/** What a change of an unknown path costs: the dearest that never loses anything. */
const unknownEffect: Effect = 'restart';

/** The effect of the longest prefix of `path` that has one. */
export function effectOfPath(path: string): Effect {
  const parts = path.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const effect = effectsByPath[parts.slice(0, length).join('.')];
    if (effect !== undefined) return effect;
  }
  return unknownEffect;
}

/** The changes from one document to another, by path in order. A cluster id that isn't known yet is no change. */
export function diffWanted(from: Wanted, to: Wanted): readonly Change[] {
  const before = leavesOf(from);
  const after = leavesOf(to.cluster.id === '' ? {...to, cluster: {...to.cluster, id: from.cluster.id}} : to);
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return paths
    .filter((path) => canonicalJson(before.get(path) ?? null) !== canonicalJson(after.get(path) ?? null))
    .map((path) => ({path, from: before.get(path), to: after.get(path), effect: effectOfPath(path)}));
}

/** What a new host gets, in a few lines: not every leaf of its document, but what a person wants to know. */
export function summarizeNew(wanted: Wanted): readonly Change[] {
  const leaves = [...leavesOf(wanted)];
  const below = (prefix: string) => leaves.filter(([path]) => path === prefix || path.startsWith(`${prefix}.`));
  return [...shownOfNew.flatMap(below).map(([path, value]) => ({path, to: value, effect: 'none' as const})), ...servingOf(wanted)];
}

/** An address that the control planes serve is something new in the network, so it is told where it comes from and who learns of it. */
function servingOf({endpoint}: Wanted): readonly Change[] {
  const {host, port, vip} = endpoint;
  if (vip === undefined) return [];
  const where = vip.interface ?? "the interface of the node's address";
  return [
    {
      path: 'endpoint',
      to: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      effect: 'none',
      why: "kubeadm's controlPlaneEndpoint, and a name in the API server's certificate",
    },
    {path: 'endpoint.vip', to: `static pod ${vip.image}`, effect: 'none', why: `on ${where}; one control plane at a time serves the address`},
  ];
}

const shownOfNew = ['role', 'kubernetesVersion', 'node.labels', 'node.taints', 'configuration.sysctls', 'registries', 'files', 'layers'];

/** A document as a flat list: `node.labels.zone` to its value. Lists of things with a name, path or key are maps by it; long texts are digests. */
function leavesOf(wanted: Wanted): ReadonlyMap<string, unknown> {
  const {protocol: _protocol, files, content, layers, node, registries = [], ...rest} = wanted;
  const leaves = new Map<string, unknown>();
  collect(leaves, '', rest);
  collect(leaves, 'node', {name: node.name, addresses: node.addresses, labels: node.labels, ...(node.access === undefined ? {} : {access: node.access})});
  collectTaints(leaves, node.taints ?? (wanted.role === 'control-plane' ? [controlPlaneTaint] : []));
  for (const file of files) collect(leaves, `files.${file.path}`, {content: digestOf(file.content), mode: file.mode, owner: file.owner});
  for (const {name, mirrors, fallback} of registries) {
    leaves.set(
      `registries.${name}.mirrors`,
      mirrors.map(({url, capabilities}) => `${url} (${capabilities.join(', ')})`),
    );
    leaves.set(`registries.${name}.fallback`, fallback);
    for (const {url, authority} of mirrors) if (authority !== undefined) leaves.set(`registries.${name}.authority.${url}`, digestOf(authority));
  }
  for (const item of content) leaves.set(`content.${item.name}`, item.digest);
  for (const {name, manifest, namespace, patience} of layers) {
    leaves.set(`layers.${name}`, digestOf(manifest));
    if (namespace !== undefined) leaves.set(`layers.${name}.namespace`, namespace);
    if (patience !== undefined) leaves.set(`layers.${name}.timeout`, patience);
  }
  if (layers.length > 1)
    leaves.set(
      'layers',
      layers.map((layer) => layer.name),
    );
  return leaves;
}

/** By key; absent taints are compared as the default that they stand for. */
function collectTaints(leaves: Map<string, unknown>, taints: readonly WantedTaint[]): void {
  for (const taint of taints) {
    const path = `node.taints.${taint.key}`;
    const text = taint.value === undefined ? taint.effect : `${taint.value}:${taint.effect}`;
    const before = leaves.get(path);
    leaves.set(path, before === undefined ? text : `${String(before)}, ${text}`);
  }
}

function collect(leaves: Map<string, unknown>, path: string, value: unknown): void {
  const below = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (isNamedList(value) && new Set(value.map((item) => item.name)).size === value.length) {
    for (const {name, ...item} of value) {
      const keys = Object.keys(item);
      if (keys.length === 1) collect(leaves, below(name), item[keys[0] as string]);
      else collect(leaves, below(name), item);
    }
  } else if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) collect(leaves, below(key), item);
  } else if (value !== undefined) {
    leaves.set(path, value);
  }
}
