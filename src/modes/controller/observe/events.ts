// Events of a cluster's objects as plain data. Pure.
import {numberAt, textAt, type KubeObject} from '../../../kube/object.ts';
import type {EventView, ObjectNode} from '../../mode.ts';
import {nodesOf} from './deletion.ts';

/** The events that are about the tree's objects, oldest first. */
export function viewEvents(events: readonly KubeObject[], tree: ObjectNode): readonly EventView[] {
  const names = new Set([...nodesOf(tree)].map((node) => `${node.kind}/${node.name}`));
  return events
    .filter((event) => names.has(objectOf(event)))
    .map(viewEvent)
    .toSorted(compareEvents);
}

export function compareEvents(a: EventView, b: EventView): number {
  return a.last < b.last ? -1 : a.last > b.last ? 1 : a.object < b.object ? -1 : 1;
}

function objectOf(event: KubeObject): string {
  return `${textAt(event, 'involvedObject', 'kind') ?? ''}/${textAt(event, 'involvedObject', 'name') ?? ''}`;
}

/** Events of both APIs come this way: core/v1 with counts, events.k8s.io with a series. */
export function viewEvent(event: KubeObject): EventView {
  const made = event.metadata.creationTimestamp ?? '';
  const first = textAt(event, 'firstTimestamp') ?? textAt(event, 'eventTime') ?? made;
  const source = textAt(event, 'source', 'component') ?? textAt(event, 'reportingComponent');
  const namespace = textAt(event, 'involvedObject', 'namespace');
  return {
    type: textAt(event, 'type') === 'Warning' ? 'Warning' : 'Normal',
    reason: textAt(event, 'reason') ?? '',
    message: textAt(event, 'message') ?? '',
    object: objectOf(event),
    ...(namespace === undefined ? {} : {namespace}),
    ...(first === '' ? {} : {first}),
    last: textAt(event, 'series', 'lastObservedTime') ?? textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? made,
    count: numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1,
    ...(source === undefined || source === '' ? {} : {source}),
  };
}
