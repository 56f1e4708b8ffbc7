// Which cluster a verb means: one that files describe, or one that is only known by its objects. Pure: what is there was looked up before.
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import type {KnownCluster, KnownPlace} from './known-clusters.ts';

/** What the person said. */
export interface AskedTarget {
  readonly name?: string;
  /** As given with -f. */
  readonly files?: readonly string[];
  readonly place: KnownPlace;
}

/** What was found on this computer. */
export interface FoundHere {
  /** Name of the file that is read when no -f is given; undefined where there is none. */
  readonly defaultFile?: string;
  /** The clusters in that file. */
  readonly here: readonly KnownCluster[];
  readonly known: readonly KnownCluster[];
  /** Whether kubectl would find a kubeconfig. */
  readonly hasKubeconfig: boolean;
}

export type TargetChoice =
  | {readonly kind: 'files'; readonly files: readonly string[]; readonly name?: string}
  | {readonly kind: 'live'; readonly name: string; readonly place: KnownPlace};

/**
 * Files that were named come first, then ./trireme.yaml, then a known cluster (its files, where it has some), then the management cluster that
 * is named or that kubectl uses. Throws `usage.invalid` when no cluster, or more than one, can be meant, and `cluster.not-found`; both name candidates.
 */
export function chooseTarget(asked: AskedTarget, found: FoundHere): TargetChoice {
  const {name, place} = asked;
  const ofName = name === undefined ? {} : {name};
  if (asked.files !== undefined && asked.files.length > 0) return {kind: 'files', files: asked.files, ...ofName};
  if (name === undefined) {
    if (found.defaultFile !== undefined) return {kind: 'files', files: [found.defaultFile]};
    throw nobody(asked, found);
  }
  if (found.defaultFile !== undefined && found.here.some((one) => one.name === name && fits(one, place)))
    return {kind: 'files', files: [found.defaultFile], name};
  const candidates = found.known.filter((one) => one.name === name && fits(one, place));
  if (candidates.length > 1) throw ambiguous(name, candidates);
  const [only] = candidates;
  if (only !== undefined && only.files.length > 0) return {kind: 'files', files: only.files, name};
  if (only?.mode === 'controller') return {kind: 'live', name, place: {...pick(only), ...place}};
  if (isNamed(place) || found.hasKubeconfig) return {kind: 'live', name, place};
  throw notFound(name, found);
}

function isNamed(place: KnownPlace): boolean {
  return place.kubeconfig !== undefined || place.context !== undefined || place.namespace !== undefined;
}

function pick({kubeconfig, context, namespace}: KnownPlace): KnownPlace {
  return {
    ...(kubeconfig === undefined ? {} : {kubeconfig}),
    ...(context === undefined ? {} : {context}),
    ...(namespace === undefined ? {} : {namespace}),
  };
}

/** Whether a known cluster can be the one at this place: nothing that was said speaks against it. */
function fits(known: KnownCluster, place: KnownPlace): boolean {
  if (!isNamed(place)) return true;
  if (known.mode !== 'controller') return false;
  return (
    (place.kubeconfig === undefined || place.kubeconfig === known.kubeconfig) &&
    (place.context === undefined || place.context === known.context) &&
    (place.namespace === undefined || place.namespace === known.namespace)
  );
}

/** `web (context prod, namespace a, file /srv/web.yaml)`. */
export function describeKnown(known: KnownCluster): string {
  const parts = [
    ...(known.kubeconfig === undefined ? [] : [`kubeconfig ${known.kubeconfig}`]),
    ...(known.context === undefined ? [] : [`context ${known.context}`]),
    ...(known.namespace === undefined ? [] : [`namespace ${known.namespace}`]),
    ...(known.files.length === 0 ? [] : [`file ${known.files.join(', ')}`]),
  ];
  return parts.length === 0 ? known.name : `${known.name} (${parts.join(', ')})`;
}

function ambiguous(name: string, candidates: readonly KnownCluster[]): TriremeError {
  return new TriremeError('usage.invalid', `${name} can be ${candidates.length} clusters:\n  ${candidates.map(describeKnown).join('\n  ')}`, {
    hints: ['Say which: -f FILE, or --context NAME and -n NAMESPACE'],
    details: {candidates: candidates.map(pick)},
  });
}

function namesOf(found: FoundHere): readonly string[] {
  return [...new Set([...found.here, ...found.known].map((one) => one.name))];
}

function nobody(asked: AskedTarget, found: FoundHere): TriremeError {
  const names = namesOf(found);
  const why = isNamed(asked.place) ? 'A management cluster is named, but no cluster in it.' : "There's no trireme.yaml here, and no cluster was named.";
  return new TriremeError('usage.invalid', why, {
    hints: [...(names.length === 0 ? [] : [`Known are: ${names.join(', ')}`]), 'Name the cluster, or its file with -f FILE'],
  });
}

function notFound(name: string, found: FoundHere): TriremeError {
  const names = namesOf(found);
  const meant = nearest(name, names);
  return new TriremeError(
    'cluster.not-found',
    `No file here describes a cluster ${name}, none of that name is known, and there's no kubeconfig to look further.`,
    {
      hints: [
        ...(meant === undefined ? [] : [`Did you mean ${meant}?`]),
        ...(names.length === 0 ? [] : [`Known are: ${names.join(', ')}`]),
        'Name its file: -f FILE, or its management cluster: --kubeconfig FILE --context NAME',
      ],
    },
  );
}
