// What every component may use: how things look, how much room there is, and where keys and wishes go.
import {createContext, useContext, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore} from 'react';
import type {Subject} from '../actions/action.ts';
import {createStore, type Store, type WritableStore} from '../kernel/store.ts';
import type {FrameClock} from './frame-clock.ts';
import type {KeyLayer, KeyRouter} from './key-router.ts';
import type {Navigator} from './navigator.ts';
import type {DashServices} from './services.ts';
import type {ReadinessHistory} from '../fleet/readiness-history.ts';
import type {Theme, Token} from './theme.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Notice {
  readonly text: string;
  readonly token: Token;
  /** In ms since 1970. */
  readonly at: number;
}

export interface Ui {
  readonly theme: Theme;
  /** Of the whole screen. */
  readonly size: Size;
  /** Of what a screen's component draws. */
  readonly area: Size;
  readonly clock: FrameClock;
  readonly router: KeyRouter;
  readonly navigator: Navigator;
  readonly services: DashServices;
  /** In ms since 1970. */
  now(): number;
  /** Puts a text into the terminal's clipboard (OSC 52), and says so. */
  copy(text: string): void;
  /** A remark for the person, in the place of the one before. */
  say(text: string, token?: Token): void;
  /** The remark that stands now. */
  readonly notice: WritableStore<Notice | undefined>;
  /** What was ready of each cluster over the last while. */
  readonly history: ReadinessHistory;
  /** What the screen's cursor and marks stand for: what the palette's actions are about. */
  readonly chosen: {current: () => readonly Subject[]};
  /** Gives the terminal to another program, and takes it back when that ends. */
  lend<T>(work: () => Promise<T>): Promise<T>;
}

export const UiContext = createContext<Ui | undefined>(undefined);

export function useUi(): Ui {
  const ui = useContext(UiContext);
  if (ui === undefined) throw new Error('A component of the dashboard is used outside of it.');
  return ui;
}

/** Hears keys as long as the component is on the screen; the newest handlers count. */
export function useKeys(layer: KeyLayer | (() => KeyLayer)): void {
  const {router} = useUi();
  const newest = useRef(layer);
  newest.current = layer;
  // before anything is drawn, so that no key comes between
  useLayoutEffect(() => router.add(() => (typeof newest.current === 'function' ? newest.current() : newest.current)), [router]);
}

/** The store's value as of this frame; a change asks for a frame instead of drawing at once. */
export function usePaced<T>(store: Store<T>): T {
  const {clock} = useUi();
  useEffect(() => store.subscribe(() => clock.request('data')), [store, clock]);
  return store.get();
}

export interface PacedState<S, A> {
  /** As of this frame. */
  readonly state: S;
  /** As of now: what a key's handler must look at. */
  get(): S;
  dispatch(action: A): void;
}

/**
 * A reducer whose changes are drawn with the next frame. A screen's state lives in a store that was opened with it, so that it's still there when
 * one comes back; a function makes one for the component's own life.
 */
export function usePacedReducer<S, A>(reduce: (state: S, action: A) => S, from: WritableStore<S> | (() => S)): PacedState<S, A> {
  const {clock} = useUi();
  const [store] = useState(() => (typeof from === 'function' ? createStore(from()) : from));
  const reducer = useRef(reduce);
  reducer.current = reduce;
  const [dispatch] = useState(() => (action: A) => {
    store.set(reducer.current(store.get(), action));
    clock.request('key');
  });
  return {state: store.get(), get: store.get, dispatch};
}

/** Frames each `period` ms while it's given: for ages and running times. */
export function useTick(period: number | undefined): void {
  const {clock} = useUi();
  useEffect(() => (period === undefined ? undefined : clock.tick(period)), [period, clock]);
}

/** For the root alone: draws when the clock says. */
export function useFrames(clock: FrameClock): number {
  const [counter] = useState(() => {
    let count = 0;
    return {
      subscribe: (listener: () => void) =>
        clock.subscribe(() => {
          count += 1;
          listener();
        }),
      get: () => count,
    };
  });
  return useSyncExternalStore(counter.subscribe, counter.get);
}
