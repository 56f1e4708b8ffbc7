import {describe, expect, it} from 'vitest';
import {Source} from '../../../../../src/spec/source.ts';
import {substitute, templateVariables} from '../../../../../src/modes/controller/templates/substitute.ts';

const values: Readonly<Record<string, string>> = {
  var01: 'abcdEFGH28ij',
  path_name: '/home/bozo/ideas/thoughts.for.today',
  default_var: 'foo',
  stringZ: 'abcABC123ABCabc',
  filename: 'bash.string.txt',
  path: 'path/to/file',
  slashes: 'foo/bar/baz',
  set: 'abc',
  empty: '',
};
const fill = (text: string) => substitute(new Source('template.yaml', '/', text), (name) => values[name]);

describe('substitute', () => {
  it.each([
    ['plain text with $HOME, $ and $(HOME)', 'plain text with $HOME, $ and $(HOME)'],
    ['${var01}', 'abcdEFGH28ij'],
    ['${ var01 } ${var01 }', 'abcdEFGH28ij abcdEFGH28ij'],
    ['${#var01}', '12'],
    ['${var01^}', 'AbcdEFGH28ij'],
    ['${var01^^}', 'ABCDEFGH28IJ'],
    ['${var01,,}', 'abcdefgh28ij'],
    ['${path_name:11}', 'ideas/thoughts.for.today'],
    ['${path_name:11:5}', 'ideas'],
    ['${path_name:-x}', '/home/bozo/ideas/thoughts.for.today'],
    ['${set=xyz}', 'abc'],
    ['${unset=xyz}', 'xyz'],
    ['${unset:-xyz}', 'xyz'],
    ['${unset-xyz}', 'xyz'],
    ['${empty-xyz}', ''],
    ['${empty:=xyz}', 'xyz'],
    ['${empty}', ''],
    ['${unset:=}', ''],
    ['something ${unset=${default_var}}', 'something foo'],
    ['foo: ${unset=prefix${default_var}-suffix}', 'foo: prefixfoo-suffix'],
    ['${unset:="quoted: {text"}', '"quoted: {text"'],
    ['${stringZ/%abc/XYZ}', 'abcABC123ABCXYZ'],
    ['${stringZ/#abc/XYZ}', 'XYZABC123ABCabc'],
    ['${stringZ//abc/xyz}', 'xyzABC123ABCxyz'],
    ['${stringZ/abc/xyz}', 'xyzABC123ABCabc'],
    [String.raw`${'${slashes/\\//-}'}`, 'foo-bar/baz'],
    [String.raw`${'${slashes//\\//-}'}`, 'foo-bar-baz'],
    ['${filename#*.}', 'string.txt'],
    ['${path#*/}', 'to/file'],
    ['${path##*/}', 'file'],
    ['${filename##*.}', 'txt'],
    ['${filename%.*}', 'bash.string'],
    ['${filename%%.*}', 'bash'],
    ['${unset=${var01^^}}', 'ABCDEFGH28IJ'],
    ['$${var01}', '${var01}'],
    ['some text ${var01}$${var$${var01}$var01${var01}', 'some text abcdEFGH28ij${var${var01}$var01abcdEFGH28ij'],
    ['something $${var=${default_var}}', 'something ${var=foo}'],
    ['kill -0 $$ ; echo $(hostname)', 'kill -0 $ ; echo $(hostname)'],
  ])('reads %s as clusterctl does', (text, wanted) => {
    const {text: filled, complaints} = fill(text);
    expect({filled, complaints}).toEqual({filled: wanted, complaints: []});
  });

  it('takes no value for a pattern, a replacement reference, or another expression', () => {
    const one = substitute(new Source('t', '/', 'a: ${A} b: ${B/x/$&}'), (name) => (name === 'A' ? '${B} $1 $$' : 'axb'));
    expect(one.text).toBe('a: ${B} $1 $$ b: a$&b');
  });

  it('names all missing variables at once, each with the line of its first use', () => {
    const {missing, complaints} = fill('a: ${B}\nb: ${A:?tell me}\nc: ${B}\nd: ${C:=${D}}\ne: ${E:=x}\nf: ${E}\n');
    expect(missing).toEqual(['A', 'B', 'D']);
    expect(complaints.map(({line, column, message}) => `${line}:${column} ${message}`)).toEqual([
      '1:4 The variable B has no value, and no default.',
      '2:4 The variable A has no value: tell me.',
      '4:9 The variable D has no value, and no default.',
    ]);
  });

  it('goes on behind what it can not read', () => {
    const {complaints, missing} = fill('a: ${}\nb: ${x y}\nc: ${NOPE}\n');
    expect(complaints.map(({line, column, rule}) => `${line}:${column} ${rule}`)).toEqual([
      '1:4 template.syntax',
      '2:4 template.syntax',
      '3:4 template.missing-variable',
    ]);
    expect(missing).toEqual(['NOPE']);
  });

  it('finds the way back from a place in the filled-in text', () => {
    const template = 'x: ${var01}\n$${y}: z\n';
    const {text, originOf} = fill(template);
    expect(originOf(text.indexOf('z'))).toBe(template.indexOf('z'));
    expect(originOf(text.indexOf('EFGH'))).toBe(3);
    expect(originOf(text.indexOf('y'))).toBe(template.indexOf('y'));
  });

  it('lists variables with their defaults as they are written', () => {
    expect(templateVariables(new Source('t', '/', '${B:=${A}-x} ${C} ${C:=late} ${D=1} ${D}')).map(({places: _, ...rest}) => rest)).toEqual([
      {name: 'A', required: true},
      {name: 'B', required: false, default: '${A}-x'},
      {name: 'C', required: true, default: 'late'},
      {name: 'D', required: false, default: '1'},
    ]);
  });

  it('reads a megabyte of dollars in no time', () => {
    const started = Date.now();
    expect(fill('${'.repeat(500_000)).complaints.length).toBeGreaterThan(0);
    expect(fill('${set:=${set:='.repeat(400)).complaints.length).toBeGreaterThan(0);
    expect(Date.now() - started).toBeLessThan(2000);
  });
});
