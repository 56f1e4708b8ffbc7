import {describe, expect, it} from 'vitest';
import {findCycles, findEmptyNames, findForbiddenImports, findLongFiles, findProcessUse} from './architecture.ts';
import {readSources} from './sources.ts';

const sources = readSources('src');
const file = (path: string, text: string) => ({path, text});

describe('the house', () => {
  it('has sources to look at', () => {
    expect(sources.length).toBeGreaterThan(50);
  });

  it('imports only what the table allows', () => {
    expect(findForbiddenImports(sources)).toEqual([]);
  });

  it('has no cycles', () => {
    expect(findCycles(sources)).toEqual([]);
  });

  it('writes, and ends the process, in output/ only', () => {
    expect(findProcessUse(sources)).toEqual([]);
  });

  it('keeps every file within 400 lines', () => {
    expect(findLongFiles(sources)).toEqual([]);
  });

  it('names every file for its subject', () => {
    expect(findEmptyNames(sources)).toEqual([]);
  });
});

describe('the gate itself', () => {
  it('sees an import of a room that is out of bounds, and says what to do instead', () => {
    const [complaint] = findForbiddenImports([file('src/kernel/x.ts', "import {Plan} from '../plan/plan.ts';")]);
    expect(complaint).toMatch(/^src\/kernel\/x\.ts: may not import plan\/plan\. Instead: /);
  });

  it.each([
    ['over several lines', "import {\n  a,\n  type B,\n} from '../ssh/runner.ts';"],
    ['as a re-export', "export * from '../ssh/runner.ts';"],
    ['for its side effects', "import '../ssh/runner.ts';"],
    ['lazily', "const {a} = await import('../ssh/runner.ts');"],
  ])('sees an import written %s', (_how, text) => {
    expect(findForbiddenImports([file('src/agentd/x.ts', text)])).toHaveLength(1);
  });

  it('lets types through where only types are allowed', () => {
    expect(findForbiddenImports([file('src/output/x.ts', "import type {Plan} from '../plan/plan.ts';")])).toEqual([]);
    expect(findForbiddenImports([file('src/output/x.ts', "import {hasChanges, type Plan} from '../plan/plan.ts';")])).toHaveLength(1);
  });

  it('sees one mode importing another', () => {
    expect(findForbiddenImports([file('src/modes/agent/x.ts', "import {a} from '../controller/y.ts';")])).toHaveLength(1);
  });

  it('sees a heavy package that is loaded at once', () => {
    expect(findForbiddenImports([file('src/ssh/x.ts', "import {Client} from 'ssh2';")])[0]).toContain('import() only');
    expect(findForbiddenImports([file('src/ssh/x.ts', "const {Client} = await import('ssh2');")])).toEqual([]);
  });

  it('sees a room that the table does not know', () => {
    expect(findForbiddenImports([file('src/cellar/x.ts', '')])).toHaveLength(1);
  });

  it('sees a cycle over three files, and none in types', () => {
    const a = file('src/kernel/a.ts', "import {b} from './b.ts';");
    const b = file('src/kernel/b.ts', "import {c} from './c.ts';");
    expect(findCycles([a, b, file('src/kernel/c.ts', "import {a} from './a.ts';")])).toHaveLength(1);
    expect(findCycles([a, b, file('src/kernel/c.ts', "import type {A} from './a.ts';")])).toEqual([]);
  });

  it.each(["console.log('x')", 'process.exit(1)', "process.stdout.write('x')", "process['exit'](1)"])(
    'sees %s in a working room, and not in a comment',
    (text) => {
      expect(findProcessUse([file('src/plan/x.ts', text)])).toHaveLength(1);
      expect(findProcessUse([file('src/plan/x.ts', `// ${text}`)])).toEqual([]);
      expect(findProcessUse([file('src/output/x.ts', text)])).toEqual([]);
    },
  );

  it('sees a file that is too long and one that is named utils', () => {
    expect(findLongFiles([file('src/plan/x.ts', 'a\n'.repeat(401))])).toHaveLength(1);
    expect(findEmptyNames([file('src/plan/utils.ts', ''), file('src/plan/fooBar.ts', '')])).toHaveLength(2);
  });
});
