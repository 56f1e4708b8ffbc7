import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {waitFor} from '../../../src/kernel/retry.ts';
import {startTrireme} from '../../support/trireme.ts';

/** Command lines of the processes that belong to this folder, by what /proc says of them: the program's own, its runs, its agents, its guard. */
async function processesOf(folder: string): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (id: string, file: string) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '');
  const lines = await Promise.all(ids.map(async (id) => [await read(id, 'cmdline'), await read(id, 'environ')] as const));
  return lines.filter((texts) => texts.some((text) => text.includes(folder))).map(([line]) => line.replaceAll('\0', ' '));
}

const isAgent = (line: string) => line.includes('trireme-agent') && line.includes(' run');

test.skipIf(process.platform !== 'linux').each([
  {mode: 'agent', isBusy: (lines: readonly string[]) => lines.some(isAgent) && lines.some((line) => line.includes(' apply --yes'))},
  {mode: 'controller', isBusy: (lines: readonly string[]) => lines.some((line) => line.includes(' apply --yes'))},
])('a sandbox of $mode mode that is killed in the middle leaves no process and no file', {timeout: 150_000}, async ({mode, isBusy}) => {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-killed-'));
  try {
    const sandbox = startTrireme(['sandbox', 'run', mode, '--control-planes', '1', '--workers', '0'], {env: {HOME: folder, TMPDIR: folder}});
    expect(await waitFor(async () => (isBusy(await processesOf(folder)) ? true : undefined), {timeout: 60_000, interval: 100})).toBe(true);
    sandbox.kill('SIGKILL');
    // the pipes are closed when the last process that writes to them is gone
    expect((await sandbox.ended).signal).toBe('SIGKILL');
    await waitFor(async () => ((await processesOf(folder)).length === 0 ? true : undefined), {timeout: 60_000, interval: 100});
    expect(await processesOf(folder)).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.startsWith('trireme-'))).toEqual([]);
  } finally {
    await rm(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
  }
});
