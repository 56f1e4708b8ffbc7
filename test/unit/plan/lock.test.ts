import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {acquireLock, lockOwner} from '../../../src/plan/lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(folder, {recursive: true}));

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid as number;
}

describe('the lock of a cluster', () => {
  test('is held by one: the second is told who, where and since when, with exit 8', async () => {
    const owner = lockOwner('r1', 'apply');
    await acquireLock(folder, 'berth', owner);
    const refusal = acquireLock(folder, 'berth', lockOwner('r2', 'apply'));
    await expect(refusal).rejects.toMatchObject({code: 'lock.held', exit: 8});
    await expect(refusal).rejects.toThrow(`${owner.user}@${owner.computer} is working on berth since ${owner.since}`);
  });

  test('is free again after its release, and another cluster is never touched', async () => {
    const first = await acquireLock(folder, 'berth', lockOwner('r1', 'apply'));
    await acquireLock(folder, 'quay', lockOwner('r2', 'apply'));
    await first.release();
    await expect(acquireLock(folder, 'berth', lockOwner('r3', 'apply'))).resolves.toMatchObject({owner: {run: 'r3'}});
  });

  test('is taken over from a process that is gone', async () => {
    await acquireLock(folder, 'berth', {...lockOwner('r1', 'apply'), pid: await deadPid()});
    await expect(acquireLock(folder, 'berth', lockOwner('r2', 'apply'))).resolves.toMatchObject({owner: {run: 'r2'}});
  });

  test("--break-lock takes a living owner's and names it; that owner's release leaves ours alone", async () => {
    const first = await acquireLock(folder, 'berth', lockOwner('r1', 'apply'));
    const second = await acquireLock(folder, 'berth', lockOwner('r2', 'apply'), {breakLock: true});
    expect(second.broke).toMatchObject({run: 'r1', computer: hostname()});
    await first.release();
    await expect(acquireLock(folder, 'berth', lockOwner('r3', 'apply'))).rejects.toMatchObject({code: 'lock.held'});
  });

  test('of many at once exactly one gets it, even where a dead one lies', async () => {
    await acquireLock(folder, 'berth', {...lockOwner('r0', 'apply'), pid: await deadPid()});
    const outcomes = await Promise.allSettled(Array.from({length: 20}, (_, index) => acquireLock(folder, 'berth', lockOwner(`r${index + 1}`, 'apply'))));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
  });

  test('a lock that cannot be read is never broken silently', async () => {
    await (await acquireLock(folder, 'berth', lockOwner('r1', 'apply'))).release();
    await writeFile(join(folder, 'locks', 'berth.json'), 'half');
    await expect(acquireLock(folder, 'berth', lockOwner('r2', 'apply'))).rejects.toThrow("can't be read");
  });
});
