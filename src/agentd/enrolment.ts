// What a host shall be, as a file: for hosts that nobody logs in to. An agent that belongs to no cluster takes it from its place by itself, so that
// an image, or whatever writes files at the first boot, can bring it.
import {rm} from 'node:fs/promises';
import {agentPaths, type Enrolment} from '../hostcluster/protocol.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {EventLog} from './event-log.ts';
import {readJson, type WantedStore} from './state.ts';

/** Reads an enrolment. Throws `usage.invalid` for a file that isn't one. */
export async function readEnrolment(path: string): Promise<Enrolment> {
  const found = await readJson<Partial<Enrolment>>(path);
  if (found?.kind !== 'TriremeEnrolment' || found.wanted === undefined)
    throw new TriremeError('usage.invalid', found === undefined ? `There's no enrolment at ${path}, or it isn't JSON.` : `${path} isn't an enrolment.`, {
      hints: ['Make one on the computer that you work from: trireme agent package --host NAME'],
    });
  return found as Enrolment;
}

export interface EnrolmentPlace {
  at(path: string): string;
  readonly store: WantedStore;
  readonly events: EventLog;
}

/**
 * Takes the enrolment that lies at its place. Only before the host belongs to a cluster: afterwards a file that somebody left there changes nothing. It
 * holds secrets, so it is removed when it is taken. One that can't be used is told, and is no failure.
 */
export async function takeEnrolment({at, store, events}: EnrolmentPlace): Promise<boolean> {
  const path = at(agentPaths.enrolment);
  if (store.wanted !== null || (await readJson(path)) === undefined) return false;
  try {
    const {kind: _kind, ...body} = await readEnrolment(path);
    await store.put(body);
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    events.write('agent', {type: 'warning.raised', code: error.code, message: `The enrolment at ${agentPaths.enrolment} isn't taken: ${error.message}`});
    return false;
  }
  // where /etc can't be written it stays, and is not looked at again
  await rm(path, {force: true}).catch(() => {});
  return true;
}
