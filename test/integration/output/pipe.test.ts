// The program in a pipe whose reader leaves early, as `head` does.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {expect, it} from 'vitest';

const program = join(import.meta.dirname, '../../../bin/run.js');

it.each(['help', 'help cluster', 'cluster describe --help', 'explain spec'])('%s ends quietly', async (command) => {
  const child = spawn(process.execPath, [program, ...command.split(' ')], {stdio: ['ignore', 'pipe', 'pipe']});
  child.stdout.destroy();
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect({errors, code}).toEqual({errors: '', code: 0});
});
