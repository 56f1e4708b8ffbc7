// The answers of a wizard that was left, on disk until it ends: nobody types them twice. Only the person may read them.
import {mkdir, readFile, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import {digestOf} from '../kernel/digest.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import type {Walk} from './flow.ts';

const given = z.record(z.string(), z.union([z.string(), z.array(z.string()), z.number(), z.boolean(), z.null()]));
const session = z.strictObject({
  format: z.literal(1),
  /** The file that was to be written, absolute. */
  file: z.string(),
  /** ISO 8601. */
  savedAt: z.string(),
  given,
  trail: z.array(given),
});
export type Session = z.infer<typeof session>;

/** One for each file that is being written. */
const placeOf = (folder: string, file: string) => join(folder, 'init', `${digestOf(file).slice('sha256:'.length, 'sha256:'.length + 16)}.json`);

export async function saveSession(folder: string, file: string, {given: answers, trail}: Walk, now: Date = new Date()): Promise<void> {
  const path = placeOf(folder, file);
  await mkdir(dirname(path), {recursive: true, mode: 0o700});
  await writeFileAtomic(path, `${JSON.stringify({format: 1, file, savedAt: now.toISOString(), given: answers, trail})}\n`, {mode: 0o600});
}

/** Undefined without one. Throws `file.invalid` for one that can't be read. */
export async function readSession(folder: string, file: string): Promise<Session | undefined> {
  const path = placeOf(folder, file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TriremeError('file.invalid', `The kept answers in ${path} can't be read.`, {
      cause: error,
      hints: ['Remove the file, and begin anew: trireme init'],
    });
  }
  try {
    return session.parse(JSON.parse(text));
  } catch (error) {
    throw new TriremeError('file.invalid', `The kept answers in ${path} are damaged, or of another version.`, {
      cause: error,
      hints: ['Remove the file, and begin anew: trireme init'],
    });
  }
}

export async function forgetSession(folder: string, file: string): Promise<void> {
  await rm(placeOf(folder, file), {force: true});
}
