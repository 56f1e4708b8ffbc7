// Labels and annotations that a move reads and writes. Those of clusterctl: sigs.k8s.io/cluster-api/cmd/clusterctl/api/v1alpha3/labels.go (v1.14).

/** On a CRD or an object: moved whatever owns it. */
export const moveLabel = 'clusterctl.cluster.x-k8s.io/move';
/** On a CRD or an object: moved with all that it owns. */
export const moveHierarchyLabel = 'clusterctl.cluster.x-k8s.io/move-hierarchy';
/** On an object: its provider isn't ready for a move yet. */
export const blockMoveAnnotation = 'clusterctl.cluster.x-k8s.io/block-move';
/** On an object that is deleted because it lives elsewhere from now on: webhooks let it go. */
export const deleteForMoveAnnotation = 'clusterctl.cluster.x-k8s.io/delete-for-move';
export const clusterctlLabel = 'clusterctl.cluster.x-k8s.io';

/** On the source's Cluster: where it goes, and how far it is. The only record that a move needs: objects tell the rest. */
export const moveAnnotation = 'trireme.dev/move';
/** On the target's Cluster until it's unpaused: where it came from. */
export const movedFromAnnotation = 'trireme.dev/moved-from';

/** `copying`: the source is the whole one. `removing`: the target is. */
export type MovePhase = 'copying' | 'removing';

export interface MoveMark {
  /** The target: the uid of its namespace kube-system, or `directory`. */
  readonly to: string;
  readonly phase: MovePhase;
  /** ISO 8601. */
  readonly since: string;
}

/** The mark of an object's annotations; undefined where there's none, or none that can be read. */
export function markOf(annotations: Readonly<Record<string, string>> | undefined): MoveMark | undefined {
  const text = annotations?.[moveAnnotation];
  if (text === undefined) return undefined;
  try {
    const mark = JSON.parse(text) as Partial<MoveMark>;
    if (typeof mark.to !== 'string' || (mark.phase !== 'copying' && mark.phase !== 'removing')) return undefined;
    return {to: mark.to, phase: mark.phase, since: typeof mark.since === 'string' ? mark.since : ''};
  } catch {
    return undefined;
  }
}
