// Changes a user's file: planned in memory, shown as a diff, written whole or not at all, and only over what was read.
import {chown, readFile, realpath, stat} from 'node:fs/promises';
import {resolve} from 'node:path';
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {editText, pathText, type Edit} from './edit-text.ts';
import {unifiedDiff} from './text-diff.ts';

/** An edit that isn't written yet. */
export interface PlannedEdit {
  /** As the person named it. */
  readonly file: string;
  /** Absolute, links not followed: what the file is read as. */
  readonly path: string;
  /** Where a link leads in the end: what is written. */
  readonly target: string;
  /** Digest of the bytes that were read. */
  readonly digest: string;
  readonly before: string;
  readonly after: string;
  /** Unified; empty when the file says it already. */
  readonly diff: string;
}

export interface EditRequest {
  /** The files that were read, as named; `-` is standard input. */
  readonly files: readonly string[];
  /** Name of the Cluster document. */
  readonly name: string;
  readonly edits: readonly Edit[];
  /** What relative names start from; default: here. */
  readonly folder?: string;
}

/** Computes the edit of the file that holds the cluster. Writes nothing. Throws `file.not-editable`, `file.not-found`, `file.syntax`, `cluster.not-found`. */
export async function planEdit(request: EditRequest): Promise<PlannedEdit> {
  const {name, edits} = request;
  const named = request.files.filter((file) => file !== '-' && file !== '<stdin>');
  if (named.length < request.files.length) {
    throw new TriremeError('file.not-editable', `${name} came over standard input: there's no file to change.`, {
      hints: [
        'Save it as a file and name it with -f',
        ...edits.map((edit) => `Or change it where it comes from: ${pathText(edit.path)}: ${String(edit.value)}`),
      ],
    });
  }
  let missing: unknown;
  for (const file of named) {
    const path = resolve(request.folder ?? process.cwd(), file);
    const bytes = await read(path, file);
    const before = textOf(bytes, file);
    try {
      const after = editText(before, edits, {kind: 'Cluster', name, file});
      return {file, path, target: await realpath(path), digest: digestOf(bytes), before, after, diff: unifiedDiff(before, after, file)};
    } catch (error) {
      if (!(error instanceof TriremeError && error.code === 'cluster.not-found')) throw error;
      missing ??= error;
    }
  }
  throw missing ?? new TriremeError('cluster.not-found', `No file describes ${name}.`);
}

/** Writes what was planned: atomically, with the file's own mode and owner, through links. Throws `file.changed` when the file isn't what was read. */
export async function writeEdit(edit: PlannedEdit): Promise<void> {
  if (edit.diff === '') return;
  await replace(edit, edit.digest, edit.after);
}

/** Puts the file back as it was, when it still says what `writeEdit` wrote; throws `file.changed` otherwise. */
export async function revertEdit(edit: PlannedEdit): Promise<void> {
  if (edit.diff === '') return;
  await replace(edit, digestOf(Buffer.from(edit.after)), edit.before);
}

async function replace({file, path, target}: PlannedEdit, digest: string, content: string): Promise<void> {
  if (digestOf(await read(path, file)) !== digest || (await realpath(path)) !== target) {
    throw new TriremeError('file.changed', `${file} was changed in the meantime by somebody else: it stays as it is now.`, {
      hints: ['Look at it, and run the command again'],
    });
  }
  const before = await stat(target);
  await writeFileAtomic(target, content, {mode: before.mode & 0o7777});
  const {uid, gid} = await stat(target);
  // another owner can be kept by root only; for everybody else the file is theirs anyway
  if (uid !== before.uid || gid !== before.gid) await chown(target, before.uid, before.gid).catch(() => {});
}

async function read(path: string, file: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new TriremeError('file.not-found', `${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`, {cause: error});
  }
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(bytes);
  } catch (error) {
    throw new TriremeError('file.not-editable', `${file} isn't text in UTF-8.`, {cause: error, hints: ['Save it as UTF-8']});
  }
}
