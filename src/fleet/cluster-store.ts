// One cluster as screens read it: the newest view, and what became of its source.
import {createStore, type Store} from '../kernel/store.ts';
import type {ClusterView} from '../modes/mode.ts';
import type {SourceTrouble} from './fleet-store.ts';

export interface ClusterState {
  /** Undefined until something was seen, and again when the cluster is gone. */
  readonly view?: ClusterView;
  readonly phase: 'looking' | 'live' | 'gone' | 'ended' | 'failed';
  /** Why it failed. */
  readonly failure?: unknown;
  /** Set while nothing new can be seen: the view is that old. */
  readonly trouble?: SourceTrouble;
}

export interface ClusterStore extends Store<ClusterState> {
  /** Resolves when the source has ended, whatever ended it. */
  readonly done: Promise<void>;
}

/** Fills a store from views; undefined in their place says that the cluster isn't there. */
export function followCluster(views: AsyncIterable<ClusterView | undefined>): ClusterStore {
  const store = createStore<ClusterState>({phase: 'looking'});
  const follow = async () => {
    for await (const view of views) store.set(view === undefined ? {phase: 'gone'} : {view, phase: 'live'});
    store.set({...store.get(), phase: 'ended'});
  };
  const done = follow().catch((failure: unknown) => store.set({...store.get(), phase: 'failed', failure}));
  return {get: store.get, subscribe: store.subscribe, done};
}
