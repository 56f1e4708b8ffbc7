// The bundler's last step: imports of Node's own modules become values, and mean the same.
import {describe, expect, it} from 'vitest';

const path = new URL('../../scripts/builtins.mjs', import.meta.url).href;
const {requireShim, withBuiltinsAsValues} = (await import(path)) as {
  readonly requireShim: string;
  withBuiltinsAsValues(text: string, ids: readonly string[]): string;
};

const run = async (text: string, ids: readonly string[]) => {
  const changed = withBuiltinsAsValues(`${requireShim}\n${text}`, ids);
  const url = `data:text/javascript;base64,${Buffer.from(changed.replaceAll('import.meta.url', JSON.stringify(import.meta.url))).toString('base64')}`;
  return {changed, exports: (await import(url)) as Record<string, unknown>};
};

describe("Node's own modules in a bundle", () => {
  it('are asked for as values, in every form that an import has', async () => {
    const text =
      'import{join as j,posix}from"node:path";import fs,{existsSync}from"node:fs";import*as os from"node:os";import"node:events";import{default as p}from"node:process";' +
      'export var all=[j("a","b"),posix.sep,typeof fs.readFileSync,typeof existsSync,typeof os.cpus,p===globalThis.process];';
    const {changed, exports} = await run(text, ['node:path', 'node:fs', 'node:os', 'node:events', 'node:process']);
    expect(exports['all']).toEqual(['a/b', '/', 'function', 'function', 'function', true]);
    expect(changed).not.toMatch(/\bimport\b(?!\.meta)/);
  });

  it('are there before anything else of the chunk runs, as imports are', async () => {
    const {exports} = await run('export var first=later("x");function later(name){return j(name,"y")}import{join as j}from"node:path";', ['node:path']);
    expect(exports['first']).toBe('x/y');
  });

  it('leave other imports, texts and what is imported late alone', () => {
    const text = 'import{a}from"./chunk-A.js";var said=\'import{b}from"node:fs";\';var late=()=>import("node:fs");import{sep}from"node:path";';
    const changed = withBuiltinsAsValues(`${requireShim}\n${text}`, ['node:path']);
    expect(changed).toContain('import{a}from"./chunk-A.js"');
    expect(changed).toContain('import{b}from"node:fs";\'');
    expect(changed).toContain('import("node:fs")');
    expect(changed).not.toContain('from"node:path"');
  });

  it('stop the build when the bundler writes them in another way', () => {
    expect(() => withBuiltinsAsValues(`${requireShim}\nimport {sep} from 'node:path';`, ['node:path'])).toThrow(/node:path/);
  });
});
