// A text that is higher than its place: what of it is in view, and the keys that move it.
import type {WritableStore} from '../kernel/store.ts';
import type {KeyHandlers} from './key-router.ts';
import {useUi} from './ui-context.ts';

export interface UsedText {
  readonly shown: readonly string[];
  readonly on: KeyHandlers;
}

export function useText(top: WritableStore<number>, lines: readonly string[], height: number): UsedText {
  const {clock} = useUi();
  const last = Math.max(0, lines.length - height);
  const go = (to: number) => {
    top.set(Math.max(0, Math.min(last, to)));
    clock.request('key');
  };
  const at = Math.min(top.get(), last);
  return {
    shown: lines.slice(at, at + height),
    on: {
      'next-row': () => go(Math.min(top.get(), last) + 1),
      'previous-row': () => go(Math.min(top.get(), last) - 1),
      'next-page': () => go(Math.min(top.get(), last) + height - 1),
      'previous-page': () => go(Math.min(top.get(), last) - height + 1),
      'first-row': () => go(0),
      'last-row': () => go(last),
    },
  };
}
