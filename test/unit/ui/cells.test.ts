import stringWidth from 'string-width';
import {describe, expect, it} from 'vitest';
import {ageOf, clean, coarseAge, cut, fit, tail, widthOf} from '../../../src/ui/cells.ts';
import {symbolSets} from '../../../src/ui/theme.ts';
import {hostileNames} from './hostile-names.ts';

describe('cleaning', () => {
  it.each(hostileNames)('leaves nothing that steers a terminal of %s', (_what, name) => {
    // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- nothing of this may be left
    expect(clean(name)).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2066-\u2069\uFE0E\uFE0F]/);
  });

  it('brings emoji into a form that takes the same room everywhere', () => {
    expect(clean('👩‍👩‍👧‍👦')).toBe('👩');
    expect(clean('👍🏽')).toBe('👍');
    expect(clean('🇩🇪')).toBe('DE');
    expect(clean('1️⃣')).toBe('1');
    expect(clean(`e${'\u0301'.repeat(10)}`)).toBe('e\u0301\u0301');
  });
});

it('counts the signs that screens draw with as the tables do', () => {
  const signs = [...Object.values(symbolSets.unicode).flat(), 'é', 'ß', '…', '↻', '▸'];
  for (const sign of signs) expect(widthOf(sign), sign).toBe(stringWidth(sign));
});

describe('fitting', () => {
  it.each(hostileNames)('takes exactly the width for %s', (_what, name) => {
    for (const width of [1, 2, 7, 20, 80]) expect(stringWidth(fit(clean(name), width)), String(width)).toBe(width);
  });

  it('never halves a wide letter', () => {
    expect(cut('港湾クラスター', 6)).toBe('港湾…');
    expect(cut('港湾クラスター', 5)).toBe('港湾…');
    expect(fit('港湾', 3)).toBe('港…');
  });

  it('shows the end of what is being typed', () => {
    expect(tail('a long filter', 6)).toBe('filter');
    expect(tail('港湾', 3)).toBe('湾');
  });

  it('cuts with dots where only ASCII is wanted', () => {
    expect(cut('a long name', 8, '...')).toBe('a lon...');
    expect(widthOf('✔ x')).toBe(3);
  });
});

it('tells ages in steps that change seldom', () => {
  expect([0, 9999, 10_000, 59_000, 60_000, 3_599_000, 3_600_000, 86_400_000].map(coarseAge)).toEqual(['<10s', '<10s', '10s', '50s', '1m', '59m', '1h', '1d']);
  expect(ageOf('not a time', 0)).toBe('');
  expect(ageOf('2026-03-01T11:00:00Z', Date.parse('2026-03-01T12:00:00Z'))).toBe('1h');
});
