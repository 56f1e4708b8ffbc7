// Finished lines, kept aside while Ink lays out the screen. Ink takes a styled text apart letter by letter for each frame, which costs more than all
// else together; a line of ours is fitted and painted already, so Ink gets a short name in its place, and the frame stream puts the line back.

// a private use character: `clean` lets it through, so it counts only at the beginning of a line, where nothing but a name can be
const lead = '\uE000';
/** So many lines are kept; those of the generation before stay too. */
const kept = 4000;

let names = new Map<string, string>();
let texts = new Map<string, string>();
let older = new Map<string, string>();
let counter = 0;

/** A name for the line: a few cells wide, the same one for the same text. */
export function nameOfLine(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= kept) {
    older = texts;
    names = new Map();
    texts = new Map();
  }
  counter = (counter + 1) % 36 ** 5;
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
