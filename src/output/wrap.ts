// Text into lines of a width, by what a terminal shows.
import stringWidth from 'string-width';

/** Lines of at most `width` columns (at least 20); newlines stay, words that are longer are cut. The text must be sanitized. */
export function wrapText(text: string, width: number): readonly string[] {
  const room = Math.max(20, width);
  return text.split('\n').flatMap((line) => wrapLine(line.replaceAll('\t', ' ').trimEnd(), room));
}

function wrapLine(text: string, room: number): readonly string[] {
  const indent = /^\s*(?:[*•-]\s+)?/.exec(text)?.[0] ?? '';
  const hanging = ' '.repeat(Math.min(indent.length, 8));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, room - hanging.length))) {
    const joined = line === '' && lines.length === 0 && word === '' ? ' ' : line === '' ? word : `${line} ${word}`;
    if (stringWidth(joined) <= room || line.trim() === '') line = joined;
    else {
      lines.push(line);
      line = hanging + word;
    }
  }
  lines.push(line);
  return lines;
}

/** A word in pieces that fit. */
function pieces(word: string, room: number): readonly string[] {
  if (stringWidth(word) <= room) return [word];
  const found: string[] = [];
  let piece = '';
  let width = 0;
  for (const {segment} of new Intl.Segmenter('en', {granularity: 'grapheme'}).segment(word)) {
    const more = stringWidth(segment);
    if (width + more > room) {
      found.push(piece);
      piece = '';
      width = 0;
    }
    piece += segment;
    width += more;
  }
  return [...found, piece];
}
