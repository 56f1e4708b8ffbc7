// Clusters as rows of a list: what is known on this computer and what lives in a management cluster, each cluster once. Pure.
import type {ClusterView} from '../modes/mode.ts';
import type {KnownCluster} from './known-clusters.ts';

export type LiveSummary = Pick<
  ClusterView,
  | 'simulated'
  | 'version'
  | 'health'
  | 'reasons'
  | 'controlPlanes'
  | 'workers'
  | 'phase'
  | 'class'
  | 'paused'
  | 'now'
  | 'created'
  | 'upgrade'
  | 'deletion'
  | 'stale'
  | 'seenAt'
>;

export interface ListedCluster extends KnownCluster {
  readonly live?: LiveSummary;
}

/** Known clusters first, in their order, then those that are only seen. */
export function listRows(known: readonly KnownCluster[], seen: readonly ClusterView[]): readonly ListedCluster[] {
  const rest = new Set(seen);
  const rows = known.map((cluster): ListedCluster => {
    const view = seen.find((one) => isSame(cluster, one));
    if (view === undefined) return cluster;
    rest.delete(view);
    return {...cluster, ...placeOf(view), live: summaryOf(view)};
  });
  return [...rows, ...[...rest].map((view) => ({name: view.name, mode: view.mode, files: [], digest: '', hosts: [], ...placeOf(view), live: summaryOf(view)}))];
}

function placeOf({context, namespace}: ClusterView): Pick<KnownCluster, 'context' | 'namespace'> {
  return {...(context === undefined ? {} : {context}), ...(namespace === undefined ? {} : {namespace})};
}

/** A known cluster that names no context is taken for the one of this name and namespace. */
function isSame(known: KnownCluster, view: ClusterView): boolean {
  if (known.mode !== view.mode || known.name !== view.name) return false;
  return (known.namespace ?? view.namespace) === view.namespace && (known.context ?? view.context) === view.context;
}

function summaryOf(view: ClusterView): LiveSummary {
  const {simulated, version, health, reasons, controlPlanes, workers, phase, paused, now, created, upgrade, deletion, stale, seenAt} = view;
  const optional = {phase, class: view.class, paused, now, created, upgrade, deletion, stale, seenAt};
  const known = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<LiveSummary>;
  return {simulated, version, health, reasons, controlPlanes, workers, ...known};
}
