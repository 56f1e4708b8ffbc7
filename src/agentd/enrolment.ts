// What a host shall be, as a file: for hosts that nobody logs in to. An agent that belongs to no cluster takes it from its place by itself, so that
// an image, or whatever writes files at the first boot, can bring it.
import {rm} from 'node:fs/promises';
import {agentPaths, type Enrolment, type PutWanted} from '../hostcluster/protocol.ts';
import {TriremeError} from '../kernel/errors.ts';
import {readJson} from './state.ts';

/** Reads an enrolment. Throws `usage.invalid` for a file that isn't one. */
export async function readEnrolment(path: string): Promise<Enrolment> {
  const found = await readJson<Partial<Enrolment>>(path);
  if (found?.kind !== 'TriremeEnrolment' || found.wanted === undefined)
    throw new TriremeError('usage.invalid', found === undefined ? `There's no enrolment at ${path}, or it isn't JSON.` : `${path} isn't an enrolment.`, {
      hints: ['Make one on the computer that you work from: trireme agent package --host NAME'],
    });
  return found as Enrolment;
}

/** Takes the enrolment that lies at its place; `put` checks and keeps it. It holds secrets, so it is removed when it is taken. */
export async function takeEnrolment(at: (path: string) => string, put: (body: PutWanted) => Promise<unknown>): Promise<boolean> {
  const path = at(agentPaths.enrolment);
  if ((await readJson(path)) === undefined) return false;
  const {kind: _kind, ...body} = await readEnrolment(path);
  await put(body);
  // where /etc can't be written it stays, and is not looked at again
  await rm(path, {force: true}).catch(() => {});
  return true;
}
