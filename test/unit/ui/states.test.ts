import {describe, expect, it} from 'vitest';
import {parseFilter} from '../../../src/ui/filter.ts';
import {answerOf, initialPrompt, reducePrompt, type Prompt} from '../../../src/ui/prompt.ts';
import {cursorIndex, initialList, reduceList, windowTop, type ListAction} from '../../../src/ui/use-list-state.ts';
import {initialLog, reduceLog} from '../../../src/ui/use-log-state.ts';
import {initialTree, reduceTree} from '../../../src/ui/use-tree-state.ts';
import {reducePalette} from '../../../src/ui/widgets/palette.tsx';

const ids = ['a', 'b', 'c', 'd'];
const start = initialList({column: 'name', descending: false});
const after = (...actions: readonly ListAction[]) => actions.reduce(reduceList, start);

describe('a list', () => {
  it('moves within its rows', () => {
    expect(after({type: 'move', by: 1, ids}).cursor).toBe('b');
    expect(after({type: 'move', by: 9, ids}).cursor).toBe('d');
    expect(after({type: 'go-last', ids}, {type: 'move', by: -1, ids}).cursor).toBe('c');
    expect(reduceList(start, {type: 'move', by: 1, ids: []})).toBe(start);
  });

  it('stays on its row when others come and go', () => {
    const on = after({type: 'go-to', id: 'c', ids});
    expect(cursorIndex(on, ['0', 'a', 'b', 'c'])).toBe(3);
    expect(cursorIndex(on, ['c'])).toBe(0);
  });

  it('stays about where it was when its row goes', () => {
    const on = after({type: 'go-to', id: 'c', ids});
    expect(cursorIndex(on, ['a', 'b', 'd'])).toBe(2);
    expect(cursorIndex(on, ['a'])).toBe(0);
    expect(cursorIndex(on, [])).toBe(-1);
  });

  it('marks and goes on; all and none', () => {
    const marked = after({type: 'toggle-mark', ids}, {type: 'toggle-mark', ids});
    expect([...marked.marks]).toEqual(['a', 'b']);
    expect(marked.cursor).toBe('c');
    const all = reduceList(marked, {type: 'toggle-all', ids});
    expect(all.marks.size).toBe(4);
    expect(reduceList(all, {type: 'toggle-all', ids}).marks.size).toBe(0);
  });

  it('takes the filter back when it is cancelled', () => {
    const typed = after({type: 'set-filter', filter: 'old'}, {type: 'begin-filter'}, {type: 'erase-all'}, {type: 'type', text: 'new'});
    expect(typed.filter).toBe('new');
    expect(reduceList(typed, {type: 'cancel-filter'})).toMatchObject({filter: 'old'});
    expect(reduceList(typed, {type: 'accept-filter'})).toMatchObject({filter: 'new'});
    expect(reduceList(typed, {type: 'erase'}).filter).toBe('ne');
  });

  it('sorts by one column after the other, and the other way around', () => {
    const next = after({type: 'sort-next', columns: ['name', 'health']});
    expect(next.sort).toEqual({column: 'health', descending: false});
    expect(reduceList(next, {type: 'sort-next', columns: ['name', 'health']}).sort.column).toBe('name');
    expect(reduceList(next, {type: 'sort-reverse'}).sort.descending).toBe(true);
  });

  it.each([
    ['down', 0, 10, 100, 10, 1],
    ['up', 20, 5, 100, 10, 5],
    ['not at all', 3, 8, 100, 10, 3],
    ['back when rows are gone', 50, 2, 12, 10, 2],
    ['to the end of a short list', 50, 11, 12, 10, 2],
  ])('moves its window %s', (_what, top, index, count, height, expected) => {
    expect(windowTop(top, index, count, height)).toBe(expected);
  });
});

describe('a filter', () => {
  const row = {text: 'web-prod controller fleet degraded', fields: {health: 'degraded', mode: 'controller', ns: 'fleet'}, labels: {team: 'Harbour'}};
  it.each([
    ['', true],
    ['web', true],
    ['WEB fleet', true],
    ['web !prod', false],
    ['!test', true],
    ['health:deg', true],
    ['health:healthy', false],
    ['!health:degraded', false],
    ['mode:controller ns:fleet', true],
    ['team=harbour', true],
    ['team=har', true],
    ['label:team=port', false],
    ['unknown:thing', false],
    ['!', true],
  ])('%j', (filter, expected) => {
    expect(parseFilter(filter)(row)).toBe(expected);
  });
});

it('a tree folds, unfolds and moves', () => {
  const moved = reduceTree(initialTree, {type: 'move', by: 2, ids});
  expect(moved.cursor).toBe('c');
  const folded = reduceTree(moved, {type: 'toggle', id: 'c'});
  expect([...folded.toggled]).toEqual(['c']);
  expect([...reduceTree(folded, {type: 'toggle', id: 'c'}).toggled]).toEqual([]);
  expect(reduceTree(folded, {type: 'toggle-all'})).toMatchObject({all: true, toggled: new Set()});
});

it('a log follows at its end, and stays where one scrolled to', () => {
  const up = reduceLog(initialLog, {type: 'scroll', by: -3, last: 100});
  expect(up).toMatchObject({top: 97, follows: false});
  expect(reduceLog(up, {type: 'scroll', by: 3, last: 100})).toMatchObject({top: 100, follows: true});
  expect(reduceLog(up, {type: 'follow', follows: true}).follows).toBe(true);
});

it('the palette starts at the top after each letter', () => {
  const moved = reducePalette({text: '', cursor: 0}, {type: 'move', by: 5, count: 3});
  expect(moved.cursor).toBe(2);
  expect(reducePalette(moved, {type: 'type', text: 'x'})).toEqual({text: 'x', cursor: 0});
});

describe('a question', () => {
  const drive = (prompt: Prompt, ...actions: readonly Parameters<ReturnType<typeof reducePrompt>>[1][]) =>
    answerOf(prompt, actions.reduce(reducePrompt(prompt), initialPrompt(prompt)));

  it('wants the very name before it destroys', () => {
    const prompt: Prompt = {kind: 'type-name', title: 'Delete?', name: 'web'};
    expect(drive(prompt, {type: 'type', text: 'we'})).toHaveProperty('complaint');
    expect(drive(prompt, {type: 'type', text: 'web'})).toEqual({answer: true});
    expect(drive(prompt, {type: 'type', text: 'webb'}, {type: 'erase'})).toEqual({answer: true});
  });

  it('checks a text', () => {
    const prompt: Prompt = {kind: 'text', title: 'How many?', initial: '3', check: (text) => (/^\d+$/.test(text) ? undefined : 'A number, please.')};
    expect(drive(prompt)).toEqual({answer: '3'});
    expect(drive(prompt, {type: 'type', text: 'x'})).toEqual({complaint: 'A number, please.'});
  });

  it('chooses one, or many in the order of the choices', () => {
    const choices = [
      {id: 'a', label: 'A'},
      {id: 'b', label: 'B'},
    ];
    expect(drive({kind: 'choose', title: '?', choices}, {type: 'move', by: 1})).toEqual({answer: 'b'});
    expect(drive({kind: 'choose', title: '?', choices: []})).toHaveProperty('complaint');
    expect(drive({kind: 'choose-many', title: '?', choices, chosen: ['b']}, {type: 'toggle'})).toEqual({answer: ['a', 'b']});
  });
});
