// The server's field paths, mapped back to the user's file: `spec.topology.workers.machineDeployments[1].replicas` is a line of it. Pure.
import {listAt, textAt, valueAt} from '../../../kube/object.ts';
import {autoscalerMax, autoscalerMin} from './names.ts';

export type SpecPath = readonly (string | number)[];

/** What the rendered object knows: in which order its lists are. */
export interface PathContext {
  /** The Cluster that was sent, in v1beta2. */
  readonly sent: unknown;
  /** The names of the file's pools, in its order. */
  readonly pools: readonly string[];
}

/** `a.b[c].d` and `/a/b/0/d` as segments. What is in brackets is one segment, quoted or not. */
export function segmentsOf(field: string): readonly string[] {
  if (field.startsWith('/'))
    return field
      .slice(1)
      .split('/')
      .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  return [...field.matchAll(/\[("?)(.*?)\1\](?=[.[]|$)|[^.[\]]+/g)].map((match) => match[2] ?? match[0]);
}

/** The path in the file, or undefined where the file has nothing of it. */
export function specPathOf(field: string, context: PathContext): SpecPath | undefined {
  const [first, second, ...rest] = segmentsOf(field);
  const at: SpecPath = ['spec', 'controller'];
  if (first === 'metadata') {
    if (second === 'name') return ['metadata', 'name'];
    if (second === 'namespace') return [...at, 'namespace'];
    return second === 'labels' || second === 'annotations' ? [...at, second, ...rest.slice(0, 1)] : undefined;
  }
  if (first !== 'spec') return undefined;
  if (second === 'clusterNetwork') return networkPath(rest);
  if (second !== 'topology') return second === undefined ? at : undefined;
  const [part, ...below] = rest;
  switch (part) {
    case undefined:
      return at;
    case 'version':
      return ['spec', 'kubernetes', 'version'];
    case 'class':
      return [...at, 'class'];
    case 'classNamespace':
      return [...at, 'classNamespace'];
    case 'classRef':
      return [...at, below[0] === 'namespace' ? 'classNamespace' : 'class'];
    case 'variables':
      return variablePath([...at, 'variables'], below, listAt(context.sent, 'spec', 'topology', 'variables'));
    case 'controlPlane':
      return machinesPath([...at, 'controlPlane'], below, valueAt(context.sent, 'spec', 'topology', 'controlPlane'));
    case 'workers':
      return workersPath(below, context);
    default:
      return at;
  }
}

function networkPath(rest: readonly string[]): SpecPath {
  const [what, , index] = rest;
  if (what === 'serviceDomain') return ['spec', 'network', 'dnsDomain'];
  if (what !== 'pods' && what !== 'services') return ['spec', 'network'];
  return ['spec', 'network', what, ...(index === undefined ? [] : [Number(index)])];
}

function workersPath(rest: readonly string[], context: PathContext): SpecPath {
  const [kind, key, ...below] = rest;
  const at: SpecPath = ['spec', 'controller', 'pools'];
  if (kind === undefined || key === undefined) return at;
  const sent = listAt(context.sent, 'spec', 'topology', 'workers', kind);
  const item = sent.find((one) => textAt(one, 'name') === key) ?? sent[Number(key)];
  const index = context.pools.indexOf(textAt(item, 'name') ?? key);
  return index === -1 ? at : machinesPath([...at, index], below, item);
}

/** Below the control plane or a pool. */
function machinesPath(at: SpecPath, rest: readonly string[], sent: unknown): SpecPath {
  const [part, key, ...below] = rest;
  if (part === undefined) return at;
  if (part === 'metadata') {
    const [name] = below;
    if (key === 'annotations' && (name === autoscalerMin || name === autoscalerMax)) return [...at, 'autoscale', name === autoscalerMin ? 'min' : 'max'];
    return key === 'labels' || key === 'annotations' ? [...at, key, ...(name === undefined ? [] : [name])] : at;
  }
  if (part === 'variables') return variablePath([...at, 'variables'], below, listAt(sent, 'variables', 'overrides'));
  if (part === 'failureDomains') return [...at, 'failureDomain'];
  return [...at, part, ...[key, ...below].filter((segment) => segment !== undefined).map(numbered)];
}

/** `[gpu].value.count`, `[2].value`: by name or by place. */
function variablePath(at: SpecPath, rest: readonly string[], sent: readonly unknown[]): SpecPath {
  const [key, , ...below] = rest;
  if (key === undefined) return at;
  const named = sent.some((one) => textAt(one, 'name') === key) ? key : (textAt(sent[Number(key)], 'name') ?? key);
  return [...at, named, ...below.map(numbered)];
}

function numbered(segment: string): string | number {
  return /^\d+$/.test(segment) ? Number(segment) : segment;
}
