// The trial of a new version of this program: the launcher counts its starts and goes back to the version before when it doesn't stay up; once it has
// served for a while, the trial is over.
import {readFile, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {AgentState} from '../hostcluster/protocol.ts';

/** How long it has to serve, in ms. */
const proof = 5000;

/** The root of the versions, when this program runs from one. */
function rootOf(programFolder: string): string | undefined {
  const versions = dirname(programFolder);
  return basename(versions) === 'versions' ? dirname(versions) : undefined;
}

/** Ends the trial after a while of serving; the timer keeps nobody alive. */
export function endTrialLater(programFolder: string): void {
  const root = rootOf(programFolder);
  if (root !== undefined) setTimeout(() => void rm(join(root, 'trial'), {force: true}).catch(() => {}), proof).unref();
}

/** The newer version that was given up before this one was started again. */
export async function readFallBack(programFolder: string): Promise<AgentState['fellBack']> {
  const root = rootOf(programFolder);
  if (root === undefined) return undefined;
  const [from, at] = (await readFile(join(root, 'fell-back'), 'utf8').catch(() => '')).trim().split(' ');
  return from === undefined || from === '' || at === undefined ? undefined : {from: from.replace('versions/', ''), at};
}
