// A problem as text: what is, why, what to do.
import type {Problem} from '../kernel/problem.ts';
import {sanitize} from './sanitize.ts';
import type {Style} from './style.ts';

/** The lines for one problem, the host first; hints are indented below. */
export function renderProblem(problem: Problem, style: Style): string {
  const {color, symbols} = style;
  const [first = '', ...rest] = sanitize(problem.message).split('\n');
  const host = problem.host !== undefined && !first.includes(problem.host) ? `${color.bold(problem.host)}: ` : '';
  const lines = [`${color.red(symbols.failed)} ${host}${first}`, ...rest.map((line) => (line === '' ? '' : `  ${line}`))];
  return [...lines, ...hintLines(problem.hints, style)].join('\n');
}

/** What to do about it: a bare command is introduced by `Try:`, a sentence stands for itself. */
export function hintLines(hints: readonly string[], style: Style): readonly string[] {
  return hints.map(
    (hint) => `  ${style.color.dim(`${style.symbols.arrow} ${/^trireme\b/.test(hint) ? 'Try: ' : ''}`)}${sanitize(hint).replaceAll('\n', '\n    ')}`,
  );
}
