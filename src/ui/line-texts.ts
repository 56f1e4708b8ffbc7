// Finished lines, kept aside while Ink lays out the screen. Ink takes a styled text apart letter by letter for each frame, which costs more than all
// else together; a line of ours is fitted and painted already, so Ink gets a short name in its place, and the frame stream puts the line back.

// counts only at the beginning of a line, where no text of ours begins so; ASCII, because Ink measures that at once
const lead = '`#';
/** So many lines are kept; those of the generation before stay too. */
const kept = 4000;
/** Names come around: Ink remembers the width of every text that it ever saw, and the dashboard runs for weeks. */
const different = 8192;

let names = new Map<string, string>();
let texts = new Map<string, string>();
let older = new Map<string, string>();
let counter = 0;

/** Cells that the longest name takes: all the width that Ink needs to know of, and each cell less is one less that it makes for each frame. */
export const nameWidth = lead.length + (different - 1).toString(36).length;

/** A name for the line: at most `nameWidth` cells wide, the same one for the same text. */
export function nameOfLine(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= kept) {
    older = texts;
    names = new Map();
    texts = new Map();
  }
  counter = (counter + 1) % different;
  const name = lead + counter.toString(36);
  names.set(text, name);
  texts.set(name, text);
  return name;
}

/** The line behind a name; anything else as it is. */
export function lineOfName(line: string): string {
  if (!line.startsWith(lead)) return line;
  const name = line.trimEnd();
  return texts.get(name) ?? older.get(name) ?? '';
}
