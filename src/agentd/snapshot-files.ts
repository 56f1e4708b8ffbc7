// Copies of a cluster's data on a host: one that was just taken and is being fetched, and one that was brought and waits to be restored. Root only.
import {createHash} from 'node:crypto';
import {createReadStream, createWriteStream} from 'node:fs';
import {mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import type {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {TriremeError} from '../kernel/errors.ts';
import {syncFolder} from '../kernel/files.ts';
import {agentPaths} from '../hostcluster/protocol.ts';
import type {HostSystem} from './host-system.ts';

/** Below the agent's state folder. */
export const takenSnapshot = '/var/lib/trireme/backup/snapshot.db';
export const restoredSnapshot = `${agentPaths.restore}/snapshot.db`;
/** There before the cluster's keys are: without it, keys alone would start an empty cluster under an old one's name. */
const expected = `${agentPaths.restore}/expected`;

/** What a host that is to bring a cluster back waits for. */
export async function missingBackup(host: Pick<HostSystem, 'exists'>): Promise<string | undefined> {
  if (!(await host.exists(expected)) || (await host.exists(restoredSnapshot))) return undefined;
  return "the backup's data: trireme cluster restore";
}

/** The data is where it belongs. */
export async function noteRestored(host: Pick<HostSystem, 'remove'>): Promise<void> {
  await host.remove(restoredSnapshot);
  await host.remove(expected);
}

/** Size and digest of a file on disk. */
export async function measure(host: Pick<HostSystem, 'path'>, path: string): Promise<{readonly size: number; readonly digest: string}> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(host.path(path), {highWaterMark: 1 << 18})) hash.update(chunk as Buffer);
  return {size: (await stat(host.path(path))).size, digest: `sha256:${hash.digest('hex')}`};
}

/** Keeps what comes when it has this digest; a file under its name is always whole. Throws `backup.damaged`. */
export async function receiveSnapshot(host: Pick<HostSystem, 'name' | 'path'>, input: Readable, digest: string): Promise<void> {
  const real = host.path(restoredSnapshot);
  const part = `${real}.part`;
  await mkdir(dirname(real), {recursive: true, mode: 0o700});
  const hash = createHash('sha256');
  try {
    await pipeline(
      input,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(part, {mode: 0o600}),
    );
    if (`sha256:${hash.digest('hex')}` !== digest)
      throw new TriremeError('backup.damaged', `The backup's data arrived on ${host.name} with another digest than the backup says.`, {host: host.name});
    const handle = await open(part, 'r');
    await handle.sync();
    await handle.close();
    await rename(part, real);
    await syncFolder(dirname(real));
  } finally {
    await rm(part, {force: true});
  }
}
