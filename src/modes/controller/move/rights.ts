// What a user must be allowed to do on each side before a move begins: half of a move is worse than none.
import type {AccessCheck} from '../../../kube/api.ts';
import type {MoveKind} from './graph.ts';

const verbs = {source: ['get', 'list', 'patch', 'delete'], target: ['get', 'list', 'create', 'patch', 'delete']} as const;

/** One check a kind and verb; a role that has them for all kinds answers them alike. */
export function rightsOfMove(kinds: readonly MoveKind[], namespace: string | undefined, side: keyof typeof verbs): readonly AccessCheck[] {
  return kinds.flatMap(({resource}) =>
    verbs[side].map((verb) => ({
      verb,
      group: resource.group,
      resource: resource.plural,
      ...(namespace === undefined || !resource.namespaced ? {} : {namespace}),
    })),
  );
}
