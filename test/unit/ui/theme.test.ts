import {describe, expect, it} from 'vitest';
import {colorLevelOf, createTheme, palettes, symbolSets, themeNameOf, themeNames, type Token} from '../../../src/ui/theme.ts';

const tokens = Object.keys(palettes.dark) as readonly Token[];
// oxlint-disable-next-line no-control-regex -- escapes are what this is about
const sgr = /\u001B\[([\d;]*)m/g;
const codes = (text: string) => [...text.matchAll(sgr)].flatMap(([, list = '']) => list.split(';'));

describe.each(themeNames)('the %s theme', (name) => {
  it('has a look for every token, and ends each', () => {
    for (const token of tokens) expect(createTheme({name, level: 3, ascii: false}).paint(token, 'x').endsWith('x\u001B[0m'), token).toBe(true);
  });

  it('uses no colour at level 0, whatever the token', () => {
    for (const token of tokens) {
      const used = codes(createTheme({name, level: 0, ascii: false}).paint(token, 'x'));
      expect(
        used.filter((code) => !['0', '1', '4', '7'].includes(code)),
        token,
      ).toEqual([]);
    }
  });

  it.each([
    [1, /^(0|1|4|7|3[0-7]|9[0-7]|4[0-7])$/],
    [2, /^(0|1|4|7|38|48|5|\d{1,3})$/],
    [3, /^(0|1|4|7|38|48|2|\d{1,3})$/],
  ] as const)('keeps to what a terminal of level %i knows', (level, allowed) => {
    for (const token of tokens) for (const code of codes(createTheme({name, level, ascii: false}).paint(token, 'x'))) expect(code, token).toMatch(allowed);
    const painted = tokens.map((token) => createTheme({name, level, ascii: false}).paint(token, 'x')).join('');
    expect(painted.includes('38;2;')).toBe(level === 3);
    expect(painted.includes('38;5;')).toBe(level === 2);
  });

  it('shows what is chosen without colour too', () => {
    expect(createTheme({name, level: 0, ascii: false}).paint('selected', 'x')).toContain('\u001B[1;7m');
  });
});

it('comes back to the outer look after an inner one', () => {
  const {paint} = createTheme({name: 'dark', level: 1, ascii: false});
  expect(paint('selected', `a${paint('mark', 'b')}c`)).toBe('\u001B[1;44ma\u001B[1;33mb\u001B[0m\u001B[1;44mc\u001B[0m');
});

it('has an ASCII twin of every symbol', () => {
  const flat = (set: object): readonly string[] => Object.values(set).flat() as readonly string[];
  expect(Object.keys(symbolSets.ascii)).toEqual(Object.keys(symbolSets.unicode));
  for (const symbol of flat(symbolSets.ascii)) expect(symbol).toMatch(/^[\u0020-\u007E]+$/);
  for (const set of Object.values(symbolSets)) {
    const health = [set.good, set.working, set.bad, set.unknown];
    expect(new Set(health).size).toBe(4);
  }
});

it.each([
  [{NO_COLOR: '1', COLORTERM: 'truecolor'}, 'auto', 0],
  [{COLORTERM: 'truecolor', TERM: 'xterm'}, 'never', 0],
  [{TERM: 'dumb'}, 'auto', 0],
  [{TERM: 'xterm'}, 'auto', 1],
  [{TERM: 'xterm-256color'}, 'auto', 2],
  [{TERM: 'xterm-256color', COLORTERM: 'truecolor'}, 'auto', 3],
  [{TERM: 'xterm-256color', NO_COLOR: ''}, 'auto', 2],
] as const)('finds how many colours %j has', (env, color, level) => {
  expect(colorLevelOf(env, color)).toBe(level);
});

it('follows the background where the terminal tells it', () => {
  expect(themeNameOf('auto', {COLORFGBG: '0;15'})).toBe('light');
  expect(themeNameOf('auto', {COLORFGBG: '15;0'})).toBe('dark');
  expect(themeNameOf('auto', {})).toBe('dark');
  expect(themeNameOf('colour-blind', {COLORFGBG: '0;15'})).toBe('colour-blind');
});

it('makes links only of addresses that are plain', () => {
  const {link} = createTheme({name: 'dark', level: 1, ascii: false});
  expect(link('https://example.com/a', 'a')).toBe('\u001B]8;;https://example.com/a\u0007a\u001B]8;;\u0007');
  expect(link('javascript:alert(1)', 'a')).toBe('a');
  expect(link('https://example.com/\u0007\u001B]0;x', 'a')).toBe('a');
});
