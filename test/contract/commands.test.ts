import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {projectFolder} from './sources.ts';
import {findCommandFaults, readCommands, surfaceOf, type CommandClass} from './surface.ts';

const commands = await readCommands();
const snapshotPath = join(projectFolder, 'test', 'contract', 'surface.json');

describe('the commands', () => {
  it('each have a summary, an example, an environment variable for every flag, and a result type', () => {
    expect([...commands].flatMap(([id, command]) => findCommandFaults(id, command))).toEqual([]);
  });

  it('have the surface that was frozen; run with TRIREME_FREEZE_SURFACE=1 to change it on purpose', () => {
    const surface = surfaceOf(commands);
    if (process.env['TRIREME_FREEZE_SURFACE'] === '1') writeFileSync(snapshotPath, `${JSON.stringify(surface, null, 2)}\n`);
    expect(surface).toEqual(JSON.parse(readFileSync(snapshotPath, 'utf8')));
  });

  it('name the same thing by the same letter everywhere', () => {
    const meanings = new Map<string, Set<string>>();
    for (const command of commands.values()) {
      for (const [name, flag] of Object.entries({...command.baseFlags, ...command.flags})) {
        if (flag.char !== undefined) meanings.set(flag.char, (meanings.get(flag.char) ?? new Set()).add(name));
      }
    }
    expect([...meanings].filter(([, names]) => names.size > 1).map(([char, names]) => `-${char}: ${[...names].join(', ')}`)).toEqual([]);
  });
});

describe('the gate itself', () => {
  const good: CommandClass = {
    summary: 'Does it.',
    examples: ['<%= config.bin %> do it'],
    flags: {far: {type: 'boolean', env: 'TRIREME_FAR', summary: 'Far.'}},
    args: {what: {ignoreStdin: true, description: 'What.'}},
    resultSchema: () => undefined as never,
  };

  it('lets a whole command through', () => {
    expect(findCommandFaults('do it', good)).toEqual([]);
  });

  it.each([
    ['no summary', {...good, summary: undefined}],
    ['no example', {...good, examples: []}],
    ['an example of another command', {...good, examples: ['<%= config.bin %> other']}],
    ['no result type', {...good, resultSchema: undefined}],
    ['a flag without an environment variable', {...good, flags: {far: {type: 'boolean' as const, summary: 'Far.'}}}],
    ['an argument that waits for standard input', {...good, args: {what: {description: 'What.'}}}],
    [
      'a letter used twice',
      {
        ...good,
        flags: {
          a: {type: 'boolean' as const, char: 'a', env: 'TRIREME_A', summary: 'A.'},
          b: {type: 'boolean' as const, char: 'a', env: 'TRIREME_B', summary: 'B.'},
        },
      },
    ],
  ])('sees %s', (_what, command) => {
    expect(findCommandFaults('do it', command)).toHaveLength(1);
  });
});
