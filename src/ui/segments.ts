// One line out of pieces, cut to the screen's width whatever they hold.
import {clean, cut, widthOf} from './cells.ts';
import type {Theme, Token} from './theme.ts';

/** Text with how it looks, or a picture that is painted already and takes `cells`. */
export type Segment = string | readonly [text: string, token: Token] | {readonly picture: string; readonly cells: number};

/** Pieces side by side in at most `width` cells. Text is cleaned here; a picture that doesn't fit is left out. */
export function joinSegments(segments: readonly Segment[], width: number, theme: Theme): string {
  let room = width;
  let line = '';
  for (const segment of segments) {
    if (room <= 0) break;
    if (typeof segment !== 'string' && 'picture' in segment) {
      if (segment.cells > room) continue;
      line += segment.picture;
      room -= segment.cells;
      continue;
    }
    const [text, token] = typeof segment === 'string' ? [segment, undefined] : segment;
    const shown = cut(spaced(text), room, theme.symbols.ellipsis);
    line += token === undefined ? shown : theme.paint(token, shown);
    room -= widthOf(shown);
  }
  return line;
}

/** Cleaning takes spaces from the end, and pieces need theirs. */
function spaced(text: string): string {
  const end = /\s*$/.exec(text)?.[0].length ?? 0;
  return clean(text) + ' '.repeat(end);
}
