// Fills `${VARIABLES}` into components and cluster templates, as clusterctl does, and says of all that are missing where they stand.
import type {Complaint} from '../../../spec/complaint.ts';
import type {Source, Span} from '../../../spec/source.ts';
import {applyOperation} from './operation.ts';
import {parseExpressions, type Expression, type Part} from './expression.ts';

/** A value by name; undefined where there is none. */
export type Lookup = (name: string) => string | undefined;

export interface TemplateVariable {
  readonly name: string;
  /** True when some use of it has no default. */
  readonly required: boolean;
  /** As the template writes it: `${OTHER}-suffix` may be in it. Of its first use with one. */
  readonly default?: string;
  /** Where it is used, in order. */
  readonly places: readonly Span[];
}

export interface Substituted {
  /** The filled-in text; incomplete when there are complaints. */
  readonly text: string;
  /** By name. */
  readonly variables: readonly TemplateVariable[];
  /** Names of what has neither value nor default, sorted. */
  readonly missing: readonly string[];
  /** `template.syntax` and `template.missing-variable`, one for each place (of a missing variable: its first). */
  readonly complaints: readonly Complaint[];
  /** Where a place of the filled-in text comes from in the template; inside a value, the place of its expression. */
  originOf(offset: number): number;
}

/** The variables of a template, by name, nested ones too. */
export function templateVariables(source: Source): readonly TemplateVariable[] {
  return collect(source.text, parseExpressions(source.text).parts);
}

/** Fills in a template. Never throws: all that is wrong is in `complaints`, at once. */
export function substitute(source: Source, lookup: Lookup): Substituted {
  const {parts, faults} = parseExpressions(source.text);
  const evaluation = new Evaluation(lookup);
  const pieces: {readonly start: number; readonly offset: number; readonly literal: boolean}[] = [];
  let text = '';
  for (const part of parts) {
    pieces.push({start: text.length, offset: part.offset, literal: 'text' in part});
    text += evaluation.part(part);
  }
  const complaints = [
    ...faults.map((fault) => source.complain(fault, {rule: 'template.syntax', message: fault.message, hint: 'For the text ${ itself, write $${.'})),
    ...evaluation.missing.map(({expression, why}) =>
      source.complain(expression, {
        rule: 'template.missing-variable',
        message: why === '' ? `The variable ${expression.name} has no value, and no default.` : `The variable ${expression.name} has no value: ${why}.`,
      }),
    ),
  ].toSorted((a, b) => a.line - b.line || a.column - b.column);
  const missing = [...new Set(evaluation.missing.map(({expression}) => expression.name))].toSorted();
  return {
    text,
    variables: collect(source.text, parts),
    missing,
    complaints,
    originOf: (offset) => {
      const piece = pieces.findLast(({start}) => start <= offset);
      return piece === undefined ? 0 : piece.literal ? piece.offset + offset - piece.start : piece.offset;
    },
  };
}

class Evaluation {
  readonly missing: {readonly expression: Expression; readonly why: string}[] = [];
  readonly #lookup: Lookup;
  /** What `:=` gave a value to: as in a shell, it counts from there on. */
  readonly #assigned = new Map<string, string>();

  constructor(lookup: Lookup) {
    this.#lookup = lookup;
  }

  part(part: Part): string {
    return 'text' in part ? part.text : this.#expression(part);
  }

  #expression(expression: Expression): string {
    const {name, operation} = expression;
    const value = this.#lookup(name) ?? this.#assigned.get(name);
    if (operation.kind === 'default') {
      if (value !== undefined && (value !== '' || !operation.evenIfEmpty)) return value;
      const given = this.#join(operation.parts);
      if (operation.assigns) this.#assigned.set(name, given);
      return given;
    }
    if (operation.kind === 'required') {
      if (value === undefined || value === '') this.#miss(expression, this.#join(operation.parts));
      return value ?? '';
    }
    if (value === undefined) {
      this.#miss(expression, '');
      return '';
    }
    return applyOperation(value, operation, (part) => this.part(part));
  }

  #join(parts: readonly Part[]): string {
    return parts.map((part) => this.part(part)).join('');
  }

  #miss(expression: Expression, why: string): void {
    if (!this.missing.some((one) => one.expression.name === expression.name)) this.missing.push({expression, why});
  }
}

function collect(text: string, parts: readonly Part[]): readonly TemplateVariable[] {
  const found = new Map<string, {required: boolean; default?: string; places: Span[]}>();
  const visit = (part: Part): void => {
    if ('text' in part) return;
    const {name, offset, length, operation} = part;
    const known = found.get(name) ?? {required: false, places: []};
    found.set(name, known);
    known.places.push({offset, length});
    if (operation.kind !== 'default') known.required ||= known.default === undefined;
    else known.default ??= text.slice(operation.parts[0]?.offset ?? offset + length - 1, offset + length - 1);
    for (const inner of partsOf(operation)) visit(inner);
  };
  for (const part of parts) visit(part);
  return [...found].map(([name, variable]) => ({name, ...variable})).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function partsOf(operation: Expression['operation']): readonly Part[] {
  switch (operation.kind) {
    case 'default':
    case 'required':
      return operation.parts;
    case 'substring':
      return operation.length === undefined ? [operation.from] : [operation.from, operation.length];
    case 'remove':
      return [operation.pattern];
    case 'replace':
      return [operation.pattern, operation.by];
    default:
      return [];
  }
}
