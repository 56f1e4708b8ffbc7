import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {waitFor} from '../../../src/kernel/retry.ts';
import {startTrireme} from '../../support/trireme.ts';

/** Ids of the agents that simulate hosts below this folder, by what /proc says of them. */
async function agentsBelow(folder: string): Promise<readonly number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map(async (id) => [Number(id), await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')] as const));
  return lines.filter(([, line]) => line.includes(folder) && line.includes('trireme-agent') && line.split('\0').includes('run')).map(([id]) => id);
}

test.skipIf(process.platform !== 'linux')('a sandbox that is killed leaves no simulated agent behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trireme-killed-'));
  try {
    const sandbox = startTrireme(['sandbox', 'run', '--control-planes', '1', '--workers', '0'], {env: {HOME: folder, TMPDIR: folder}});
    const running = await waitFor(async () => ((await agentsBelow(folder)).length > 0 ? true : undefined), {timeout: 60_000, interval: 200});
    expect(running).toBe(true);
    sandbox.kill('SIGKILL');
    expect((await sandbox.ended).signal).toBe('SIGKILL');
    const gone = await waitFor(async () => ((await agentsBelow(folder)).length === 0 ? true : undefined), {timeout: 30_000, interval: 200});
    expect(gone).toBe(true);
  } finally {
    await rm(folder, {recursive: true, force: true, maxRetries: 10, retryDelay: 200});
  }
});
