// A recommendation as text: the mode, why, what speaks against it, what contradicts what.
import type {Style} from './style.ts';
import {wrapText} from './wrap.ts';

export interface ShownAdvice {
  readonly recommended: string | undefined;
  readonly usable: string | undefined;
  readonly verdicts: readonly {
    readonly mode: string;
    readonly for: readonly {readonly text: string}[];
    readonly against: readonly {readonly text: string}[];
  }[];
  readonly contradictions: readonly {readonly text: string}[];
  readonly limits: readonly {readonly missing: string; readonly nearest: string}[];
}

/** Lines of at most `columns`; without a recommendation only what is known already. */
export function renderAdvice(advice: ShownAdvice, {color, symbols}: Style, columns = 80): string {
  const lines: string[] = [];
  const points = (mark: string, texts: readonly string[], indent = '  ') => {
    for (const text of texts) {
      const wrapped = wrapText(text, columns - indent.length - 2);
      lines.push(...wrapped.map((line, index) => `${indent}${index === 0 ? `${mark} ` : '  '}${line}`));
    }
  };
  points(
    color.yellow(symbols.warning),
    advice.contradictions.map(({text}) => text),
    '',
  );
  const [best, ...others] = advice.verdicts;
  if (advice.recommended !== undefined && best !== undefined) {
    lines.push(`${color.green(symbols.arrow)} ${color.bold(`${advice.recommended} mode`)} fits best.`);
    points(
      color.green('+'),
      best.for.map(({text}) => text),
    );
    if (best.against.length > 0) lines.push('What speaks against it:');
    points(
      color.yellow('-'),
      best.against.map(({text}) => text),
    );
    for (const other of others) {
      const why = other.against[0]?.text ?? other.for[0]?.text;
      if (other.against.length > 0 && why !== undefined) points(color.dim(symbols.bullet), [`Not ${other.mode}: ${why}`], '');
    }
  }
  for (const {missing, nearest} of advice.limits) {
    points(color.yellow(symbols.warning), [missing], '');
    points(symbols.arrow, [`The nearest that it can: ${nearest}`]);
  }
  if (advice.usable !== undefined && advice.usable !== advice.recommended)
    lines.push(`${symbols.arrow} In this version: ${color.bold(`${advice.usable} mode`)}.`);
  return lines.join('\n');
}
