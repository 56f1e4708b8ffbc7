// `${...}` in components and cluster templates, as data. The grammar is the one that clusterctl reads (drone/envsubst v2), plus `${VAR-default}`,
// which it refuses, and `${VAR:?why}` as shells mean it: what is required, with a reason.

/** What follows the name. */
export type Operation =
  | {readonly kind: 'none'}
  /** `=` `:=` `:-` `:+` `-`: a value where there is none. clusterctl takes `:+` for a default too. */
  | {readonly kind: 'default'; readonly assigns: boolean; readonly evenIfEmpty: boolean; readonly parts: readonly Part[]}
  /** `:?`: no value is an error, with this text. */
  | {readonly kind: 'required'; readonly parts: readonly Part[]}
  | {readonly kind: 'length'}
  | {readonly kind: 'case'; readonly upper: boolean; readonly all: boolean}
  | {readonly kind: 'substring'; readonly from: Part; readonly length?: Part}
  | {readonly kind: 'remove'; readonly from: 'start' | 'end'; readonly longest: boolean; readonly pattern: Part}
  | {readonly kind: 'replace'; readonly where: 'first' | 'all' | 'start' | 'end'; readonly pattern: Part; readonly by: Part};

export interface Expression {
  readonly name: string;
  /** In UTF-16 units, in the template's text: from `$` to behind `}`. */
  readonly offset: number;
  readonly length: number;
  readonly operation: Operation;
}

/** Text as it stands (at `offset` of the template), or an expression. */
export type Part = {readonly text: string; readonly offset: number} | Expression;

export interface SyntaxFault {
  readonly offset: number;
  readonly length: number;
  readonly message: string;
}

export interface Parsed {
  readonly parts: readonly Part[];
  readonly faults: readonly SyntaxFault[];
}

/** More than these help nobody, and each costs an excerpt. */
const mostFaults = 50;
/** Levels of defaults in defaults; deeper is nobody's template, and would exhaust the stack. */
const deepest = 32;

/** Reads a whole text; what can't be read is a fault, and reading goes on behind it. Never throws. */
export function parseExpressions(text: string): Parsed {
  const parts: Part[] = [];
  const faults: SyntaxFault[] = [];
  let from = 0;
  let at = 0;
  const flush = (end: number) => {
    if (end > from) parts.push({text: text.slice(from, end), offset: from});
  };
  while ((at = text.indexOf('$', at)) !== -1) {
    const next = text[at + 1];
    if (next === '$') {
      // of two the second stays, and is nobody's beginning
      flush(at);
      from = at + 1;
      at += 2;
    } else if (next === '{') {
      flush(at);
      const parser = new ExpressionParser(text, at);
      try {
        const expression = parser.expression();
        parts.push(expression);
        from = at + expression.length;
      } catch (error) {
        if (!(error instanceof ExpressionFault)) throw error;
        if (faults.length === mostFaults) break;
        faults.push({offset: at, length: Math.max(2, Math.min(error.at + 1, lineEnd(text, at)) - at), message: error.message});
        from = Math.max(at + 2, error.at);
      }
      at = from;
    } else at += 1;
  }
  flush(text.length);
  return {parts, faults};
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

class ExpressionFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const nameCharacters = /[\p{L}\p{N}_]/u;

/** One expression from its `$` on. */
class ExpressionParser {
  readonly #text: string;
  #at: number;
  #depth = 0;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  expression(): Expression {
    const offset = this.#at;
    this.#at += 2;
    if (this.#depth === deepest) throw new ExpressionFault(`Variables are nested deeper than ${deepest} levels.`, this.#at);
    this.#depth += 1;
    if (this.#text[this.#at] === '#') {
      this.#at += 1;
      const name = this.#name();
      this.#close(name);
      this.#depth -= 1;
      return {name, offset, length: this.#at - offset, operation: {kind: 'length'}};
    }
    // `${ NAME }`: old templates have it
    this.#skipSpaces();
    const name = this.#name();
    this.#skipSpaces();
    const operation = this.#operation();
    this.#close(name);
    this.#depth -= 1;
    return {name, offset, length: this.#at - offset, operation};
  }

  #operation(): Operation {
    for (const sign of [':=', ':-', ':?', ':+', '=', '-'] as const) {
      if (!this.#take(sign)) continue;
      const parts = this.#partsUntil(/[}]/);
      if (sign === ':?') return {kind: 'required', parts};
      return {kind: 'default', assigns: sign.endsWith('='), evenIfEmpty: sign !== '-', parts};
    }
    for (const sign of [',,', '^^', ',', '^'] as const) {
      if (this.#take(sign)) return {kind: 'case', upper: sign.startsWith('^'), all: sign.length === 2};
    }
    for (const sign of ['##', '%%', '#', '%'] as const) {
      if (this.#take(sign)) return {kind: 'remove', from: sign.startsWith('#') ? 'start' : 'end', longest: sign.length === 2, pattern: this.#argument(/[}]/)};
    }
    for (const [sign, where] of [
      ['//', 'all'],
      ['/#', 'start'],
      ['/%', 'end'],
      ['/', 'first'],
    ] as const) {
      if (!this.#take(sign)) continue;
      const pattern = this.#argument(/[/}]/);
      const by = this.#take('/') ? this.#argument(/[}]/) : {text: '', offset: this.#at};
      return {kind: 'replace', where, pattern, by};
    }
    if (this.#take(':')) {
      const from = this.#argument(/[:}]/);
      return this.#take(':') ? {kind: 'substring', from, length: this.#argument(/[}]/)} : {kind: 'substring', from};
    }
    return {kind: 'none'};
  }

  #partsUntil(end: RegExp): readonly Part[] {
    const parts: Part[] = [];
    while (this.#at < this.#text.length && !end.test(this.#text[this.#at] as string)) parts.push(this.#argument(end));
    return parts;
  }

  /** Either one nested expression, or text up to the end or the next expression. */
  #argument(end: RegExp): Part {
    if (this.#text.startsWith('${', this.#at)) return this.expression();
    const offset = this.#at;
    let text = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] as string;
      const next = this.#text[this.#at + 1];
      if ((character === '\\' && (next === '/' || next === '\\')) || (character === '$' && next === '$')) {
        text += next;
        this.#at += 2;
        continue;
      }
      if (end.test(character) || this.#text.startsWith('${', this.#at)) break;
      text += character;
      this.#at += 1;
    }
    return {text, offset};
  }

  #name(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && nameCharacters.test(this.#text[this.#at] as string)) this.#at += 1;
    if (this.#at === start) throw new ExpressionFault('Behind ${ stands the name of a variable: letters, digits and _.', this.#at);
    return this.#text.slice(start, this.#at);
  }

  #close(name: string): void {
    if (this.#text[this.#at] !== '}') throw new ExpressionFault(`The variable ${name} isn't closed by } here.`, this.#at);
    this.#at += 1;
  }

  #take(sign: string): boolean {
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #skipSpaces(): void {
    while (/[ \t]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}
