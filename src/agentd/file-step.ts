// The commonest step: a file of the host has this text, mode and owner.
import {createHash} from 'node:crypto';
import {chmod, chown, stat} from 'node:fs/promises';
import type {Effect} from '../kernel/event.ts';
import {TriremeError} from '../kernel/errors.ts';
import {isMissing, type HostSystem} from './host-system.ts';
import type {AgentStep} from './reconciler.ts';

export interface FileWish {
  readonly path: string;
  readonly content: string;
  /** Octal; default `0644`. */
  readonly mode?: string;
  /** `user:group` by name or number; default: as it is. Ignored on simulated hosts, which aren't root. */
  readonly owner?: string;
}

/** A step that writes the file when its text, mode or owner differs. */
export function fileStep(wish: FileWish, title = `Write ${wish.path}`, effect: Effect = 'none'): AgentStep {
  return {
    id: `file:${wish.path}`,
    title,
    subject: wish.path,
    effect,
    check: async ({scope: {host}}) => ((await differenceOf(host, wish)) === undefined ? 'satisfied' : 'needed'),
    apply: async ({scope: {host}}) => writeWish(host, wish),
    found: async ({host}) => (await differenceOf(host, wish)) ?? 'as wanted',
  };
}

/** A step that removes a file. */
export function absentStep(path: string): AgentStep {
  return {
    id: `absent:${path}`,
    title: `Remove ${path}`,
    subject: path,
    effect: 'none',
    check: async ({scope: {host}}) => ((await host.exists(path)) ? 'needed' : 'satisfied'),
    apply: async ({scope: {host}}) => host.remove(path),
    found: async () => 'present',
  };
}

export async function writeWish(host: HostSystem, wish: FileWish): Promise<void> {
  await host.write(wish.path, wish.content, wish.mode);
  const ids = await ownerOf(host, wish);
  if (ids !== undefined) {
    await chown(host.path(wish.path), ids.uid, ids.gid);
    await chmod(host.path(wish.path), Number.parseInt(wish.mode ?? '0644', 8));
  }
}

async function differenceOf(host: HostSystem, wish: FileWish): Promise<string | undefined> {
  const text = await host.read(wish.path);
  if (text === undefined) return 'missing';
  if (text !== wish.content) return 'other content';
  if (wish.mode === undefined && wish.owner === undefined) return undefined;
  const {mode, uid, gid} = await stat(host.path(wish.path));
  if (wish.mode !== undefined && (mode & 0o7777) !== Number.parseInt(wish.mode, 8)) return `mode ${(mode & 0o7777).toString(8).padStart(4, '0')}`;
  const ids = await ownerOf(host, wish);
  if (ids !== undefined && (ids.uid !== uid || ids.gid !== gid)) return `owner ${uid}:${gid}`;
  return undefined;
}

async function ownerOf(host: HostSystem, wish: FileWish): Promise<{readonly uid: number; readonly gid: number} | undefined> {
  if (wish.owner === undefined || host.simulated) return undefined;
  const [user = 'root', group = user] = wish.owner.split(':');
  return {uid: await idOf(host, '/etc/passwd', user, wish), gid: await idOf(host, '/etc/group', group, wish)};
}

async function idOf(host: HostSystem, table: string, name: string, wish: FileWish): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const line = ((await host.read(table)) ?? '').split('\n').find((one) => one.startsWith(`${name}:`));
  const id = line?.split(':')[2];
  if (id === undefined) {
    throw new TriremeError(
      'agent.failed',
      `${wish.path} shall belong to ${wish.owner}, but ${host.name} has no ${table === '/etc/passwd' ? 'user' : 'group'} ${name}.`,
      {
        host: host.name,
        hints: [`Create it on the host, or change \`owner\` of the file.`],
      },
    );
  }
  return Number(id);
}

/** `sha256:HEX` of a file's bytes, read as a stream; undefined when it's missing. */
export async function digestOfFile(path: string): Promise<string | undefined> {
  const {createReadStream} = await import('node:fs');
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, {highWaterMark: 1 << 18})) hash.update(chunk as Buffer);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return `sha256:${hash.digest('hex')}`;
}

/** Size and time of change, to tell cheaply that a file is the one that was verified. */
export async function stampOf(path: string): Promise<string | undefined> {
  try {
    const {size, mtimeMs, ino} = await stat(path);
    return `${size}:${Math.floor(mtimeMs)}:${ino}`;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
