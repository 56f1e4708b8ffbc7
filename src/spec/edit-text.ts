// Changes single values of a YAML text and leaves every other byte as it is: comments, order, quotes and indentation are the user's.
import {type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, type Pair, parseAllDocuments, Scalar, stringify, type YAMLMap} from 'yaml';
import {canonicalJson} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';

/** A value that is set: keys of maps and indexes of lists down to it. Maps that are missing on the way are made; lists aren't. */
export interface Edit {
  readonly path: readonly (string | number)[];
  readonly value: string | number | boolean;
  /** Where the first key that is missing goes: behind the first of these that is there, else to the end of its map. */
  readonly after?: readonly string[];
}

export interface EditTarget {
  readonly kind: string;
  readonly name: string;
  /** For messages. */
  readonly file: string;
}

/**
 * The text with the edits made. What comes out is read again and must say what was wanted and nothing else, so an edit is right or refused:
 * throws `file.not-editable` for values that anchors share, block scalars, and whatever else can't be changed without touching more than itself.
 */
export function editText(text: string, edits: readonly Edit[], target: EditTarget): string {
  let edited = text;
  for (const edit of edits) edited = editOnce(edited, edit, target);
  return edited;
}

/** Index of the document that is meant. Throws `file.syntax`, `cluster.not-found`. */
function findDocument(documents: readonly Document[], target: EditTarget): number {
  const broken = documents.find((document) => document.errors.length > 0);
  if (broken !== undefined)
    throw new TriremeError(
      'file.syntax',
      `${target.file} can't be changed, because it isn't YAML that can be read: ${broken.errors[0]?.message.split('\n')[0]}`,
    );
  const found = documents.flatMap((document, index) => {
    const value = document.toJS() as {kind?: unknown; metadata?: {name?: unknown}} | null;
    return value?.kind === target.kind && value.metadata?.name === target.name ? [index] : [];
  });
  if (found.length === 1 && found[0] !== undefined) return found[0];
  throw new TriremeError('cluster.not-found', `${target.file} has ${found.length === 0 ? 'no' : 'more than one'} ${target.kind} ${target.name}.`);
}

function parse(text: string): readonly Document.Parsed[] {
  // `merge`: as the file is read for use; positions are those of the whole text, also where it has several documents
  const parsed = parseAllDocuments(text, {merge: true, logLevel: 'silent', prettyErrors: false});
  return Array.isArray(parsed) ? (parsed as Document.Parsed[]) : [];
}

function editOnce(text: string, edit: Edit, target: EditTarget): string {
  const documents = parse(text);
  const index = findDocument(documents, target);
  const document = documents[index];
  if (document === undefined) return text;
  const wanted = documents.map((one) => one.toJS() as unknown);
  if (canonicalJson(valueIn(wanted[index], edit.path) ?? null) === canonicalJson(edit.value)) return text;
  const edited = new Splice(text, document, edit, target).apply();
  wanted[index] = withValue(wanted[index], edit);
  const got = parse(edited);
  if (got.some((one) => one.errors.length > 0) || canonicalJson(got.map((one) => one.toJS() as unknown)) !== canonicalJson(wanted))
    throw refuse(target, edit, 'it is written in a way that more than this value would change');
  return edited;
}

function valueIn(value: unknown, path: Edit['path']): unknown {
  return path.reduce<unknown>((at, key) => (at !== null && typeof at === 'object' ? (at as Record<string | number, unknown>)[key] : undefined), value);
}

function withValue(value: unknown, edit: Edit): unknown {
  const copy = structuredClone(value);
  let at = copy as Record<string | number, unknown>;
  for (const key of edit.path.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string | number, unknown>;
  }
  at[edit.path.at(-1) ?? ''] = edit.value;
  return copy;
}

/** Refuses an edit, and says what to write by hand. */
function refuse(target: EditTarget, edit: Edit, why: string): TriremeError {
  return new TriremeError('file.not-editable', `${pathText(edit.path)} in ${target.file} can't be changed by itself: ${why}.`, {
    hints: [`Write it by hand: ${pathText(edit.path)}: ${String(edit.value)}`, 'Then: trireme apply'],
    details: {path: pathText(edit.path), value: edit.value},
  });
}

/** `spec.controller.pools[0].replicas`. */
export function pathText(path: Edit['path']): string {
  return path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? key : `${text}.${key}`), '');
}

/** One replacement in one text. */
class Splice {
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #edit: Edit;
  readonly #target: EditTarget;

  constructor(text: string, document: Document.Parsed, edit: Edit, target: EditTarget) {
    this.#text = text;
    this.#document = document;
    this.#edit = edit;
    this.#target = target;
  }

  apply(): string {
    const {path, value} = this.#edit;
    let node: unknown = this.#document.contents;
    for (const [depth, key] of path.entries()) {
      this.#requireOwn(node);
      if (isSeq(node)) {
        node = node.items[Number(key)];
        if (node === undefined) throw this.#refuse('the list has no such entry');
      } else if (isMap(node)) {
        const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
        if (pair === undefined) return this.#insert(node, path.slice(depth));
        if (isEmptyValue(pair) && depth < path.length - 1) return this.#fill(pair, path.slice(depth + 1));
        if (isEmptyValue(pair)) return this.#setEmpty(pair);
        node = pair.value;
      } else throw this.#refuse('a value stands where a map is needed');
    }
    this.#requireOwn(node);
    if (!isScalar(node)) throw this.#refuse('a map or a list stands there');
    return this.#replaceScalar(node, value);
  }

  /** What an anchor or a merge shares with other places isn't this place's own. */
  #requireOwn(node: unknown): void {
    if (isAlias(node)) throw this.#refuse(`it is the alias *${node.source}, which stands for a value elsewhere`);
    if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string')
      throw this.#refuse(`it is within the anchor &${node.anchor}, whose value other places share`);
  }

  #replaceScalar(node: Scalar, value: Edit['value']): string {
    if (node.type === Scalar.BLOCK_FOLDED || node.type === Scalar.BLOCK_LITERAL) throw this.#refuse('it is written as a block of lines');
    const {start, end} = this.#span(node);
    return this.#put(start, end, this.#scalarLike(node, value));
  }

  /** The new value, quoted as the old one was. */
  #scalarLike(node: Scalar, value: Edit['value']): string {
    const quote = node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? node.type : undefined;
    // a number in quotes would be a text
    if (quote === undefined || typeof value !== 'string') return renderScalar(value);
    const scalar = new Scalar(value);
    scalar.type = quote;
    return stringify(scalar, {lineWidth: 0}).trimEnd();
  }

  /** `key:` with nothing behind it becomes `key: value`. */
  #setEmpty(pair: Pair): string {
    const colon = this.#colonOf(pair);
    return this.#put(colon + 1, colon + 1, ` ${renderScalar(this.#edit.value)}`);
  }

  /** `key:` with nothing behind it gets a map of its own. */
  #fill(pair: Pair, rest: Edit['path']): string {
    const colon = this.#colonOf(pair);
    const indent = this.#indentOf(this.#span(pair.key).start) + this.#step();
    return this.#insertLine(this.#lineEnd(colon + 1), this.#block(rest, indent));
  }

  #colonOf(pair: Pair): number {
    const {end} = this.#span(pair.key);
    const colon = this.#text.indexOf(':', end);
    if (colon === -1 || this.#text.slice(end, colon).trim() !== '') throw this.#refuse('its key is written in an unusual way');
    return colon;
  }

  /** Puts keys that are missing into a map. */
  #insert(map: YAMLMap, rest: Edit['path']): string {
    if (map.items.some((pair) => isScalar(pair.key) && (pair.key.value === '<<' || typeof pair.key.value === 'symbol')))
      throw this.#refuse('its map is merged with an anchor (<<), which may hold it');
    if (rest.some((key) => typeof key === 'number')) throw this.#refuse('the list has no such entry');
    const behind = this.#behind(map);
    if (map.flow === true || map.items.length === 0) return this.#insertFlow(map, rest, behind);
    if (behind === undefined) throw this.#refuse('its map is empty');
    const first = map.items[0];
    return this.#insertLine(this.#lineEnd(this.#contentEnd(behind)), this.#block(rest, this.#indentOf(this.#span(first?.key).start)));
  }

  #behind(map: YAMLMap): Pair | undefined {
    for (const key of this.#edit.after ?? []) {
      const found = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
      if (found !== undefined) return found;
    }
    return map.items.at(-1);
  }

  #insertFlow(map: YAMLMap, rest: Edit['path'], behind: Pair | undefined): string {
    const {start, end} = this.#span(map);
    if (this.#text[start] !== '{' || this.#text[end - 1] !== '}') throw this.#refuse('its map is empty');
    const nested = rest.slice(1).reduceRight<string>((inner, key) => `{${String(key)}: ${inner}}`, renderScalar(this.#edit.value));
    const entry = `${String(rest[0])}: ${nested}`;
    if (behind === undefined) return this.#put(start, end, `{${entry}}`);
    const at = this.#contentEnd(behind);
    return this.#put(at, at, `, ${entry}`);
  }

  /** `a:\n  b: value`, each line with its indentation. */
  #block(keys: Edit['path'], indent: string): string {
    const step = this.#step();
    const lines = keys.map((key, depth) => `${indent}${step.repeat(depth)}${String(key)}:`);
    return `${lines.join(this.#newline())} ${renderScalar(this.#edit.value)}`;
  }

  /** Where the last visible character of a pair is, comments behind it left out. */
  #contentEnd(pair: Pair): number {
    const {value} = pair;
    if (isEmptyValue(pair)) return this.#colonOf(pair) + 1;
    if ((isMap(value) || isSeq(value)) && value.flow !== true && value.items.length > 0) {
      const last: unknown = value.items.at(-1);
      if (isPair(last)) return this.#contentEnd(last);
      return isMap(last) && last.flow !== true && last.items.length > 0 ? this.#contentEnd(last.items.at(-1) as Pair) : this.#trimmed(last);
    }
    return this.#trimmed(value);
  }

  #trimmed(node: unknown): number {
    const {start, end} = this.#span(node);
    return start + this.#text.slice(start, end).trimEnd().length;
  }

  #lineEnd(offset: number): number {
    const end = this.#text.indexOf('\n', offset);
    return end === -1 ? this.#text.length : this.#text[end - 1] === '\r' ? end - 1 : end;
  }

  #insertLine(at: number, lines: string): string {
    return this.#put(at, at, `${this.#newline()}${lines}`);
  }

  #newline(): string {
    return this.#text.includes('\r\n') ? '\r\n' : '\n';
  }

  /** As many spaces as stand, or would stand, before this place on its line. */
  #indentOf(offset: number): string {
    const before = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1, offset);
    if (!/^[\s-]*$/.test(before)) throw this.#refuse('its map begins on the line of something else');
    return before.replaceAll('-', ' ');
  }

  /** How deep this file indents. */
  #step(): string {
    const match = /^( +)\S/m.exec(this.#text);
    return match?.[1] === undefined || match[1].length > 8 ? '  ' : match[1];
  }

  #span(node: unknown): {readonly start: number; readonly end: number} {
    const range = (node as Node | null | undefined)?.range;
    if (!range) throw this.#refuse('its place in the text is not known');
    return {start: range[0], end: range[1]};
  }

  #put(start: number, end: number, text: string): string {
    return `${this.#text.slice(0, start)}${text}${this.#text.slice(end)}`;
  }

  #refuse(why: string): TriremeError {
    return refuse(this.#target, this.#edit, why);
  }
}

function isEmptyValue(pair: Pair): boolean {
  const {value} = pair;
  return value === null || (isScalar(value) && value.value === null && (value.source ?? '') === '' && value.anchor === undefined);
}

function renderScalar(value: Edit['value']): string {
  return stringify(value, {lineWidth: 0}).trimEnd();
}
