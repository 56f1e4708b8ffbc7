// Which part of the screen hears a key: the newest layer first. Keys that come while a new screen isn't drawn yet wait for it; none is lost.
import {actionFor, type KeyAction, type KeyScope, type Stroke} from './keys.ts';

export type KeyHandlers = Partial<Record<KeyAction, () => void>>;

export interface KeyLayer {
  /** Looked through in this order. */
  readonly scopes: readonly KeyScope[];
  readonly on: KeyHandlers;
  /** Gets what is typed and means nothing else; true: it was taken. */
  text?(text: string): boolean;
  /** Whether layers below hear nothing. */
  readonly takesAll?: boolean;
}

export interface KeyRouter {
  press(strokes: readonly Stroke[]): void;
  /** Adds a layer on top; `layer` gives its newest form. Returns the function that takes it away. */
  add(layer: () => KeyLayer): () => void;
  /** Keys wait from now on until `release`: the screen that shall hear them is about to come. */
  hold(): void;
  release(): void;
}

export function createKeyRouter(): KeyRouter {
  const layers: (() => KeyLayer)[] = [];
  const waiting: Stroke[] = [];
  let isHeld = false;
  let isBusy = false;
  const hear = (stroke: Stroke) => {
    for (const layer of layers.toReversed()) {
      const {scopes, on, text, takesAll} = layer();
      for (const scope of scopes) {
        const action = actionFor(scope, stroke.name);
        const handler = action === undefined ? undefined : on[action];
        if (handler !== undefined) return handler();
      }
      if (stroke.text !== undefined && text?.(stroke.text) === true) return;
      if (takesAll === true) return;
    }
  };
  const drain = () => {
    if (isBusy) return;
    isBusy = true;
    try {
      while (!isHeld) {
        const stroke = waiting.shift();
        if (stroke === undefined) break;
        hear(stroke);
      }
    } finally {
      isBusy = false;
    }
  };
  return {
    press: (strokes) => {
      waiting.push(...strokes);
      drain();
    },
    add: (layer) => {
      layers.push(layer);
      return () => {
        const at = layers.indexOf(layer);
        if (at !== -1) layers.splice(at, 1);
      };
    },
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      drain();
    },
  };
}
