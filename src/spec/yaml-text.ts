// YAML with positions: parses a text into documents, bounded in depth, number and aliases, and finds the place of any path in them.
import {
  Composer,
  type Document,
  type DocumentOptions,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  Lexer,
  visit,
  type YAMLMap,
  type ParsedNode,
  type SchemaOptions,
} from 'yaml';
import type {Complaint} from './complaint.ts';
import type {Source, Span} from './source.ts';

export type Path = readonly (string | number)[];

export interface YamlOptions {
  /** Levels of nesting; deeper is nobody's file, and would exhaust the stack of what reads on. Default 64. */
  readonly deepest?: number;
  /** For the parser: another YAML version or schema than 1.2 core. */
  readonly schema?: Pick<DocumentOptions & SchemaOptions, 'version' | 'schema' | 'customTags'>;
}

const mostDocuments = 1000;
const mostAliases = 100;
const mostComplaints = 50;

export interface YamlDocument {
  readonly source: Source;
  readonly document: Document.Parsed<ParsedNode>;
  /** As plain data; undefined when the document has errors that make it unreadable. */
  readonly value: unknown;
  /** True when a key is there twice: which of the values is meant isn't known. */
  readonly ambiguous: boolean;
}

export interface YamlResult {
  /** Documents with content, in order; the unreadable ones too. */
  readonly documents: readonly YamlDocument[];
  readonly complaints: readonly Complaint[];
}

const rules: Readonly<Record<string, {readonly rule: string; readonly message?: string; readonly hint?: string}>> = {
  TAB_AS_INDENT: {rule: 'yaml.tab', message: 'A tab stands where YAML wants spaces.', hint: 'Indent with spaces.'},
  BAD_INDENT: {rule: 'yaml.indentation', hint: 'Check the indentation of this line and the one before, and that brackets are closed.'},
  MISSING_CHAR: {rule: 'yaml.unclosed', hint: 'Check that quotes and brackets are closed.'},
  BAD_ALIAS: {rule: 'yaml.alias'},
  NON_STRING_KEY: {rule: 'yaml.key', message: 'A key is plain text, not a list or a map.', hint: 'Write a plain key.'},
  TAG_RESOLVE_FAILED: {rule: 'yaml.tag', message: 'The file uses a tag that has no meaning here.', hint: 'Write the value without a tag.'},
  MULTILINE_IMPLICIT_KEY: {rule: 'yaml.syntax', hint: 'Is a colon missing after a key?'},
  BLOCK_AS_IMPLICIT_KEY: {
    rule: 'yaml.syntax',
    message: 'A second key begins on the line of the first.',
    hint: 'Check the indentation; put a value in quotes if it has ": " in it.',
  },
};

/** Parses a text. Never throws: what can't be read is a complaint. */
export function parseYaml(source: Source, options: YamlOptions = {}): YamlResult {
  const nul = source.text.indexOf('\0');
  if (nul !== -1)
    return {
      documents: [],
      complaints: [source.complain({offset: nul, length: 1}, {rule: 'yaml.null-byte', message: 'The file has a null byte; YAML is text.'})],
    };
  try {
    return compose(source, options);
  } catch (error) {
    const message = `The file can't be read as YAML: ${error instanceof Error ? error.message : String(error)}.`;
    return {documents: [], complaints: [source.complain({offset: 0, length: 1}, {rule: 'yaml.syntax', message})]};
  }
}

function compose(source: Source, options: YamlOptions): YamlResult {
  const deepest = options.deepest ?? 64;
  const complaints: Complaint[] = [];
  const counter = new LineCounter();
  const parser = new Parser(counter.addNewLine);
  const tokens = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'document') count += 1;
      tokens.push(token);
    }
    if (parser.stack.length > deepest) {
      return {
        documents: [],
        complaints: [
          source.complain(
            {offset: parser.offset - lexeme.length, length: 1},
            {rule: 'yaml.too-deep', message: `The file is nested deeper than ${deepest} levels.`},
          ),
        ],
      };
    }
    if (count > mostDocuments) {
      return {
        documents: [],
        complaints: [
          source.complain({offset: parser.offset, length: 1}, {rule: 'yaml.too-many-documents', message: `The file has more than ${mostDocuments} documents.`}),
        ],
      };
    }
  }
  tokens.push(...parser.end());
  const documents: YamlDocument[] = [];
  for (const document of new Composer({
    ...options.schema,
    merge: true,
    uniqueKeys: false,
    strict: true,
    stringKeys: true,
    prettyErrors: false,
    logLevel: 'silent',
  }).compose(tokens, true, source.text.length)) {
    const read = readDocument(source, document as Document.Parsed<ParsedNode>, options.schema !== undefined);
    complaints.push(...read.complaints.slice(0, mostComplaints));
    if (read.document !== undefined) documents.push(read.document);
  }
  return {documents, complaints};
}

function readDocument(source: Source, document: Document.Parsed<ParsedNode>, allowTags: boolean): {document?: YamlDocument; complaints: readonly Complaint[]} {
  const complaints: Complaint[] = [];
  let unreadable = false;
  const offsets = new Set<number>();
  for (const error of document.errors.concat(document.warnings as typeof document.errors)) {
    const [start, end] = error.pos;
    if (error.code !== 'TAG_RESOLVE_FAILED') unreadable = true;
    const isClosing = error.code === 'MISSING_CHAR' && /quote|end with|closing/.test(error.message);
    const opening = isClosing ? openingQuote(document, start) : undefined;
    const offset = opening ?? backToText(source.text, start);
    // one slip makes the parser stumble several times over the same spot
    if (offsets.has(offset) || offsets.size >= mostComplaints) continue;
    offsets.add(offset);
    const known = rules[error.code === 'MISSING_CHAR' && !isClosing ? 'BAD_INDENT' : error.code] ?? {rule: 'yaml.syntax'};
    complaints.push(
      source.complain(
        {offset, length: Math.max(1, end - start)},
        {rule: known.rule, message: known.message ?? sentence(error.message), ...(known.hint === undefined ? {} : {hint: known.hint})},
      ),
    );
    // all that follows an open quote was read as part of it
    if (opening !== undefined) break;
  }
  const {contents} = document;
  const isEmpty = contents === null || (isScalar(contents) && contents.value === null && contents.source === '');
  if (isEmpty && complaints.length === 0) return {complaints};
  const nodes = checkNodes(source, document, allowTags);
  complaints.push(...nodes);
  if (unreadable || nodes.some((complaint) => complaint.rule !== 'yaml.duplicate-key'))
    return {document: {source, document, value: undefined, ambiguous: true}, complaints};
  try {
    return {document: {source, document, value: document.toJS({maxAliasCount: mostAliases}), ambiguous: nodes.length > 0}, complaints};
  } catch (error) {
    const bomb = error instanceof ReferenceError;
    complaints.push(
      source.complain(firstAlias(document) ?? {offset: 0, length: 1}, {
        rule: bomb ? 'yaml.alias-bomb' : 'yaml.syntax',
        message: bomb ? 'The aliases of this document multiply into too much content.' : `The document can't be read: ${(error as Error).message}.`,
        ...(bomb ? {hint: 'Write the values out.'} : {}),
      }),
    );
    return {document: {source, document, value: undefined, ambiguous: true}, complaints};
  }
}

/** Where the quoted text begins that isn't closed: its end is wherever the document ends. */
function openingQuote(document: Document.Parsed<ParsedNode>, end: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar: (_key, node) => {
      const quoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
      if (quoted && node.range && node.range[0] < end && node.range[1] >= end) found = node.range[0];
    },
  });
  return found;
}

/** At the end of a line that has nothing more to show, the last text before. */
function backToText(text: string, offset: number): number {
  const line = text.slice(offset, text.indexOf('\n', offset) === -1 ? undefined : text.indexOf('\n', offset));
  return line.trim() === '' ? Math.max(0, text.slice(0, offset).trimEnd().length - 1) : offset;
}

function sentence(message: string): string {
  const first = (message.split('\n', 1)[0] ?? message).replace(/closing ("quote|'quote)/, 'closing quote');
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** What the parser lets pass but nothing later can stand: keys twice (the parser's own check is quadratic), dangling and circular aliases, and keys that are names of the language itself. */
function checkNodes(source: Source, document: Document.Parsed<ParsedNode>, allowTags: boolean): readonly Complaint[] {
  const complaints: Complaint[] = [];
  // a tag that the parser doesn't know was already complained about
  const unknown = new Set(document.warnings.map((warning) => source.position(warning.pos[0]).line));
  const complainTag = (node: Node) => {
    const span = locateNode(node);
    if (node.tag === undefined || allowTags || complaints.length >= mostComplaints || unknown.has(source.position(span.offset).line)) return;
    complaints.push(source.complain(span, {rule: 'yaml.tag', message: rules['TAG_RESOLVE_FAILED']?.message ?? '', hint: 'Write the value without a tag.'}));
  };
  visit(document, {
    Scalar: (_key, node) => complainTag(node),
    Seq: (_key, node) => complainTag(node),
    Map: (_key, map) => {
      complainTag(map);
      const seen = new Set<string>();
      for (const pair of map.items) {
        if (complaints.length >= mostComplaints) return visit.BREAK;
        const key = isScalar(pair.key) ? String(pair.key.value) : undefined;
        if (key === undefined || key === '<<' || typeof (pair.key as {value?: unknown}).value === 'symbol') continue;
        if (seen.has(key))
          complaints.push(
            source.complain(locateNode(pair.key), {
              rule: 'yaml.duplicate-key',
              message: `The key ${key.slice(0, 80)} is there twice.`,
              hint: 'Keep one of them.',
            }),
          );
        seen.add(key);
      }
      return undefined;
    },
    Alias: (_key, node, path) => {
      if (complaints.length >= mostComplaints) return visit.BREAK;
      const target = node.resolve(document);
      if (target === undefined)
        complaints.push(source.complain(locateNode(node), {rule: 'yaml.alias', message: `No anchor &${node.source} is set before this alias.`}));
      else if (path.includes(target))
        complaints.push(source.complain(locateNode(node), {rule: 'yaml.alias', message: `The alias *${node.source} contains itself.`}));
      return undefined;
    },
    Pair: (_key, pair) => {
      if (isScalar(pair.key) && pair.key.value === '__proto__')
        complaints.push(source.complain(locateNode(pair.key), {rule: 'yaml.key', message: '__proto__ is no key that can be used.'}));
    },
  });
  return complaints;
}

function firstAlias(document: Document.Parsed<ParsedNode>): Span | undefined {
  let found: Span | undefined;
  visit(document, {
    Alias: (_key, node) => {
      found = locateNode(node);
      return visit.BREAK;
    },
  });
  return found;
}

/** The place of a node of the parsed document. */
export function locateNode(node: unknown): Span {
  const range = (node as Node | null | undefined)?.range;
  return range ? {offset: range[0], length: Math.max(1, range[1] - range[0])} : {offset: 0, length: 1};
}

/** The place of a path: of its value, or of its key. Where the path ends early, the place of the last key that is there. */
export function locate(document: YamlDocument, path: Path, what: 'key' | 'value' = 'value'): Span {
  let node: unknown = document.document.contents;
  let span = node === null ? {offset: document.document.range[0], length: 1} : startOf(node);
  for (const [index, segment] of path.entries()) {
    node = isAlias(node) ? node.resolve(document.document) : node;
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = findPair(node, String(segment), document);
      if (pair === undefined) return span;
      const empty = pair.value === null || (isScalar(pair.value) && pair.value.value === null);
      span = locateNode(pair.key);
      node = pair.value;
      if (last && what === 'value' && !empty) span = startOf(node);
    } else if (isSeq(node)) {
      const item = node.items[Number(segment)];
      if (item === undefined) return span;
      node = item;
      span = startOf(node);
    } else return span;
  }
  return span;
}

/** A scalar as a whole; of a map or a list where it begins: its first key. */
function startOf(node: unknown): Span {
  if (isMap(node) && !node.flow) {
    const first = node.items[0];
    if (first !== undefined) return locateNode(first.key);
  }
  if (isSeq(node) && !node.flow && node.items[0] !== undefined) return startOf(node.items[0]);
  if (isPair(node)) return locateNode(node.key);
  const span = locateNode(node);
  return isScalar(node) || isAlias(node) ? span : {offset: span.offset, length: 1};
}

function findPair(map: YAMLMap, key: string, document: YamlDocument): Pair | undefined {
  const own = map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own !== undefined) return own;
  for (const pair of map.items) {
    if (!isScalar(pair.key) || (pair.key.value !== '<<' && typeof pair.key.value !== 'symbol')) continue;
    const merged = isAlias(pair.value) ? pair.value.resolve(document.document) : pair.value;
    for (const candidate of isSeq(merged) ? merged.items : [merged]) {
      const resolved = isAlias(candidate) ? candidate.resolve(document.document) : candidate;
      const found = isMap(resolved) ? findPair(resolved, key, document) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
