import {describe, expect, it} from 'vitest';
import {createKeyRouter} from '../../../src/ui/key-router.ts';
import {actionFor, keyScopes, keyTable, strokesOf, type KeyScope} from '../../../src/ui/keys.ts';
import {scopesOfScreen} from '../../../src/ui/screens/help.tsx';
import {createTheme} from '../../../src/ui/theme.ts';
import {hintText} from '../../../src/ui/widgets/hint-line.tsx';

const noKey = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
};

describe('the key table', () => {
  it.each(Object.keys(keyScopes) as readonly KeyScope[])('gives every key one meaning: %s', (scope) => {
    const keys = keyTable.filter((entry) => entry.scopes.includes(scope)).flatMap((entry) => entry.keys);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });

  it('has a scope for each of its entries, and entries for each scope that the help shows', () => {
    for (const entry of keyTable)
      expect(
        entry.scopes.every((scope) => scope in keyScopes),
        entry.action,
      ).toBe(true);
    for (const scopes of Object.values(scopesOfScreen))
      for (const scope of scopes)
        if (scope !== 'help')
          expect(
            keyTable.some((entry) => entry.scopes.includes(scope)),
            scope,
          ).toBe(true);
  });

  it('shows in the hint line only what does something, and never more than fits', () => {
    const theme = createTheme({name: 'dark', level: 0, ascii: true});
    const plain = (width: number) =>
      hintText({
        scopes: ['fleet', 'list'],
        on: {open: () => {}, filter: () => {}, group: () => {}},
        isRoot: true,
        width,
        theme: {...theme, paint: (_token, text) => text},
      });
    expect(plain(80)).toBe('b group  enter open  / filter  ? help  : commands  q quit');
    for (const width of [20, 40, 60]) expect(plain(width).length).toBeLessThanOrEqual(width);
    expect(plain(60)).toContain('? help');
  });
});

describe('strokes', () => {
  it('tells keys apart that came together', () => {
    expect(strokesOf('jj/', noKey).map((stroke) => stroke.name)).toEqual(['j', 'j', '/']);
    expect(strokesOf('ab\r', noKey).map((stroke) => stroke.name)).toEqual(['a', 'b', 'return']);
  });

  it('names special keys', () => {
    expect(strokesOf('', {...noKey, upArrow: true})).toEqual([{name: 'up'}]);
    expect(strokesOf('c', {...noKey, ctrl: true})).toEqual([{name: 'ctrl+c'}]);
    expect(strokesOf('', {...noKey, delete: true})).toEqual([{name: 'backspace'}]);
    expect(strokesOf(' ', noKey)).toEqual([{name: 'space', text: ' '}]);
    expect(actionFor('global', 'ctrl+c')).toBe('quit');
  });

  it('types nothing for control characters', () => {
    expect(strokesOf('\u0001\u0002\u001C', noKey)).toEqual([{name: 'ctrl+a'}, {name: 'ctrl+b'}]);
  });
});

describe('the router', () => {
  const heard: string[] = [];
  const layer = (name: string, more: object = {}) => ({scopes: ['list'] as const, on: {'next-row': () => void heard.push(name)}, ...more});

  it('asks the newest layer first, and goes down when it has no use for a key', () => {
    const router = createKeyRouter();
    router.add(() => layer('below'));
    const remove = router.add(() => ({scopes: ['list'] as const, on: {open: () => void heard.push('open')}}));
    router.press([{name: 'j'}, {name: 'return'}]);
    remove();
    router.press([{name: 'return'}, {name: 'j'}]);
    expect(heard.splice(0)).toEqual(['below', 'open', 'below']);
  });

  it('lets nothing through a layer that takes all', () => {
    const router = createKeyRouter();
    router.add(() => layer('below'));
    router.add(() => ({scopes: ['prompt'] as const, on: {}, takesAll: true}));
    router.press([{name: 'j'}]);
    expect(heard.splice(0)).toEqual([]);
  });

  it('keeps keys for a screen that is about to come', () => {
    const router = createKeyRouter();
    router.add(() => ({scopes: ['list'] as const, on: {open: () => router.hold()}}));
    router.press([{name: 'return'}, {name: 'j'}]);
    router.add(() => layer('new screen'));
    router.release();
    expect(heard.splice(0)).toEqual(['new screen']);
  });
});
