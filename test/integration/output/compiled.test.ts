// What Node compiled is kept for the next start, where Node can (22.1) and there's a place for it.
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readdir, rm} from 'node:fs/promises';
import nodeModule from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';

const program = join(import.meta.dirname, '../../../bin/run.js');
let home = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'trireme-compiled-'));
});
afterEach(() => rm(home, {recursive: true}));

function explain(): void {
  const {status, stderr} = spawnSync(process.execPath, [program, 'explain', 'spec'], {encoding: 'utf8', env: {PATH: process.env['PATH'], HOME: home}});
  expect({status, stderr}).toEqual({status: 0, stderr: ''});
}

it('makes no cache folder for it', () => {
  explain();
  expect(existsSync(join(home, '.cache'))).toBe(false);
});

const can = 'enableCompileCache' in nodeModule;
it.skipIf(!can)(`keeps it in the cache folder${can ? '' : ' (skipped: it takes Node 22.1)'}`, async () => {
  await mkdir(join(home, '.cache'));
  explain();
  expect(await readdir(join(home, '.cache/trireme'))).toEqual(['compiled']);
});
