// Text in terminal cells: cut and padded by what every terminal agrees on. Whatever comes from hosts or an API goes through `clean` first.
import stringWidth from 'string-width';
import {sanitizeLine} from '../output/sanitize.ts';

// oxlint-disable-next-line no-control-regex -- printable ASCII is the fast way
const plainAscii = /^[\u0020-\u007E]*$/;
// Latin, and the signs and lines that screens draw with: one cell each, and much quicker than asking Unicode's tables
// oxlint-disable-next-line no-control-regex -- from space on
const oneCell = /^[\u0020-\u007E\u00A1-\u00AC\u00AE-\u02FF\u2010-\u2027\u2190-\u21FF\u2500-\u25FC\u2713-\u2718\u276F\u2800-\u28FF]*$/;
let made: Intl.Segmenter | undefined;
/** Its table takes longer to read than a frame to draw: it's read with the first text that needs it. */
const segmentsOf = (text: string) => (made ??= new Intl.Segmenter('en', {granularity: 'grapheme'})).segment(text);
// Terminals draw these in one to six cells, each its own way (Unicode TR51): variation selectors, joined emoji, skin tones.
const joined = /\u200D\p{Extended_Pictographic}/gu;
const selectors = /\u200C|\u200D|\uFE0E|\uFE0F|\u20E3|\p{Emoji_Modifier}/gu;
const flag = /[\u{1F1E6}-\u{1F1FF}]/gu;
const marks = /(\p{M}{2})\p{M}+/gu;

/** One line without anything that steers a terminal, and with emoji in a form that takes the same room everywhere. */
export function clean(text: string): string {
  if (plainAscii.test(text)) return text.trimEnd();
  return sanitizeLine(text)
    .replaceAll(joined, '')
    .replaceAll(selectors, '')
    .replaceAll(flag, (letter) => String.fromCodePoint((letter.codePointAt(0) ?? 0) - 0x1f1e6 + 65))
    .replaceAll(marks, '$1');
}

/** Widths of texts with symbols and wide letters: the same few are asked for in each frame. */
const widths = new Map<string, number>();
const widthsKept = 5000;

/** How many cells a clean text takes. */
export function widthOf(text: string): number {
  if (oneCell.test(text)) return text.length;
  const known = widths.get(text);
  if (known !== undefined) return known;
  if (widths.size >= widthsKept) widths.clear();
  const width = stringWidth(text);
  widths.set(text, width);
  return width;
}

/** The text in at most `width` cells; what doesn't fit gives way to the ellipsis. A wide character is never halved. */
export function cut(text: string, width: number, ellipsis = '…'): string {
  if (width <= 0) return '';
  if (plainAscii.test(text)) {
    if (text.length <= width) return text;
    return width <= ellipsis.length ? text.slice(0, width) : text.slice(0, width - ellipsis.length) + ellipsis;
  }
  if (widthOf(text) <= width) return text;
  const room = width > ellipsis.length ? width - ellipsis.length : width;
  let taken = '';
  let used = 0;
  for (const {segment} of segmentsOf(text)) {
    const more = stringWidth(segment);
    if (used + more > room) break;
    taken += segment;
    used += more;
  }
  return width > ellipsis.length ? taken + ellipsis : taken;
}

/** Exactly `width` cells: cut, or filled up with spaces. */
export function fit(text: string, width: number, options: {readonly align?: 'left' | 'right'; readonly ellipsis?: string} = {}): string {
  const short = cut(text, width, options.ellipsis);
  const filling = ' '.repeat(Math.max(0, width - widthOf(short)));
  return options.align === 'right' ? filling + short : short + filling;
}

/** The last `width` cells, so that the end of what is typed stays in view. */
export function tail(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  const segments = [...segmentsOf(text)].map(({segment}) => segment);
  let taken = '';
  let used = 0;
  for (const segment of segments.toReversed()) {
    const more = widthOf(segment);
    if (used + more > width) break;
    taken = segment + taken;
    used += more;
  }
  return taken;
}

/** Its characters as a person counts them. */
export function graphemes(text: string): readonly string[] {
  return plainAscii.test(text) ? [...text] : [...segmentsOf(text)].map(({segment}) => segment);
}

/** An age in coarse steps, so that a screen on which nothing happens needn't be drawn each second: `<10s`, `40s`, `12m`, `5h`, `3d`. */
export function coarseAge(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 10) return '<10s';
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** As `coarseAge`, from an ISO 8601 time; empty when it isn't one. */
export function ageOf(since: string | undefined, now: number): string {
  const at = since === undefined ? Number.NaN : Date.parse(since);
  return Number.isNaN(at) ? '' : coarseAge(now - at);
}
