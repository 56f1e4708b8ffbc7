// The stack of screens, and the questions over it. It opens what a screen shows when it's gone to, and closes it when it's left: no component does.
import {createStore, type Store} from '../kernel/store.ts';
import type {Prompt, PromptAnswer} from './prompt.ts';
import type {DashServices} from './services.ts';
import type {Opened, ScreenReference, ScreenTable} from './screen.ts';

export interface StackEntry {
  /** Unique for as long as the program runs. */
  readonly key: number;
  readonly reference: ScreenReference;
  readonly opened: Opened;
  readonly crumb: string;
}

export type Overlay = {readonly kind: 'palette'} | {readonly kind: 'prompt'; readonly key: number; readonly prompt: Prompt; answer(answer: PromptAnswer): void};

export interface Place {
  readonly stack: readonly StackEntry[];
  readonly overlay?: Overlay;
}

export interface Navigator {
  readonly place: Store<Place>;
  push(reference: ScreenReference): void;
  /** Puts another screen in the place of the one on top. */
  replace(reference: ScreenReference): void;
  /** Back to the first screen, then to this one. */
  goTo(reference: ScreenReference): void;
  back(): void;
  showPalette(): void;
  closeOverlay(): void;
  /** Asks over the screen; undefined when the person leaves the question. */
  ask(prompt: Prompt): Promise<PromptAnswer>;
  quit(): void;
  /** Closes everything that screens have open. */
  close(): void;
}

export function createNavigator(options: {
  readonly screens: ScreenTable;
  readonly services: DashServices;
  readonly first: ScreenReference;
  onQuit(): void;
}): Navigator {
  const {screens, services, first, onQuit} = options;
  let keys = 0;
  const enter = (reference: ScreenReference): StackEntry => {
    const definition = screens[reference.kind] as ScreenTable['fleet'];
    keys += 1;
    const known = reference as Extract<ScreenReference, {kind: 'fleet'}>;
    return {key: keys, reference, opened: definition.open(known, services), crumb: definition.crumb(known)};
  };
  const leave = (entries: readonly StackEntry[]) => {
    for (const entry of entries) entry.opened.close?.();
  };
  const place = createStore<Place>({stack: [enter(first)]});
  const setStack = (stack: readonly StackEntry[]) => place.set({stack});
  const closeOverlay = () => {
    const {stack, overlay} = place.get();
    if (overlay === undefined) return;
    place.set({stack});
    if (overlay.kind === 'prompt') overlay.answer(undefined);
  };
  return {
    place,
    push: (reference) => {
      closeOverlay();
      setStack([...place.get().stack, enter(reference)]);
    },
    replace: (reference) => {
      closeOverlay();
      const {stack} = place.get();
      leave(stack.slice(-1));
      setStack([...stack.slice(0, -1), enter(reference)]);
    },
    goTo: (reference) => {
      closeOverlay();
      const {stack} = place.get();
      leave(stack.slice(1));
      const bottom = stack.slice(0, 1);
      setStack(JSON.stringify(bottom[0]?.reference) === JSON.stringify(reference) ? bottom : [...bottom, enter(reference)]);
    },
    back: () => {
      const {stack, overlay} = place.get();
      if (overlay !== undefined) return closeOverlay();
      if (stack.length <= 1) return;
      leave(stack.slice(-1));
      setStack(stack.slice(0, -1));
    },
    showPalette: () => {
      closeOverlay();
      place.set({...place.get(), overlay: {kind: 'palette'}});
    },
    closeOverlay,
    ask: (prompt) => {
      closeOverlay();
      keys += 1;
      const key = keys;
      return new Promise((resolve) => {
        const answer = (value: PromptAnswer) => {
          const {stack, overlay} = place.get();
          if (overlay?.kind === 'prompt' && overlay.key === key) place.set({stack});
          resolve(value);
        };
        place.set({...place.get(), overlay: {kind: 'prompt', key, prompt, answer}});
      });
    },
    quit: onQuit,
    close: () => leave(place.get().stack),
  };
}
