// One run per cluster on this computer. The file says who holds it; hosts have a lease of their own (hostcluster/).
import {randomBytes} from 'node:crypto';
import {link, mkdir, open, readFile, rename, rm} from 'node:fs/promises';
import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';

export interface LockOwner {
  readonly user: string;
  readonly computer: string;
  readonly pid: number;
  readonly run: string;
  /** ISO 8601. */
  readonly since: string;
  /** What it does: `apply`. */
  readonly operation: string;
}

export interface Lock {
  readonly owner: LockOwner;
  /** The owner whose lock was broken, if one was. */
  readonly broke?: LockOwner;
  release(): Promise<void>;
}

/** Who we are, for a lock's owner. */
export function lockOwner(run: string, operation: string): LockOwner {
  return {user: userInfo().username, computer: hostname(), pid: process.pid, run, since: new Date().toISOString(), operation};
}

/**
 * Takes the lock of a cluster. A lock whose process is gone from this computer is taken over silently; a living one throws `lock.held`,
 * unless `breakLock` is given.
 */
export async function acquireLock(folder: string, cluster: string, owner: LockOwner, options: {readonly breakLock?: boolean} = {}): Promise<Lock> {
  const path = join(folder, 'locks', `${cluster}.json`);
  await mkdir(join(folder, 'locks'), {recursive: true, mode: 0o700});
  let broke: LockOwner | undefined;
  for (;;) {
    if (await tryCreate(path, owner)) return {owner, ...(broke === undefined ? {} : {broke}), release: () => releaseIfOurs(path, owner)};
    const holder = await readOwner(path);
    if (holder === undefined) continue; // released between our two looks
    if (isAlive(holder) && options.breakLock !== true) throw lockHeld(cluster, holder);
    if (isAlive(holder)) broke = holder;
    await removeIfUnchanged(path, holder);
  }
}

/** Whether a run that has no outcome goes on: its process lives and holds the cluster's lock. Otherwise it was killed. */
export async function isRunning(folder: string, cluster: string, run: string): Promise<boolean> {
  const holder = await readOwner(join(folder, 'locks', `${cluster}.json`)).catch(() => undefined);
  return holder !== undefined && holder.run === run && isAlive(holder);
}

/** The error for a lock that somebody holds; says who, where and since when. */
export function lockHeld(cluster: string, holder: LockOwner): TriremeError {
  return new TriremeError(
    'lock.held',
    `${holder.user}@${holder.computer} is working on ${cluster} since ${holder.since} (${holder.operation}, run ${holder.run}, process ${holder.pid}).`,
    {
      hints: ['Wait until it ends, and try again.', `If you are sure that it's gone: --break-lock`],
      details: {holder},
    },
  );
}

/** A hard link is made only where no file is, and has its whole content from the first moment. */
async function tryCreate(path: string, owner: LockOwner): Promise<boolean> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    // flushed, so that after a power cut nobody meets a lock that says nothing; whether it is there then doesn't matter
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(owner));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, {force: true});
  }
}

async function readOwner(path: string): Promise<LockOwner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockOwner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TriremeError('ledger.damaged', `The lock ${path} can't be read.`, {hints: [`Look at it, then remove it: rm ${path}`], cause: error});
  }
}

function isSame(a: LockOwner | undefined, b: LockOwner): boolean {
  return a !== undefined && a.pid === b.pid && a.run === b.run && a.computer === b.computer && a.since === b.since;
}

/** Moves the lock aside first, so that of two who find it stale only one removes it; puts it back when it's another's after all. */
async function removeIfUnchanged(path: string, expected: LockOwner): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (!isSame(await readOwner(aside), expected)) await link(aside, path).catch(() => {});
  await rm(aside, {force: true});
}

async function releaseIfOurs(path: string, owner: LockOwner): Promise<void> {
  if (isSame(await readOwner(path).catch(() => undefined), owner)) await rm(path, {force: true});
}

/** Only this computer's processes can be looked at; another computer's lock counts as living. */
function isAlive(owner: LockOwner): boolean {
  if (owner.computer !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
