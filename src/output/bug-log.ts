// Keeps the stack of an unexpected error, so that the screen needn't show it.
import {join} from 'node:path';
import {writeFileAtomic} from '../kernel/files.ts';
import {stateFolder} from '../kernel/folders.ts';

export interface BugReport {
  readonly command: string;
  readonly version: string;
  /** Already redacted. */
  readonly stack: string;
}

/** Writes the report below the state folder and returns its path; undefined when it can't be written. */
export async function writeBugLog(report: BugReport, folder: string = stateFolder()): Promise<string | undefined> {
  const now = new Date();
  const path = join(folder, 'bugs', `${now.toISOString().replaceAll(/[:.]/g, '-')}.log`);
  const text = [
    `time: ${now.toISOString()}`,
    `trireme: ${report.version}`,
    `node: ${process.version} on ${process.platform} ${process.arch}`,
    `command: ${report.command}`,
    '',
    report.stack,
    '',
  ].join('\n');
  try {
    await writeFileAtomic(path, text, {mode: 0o600});
    return path;
  } catch {
    return undefined; // a report that can't be kept must not hide the error itself
  }
}
