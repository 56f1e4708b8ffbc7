// Both sides of a move, open for one command.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {Scope} from '../../mode.ts';
import type {MoveNode} from './graph.ts';

/** What a move needs of the side that gives: a management cluster, or a folder that one was saved to. */
export type MoveSource = Pick<KubeApi, 'server' | 'get' | 'list' | 'patch' | 'remove' | 'close'>;

/** `source` gives, `target` takes. Uids of the target's objects are learned as they are made, or asked for when a run goes on. */
export class MoveScope implements Scope {
  readonly source: MoveSource;
  readonly target: KubeApi;
  readonly #uids = new Map<string, string>();

  constructor(source: MoveSource, target: KubeApi) {
    this.source = source;
    this.target = target;
  }

  learn(key: string, uid: string): void {
    this.#uids.set(key, uid);
  }

  /** The uid that an object has at the target. Throws `api.not-found` when it isn't there: its owner was to be made before. */
  async targetUid(node: MoveNode, signal: AbortSignal): Promise<string> {
    const known = this.#uids.get(node.key);
    if (known !== undefined) return known;
    const there = await this.target.get(node.resource, keyIn(node), {signal});
    if (there?.metadata.uid === undefined) throw new TriremeError('api.not-found', `${node.key} isn't at ${this.target.server}, and others refer to it.`);
    this.learn(node.key, there.metadata.uid);
    return there.metadata.uid;
  }

  async close(): Promise<void> {
    this.source.close();
    this.target.close();
  }
}

/** Name and namespace for a request. */
export function keyIn(node: MoveNode): {readonly name: string; readonly namespace?: string} {
  const {name, namespace} = node.object.metadata;
  return node.resource.namespaced && namespace !== undefined ? {name, namespace} : {name};
}
