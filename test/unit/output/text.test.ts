import {describe, expect, it} from 'vitest';
import {sanitize, sanitizeLine} from '../../../src/output/sanitize.ts';
import {createStyle, plainStyle} from '../../../src/output/style.ts';
import {formatBytes, formatDuration, renderTable} from '../../../src/output/table.ts';
import {createTerminal} from '../../../src/output/terminal.ts';
import {renderTree} from '../../../src/output/tree.ts';

describe('sanitizing', () => {
  it.each([
    ['a colour', '\u001B[31mred\u001B[0m', 'red'],
    ['a title, ended by BEL', '\u001B]0;owned\u0007rest', 'rest'],
    ['a title, ended by ST', '\u001B]0;owned\u001B\\rest', 'rest'],
    ['a link', '\u001B]8;;http://x\u001B\\text\u001B]8;;\u001B\\', 'text'],
    ['the 8-bit form', '\u009B2Jrest', 'rest'],
    ['a device string', '\u001BPq#0;2\u001B\\rest', 'rest'],
    ['a cut-off escape', 'rest\u001B[', 'rest'],
    ['carriage returns and backspaces', 'good\rbad\b\b', 'goodbad'],
    ['text turned around', 'a\u202Egnp.exe', 'agnp.exe'],
  ])('takes out %s', (_what, text, clean) => {
    expect(sanitize(text)).toBe(clean);
  });

  it('keeps letters of every script, and tabs and newlines but on one line', () => {
    expect(sanitize('héllo 世界 ✔\tx\ny')).toBe('héllo 世界 ✔\tx\ny');
    expect(sanitizeLine('a\tb\nc\n')).toBe('a b c');
  });
});

describe('a table', () => {
  interface Row {
    readonly name: string;
    readonly note: string;
  }
  const columns = [
    {title: 'NAME', cell: (row: Row) => row.name},
    {title: 'HIDDEN', cell: () => 'secretive', wide: true},
    {title: 'NOTE', cell: (row: Row) => row.note},
  ];
  const rows = [
    {name: '世界', note: 'wide letters'},
    {name: 'h2', note: ''},
  ];

  it('aligns by display width and marks empty cells', () => {
    expect(renderTable(rows, columns, {style: plainStyle})).toBe('NAME   NOTE\n世界   wide letters\nh2     -');
  });

  it('shows more with wide, and cuts the last column to the terminal otherwise', () => {
    expect(renderTable(rows, columns, {style: plainStyle, wide: true, columns: 20})).toContain('HIDDEN      NOTE');
    expect(renderTable([{name: 'h1', note: 'x'.repeat(80)}], columns, {style: plainStyle, columns: 40}).split('\n')[1]).toBe(`h1     ${'x'.repeat(32)}…`);
  });

  it('lets no cell break its line', () => {
    expect(renderTable([{name: 'a\nb', note: '\u001B[2Jx'}], columns, {style: plainStyle}).split('\n')).toEqual(['NAME   NOTE', 'a b    x']);
  });
});

it('draws trees, in ASCII where asked', () => {
  const tree = {label: 'a', children: [{label: 'b', children: [{label: 'c'}]}, {label: 'd'}]};
  expect(renderTree(tree, plainStyle)).toBe('a\n├─ b\n│  └─ c\n└─ d');
  expect(renderTree(tree, createStyle({color: false, ascii: true}))).toBe('a\n|- b\n|  `- c\n`- d');
});

it.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [59_949, '59.9 s'],
  [59_960, '1m00s'],
  [192_000, '3m12s'],
  [3_600_000, '1h00m'],
  [90_000_000, '1d1h'],
])('writes %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [5 * 1024 ** 3, '5.0 GiB'],
])('writes %d bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

describe('what a terminal can do', () => {
  const tty = {write: (): boolean => true, isTTY: true, columns: 80, rows: 24};
  const at = (env: Record<string, string>, more = {}) => createTerminal({env, stdin: tty, stdout: tty, stderr: tty, ...more});

  it.each([
    ['a terminal', {}, true],
    ['a dumb one', {TERM: 'dumb'}, false],
    ['CI', {CI: 'true'}, false],
    ['an empty CI', {CI: ''}, true],
    ['CI=false', {CI: 'false'}, true],
  ])('redraws on %s: %s', (_what, env, can) => {
    expect(at(env).canRedraw).toBe(can);
  });

  it.each([
    ['a terminal', {}, {}, 1],
    ['NO_COLOR', {NO_COLOR: '1', FORCE_COLOR: '1'}, {}, 0],
    ['an empty NO_COLOR', {NO_COLOR: ''}, {}, 1],
    ['FORCE_COLOR in a pipe', {FORCE_COLOR: '1'}, {stdout: {write: (): boolean => true}}, 1],
    ['a pipe', {}, {stdout: {write: (): boolean => true}}, 0],
    ['the setting never', {}, {color: 'never'}, 0],
    ['the setting always in a pipe', {}, {color: 'always', stdout: {write: (): boolean => true}}, 1],
  ])('colours with %s', (_what, env, more, level) => {
    expect(at(env, more).style.color.level).toBe(level);
  });

  it('falls back to ASCII where the locale is not UTF-8', () => {
    expect(at({LANG: 'C'}).style.symbols.done).toBe('+');
    expect(at({LANG: 'C', LC_ALL: 'en_US.utf8'}).style.symbols.done).toBe('✔');
  });
});
