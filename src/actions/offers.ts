// Which actions there are for something, and why not the others: the modes' own reasons.
import type {Capability} from '../modes/mode.ts';
import type {Action, ActionInput, Answer, ClusterPlace, Subject} from './action.ts';
import {actions} from './table.ts';

/** What each mode can do: `capabilities` of the seam, by the mode's name. */
export type ModeCapabilities = Readonly<Record<string, Readonly<Record<string, Capability>>>>;

export interface Offer {
  readonly action: Action;
  /** Why not; absent when it can be done. */
  readonly reason?: string;
}

/** Every action about such a thing, each offered or with the reason why not. */
export function offersFor(subject: Subject, modes: ModeCapabilities): readonly Offer[] {
  return actions.filter((action) => action.about === subject.about).map((action) => offerOf(action, subject, modes));
}

export function offerOf(action: Action, subject: Subject, modes: ModeCapabilities): Offer {
  const reason = refusal(action, subject, modes);
  return reason === undefined ? {action} : {action, reason};
}

/** The actions for several things at once. One that a single one of them refuses says so, with whose reason it is. */
export function offersForAll(subjects: readonly Subject[], modes: ModeCapabilities): readonly Offer[] {
  const [first] = subjects;
  if (first === undefined) return [];
  if (subjects.length === 1) return offersFor(first, modes);
  return offersFor(first, modes).map(({action}) => {
    if (action.many !== true) return {action, reason: 'one at a time'};
    for (const subject of subjects) {
      const {reason} = offerOf(action, subject, modes);
      if (reason !== undefined) return {action, reason: `${nameOf(subject)}: ${reason}`};
    }
    return {action};
  });
}

function refusal(action: Action, subject: Subject, modes: ModeCapabilities): string | undefined {
  const place: ClusterPlace | undefined = subject.about === 'fleet' ? undefined : subject.cluster;
  if (place !== undefined) {
    if (action.only !== undefined && !action.only.modes.includes(place.mode)) return action.only.reason;
    if (action.verb !== undefined) {
      const capabilities = modes[place.mode];
      if (capabilities === undefined) return `what ${place.mode} mode can do isn't known yet`;
      const capability = capabilities[action.verb];
      if (capability?.supported !== true) return capability?.reason ?? `${place.mode} mode doesn't know this verb`;
    }
    if (action.needsFile === true && place.files.length === 0) return 'no file is known that describes it: trireme init --from-cluster';
  }
  return action.idle?.(subject);
}

/** Whether the name has to be typed before it is done with this one. */
export function isDestructive({destructive}: Action, subject: Subject): boolean {
  if (destructive === undefined || typeof destructive === 'boolean') return destructive === true;
  return subject.about !== 'fleet' && destructive.includes(subject.cluster.mode);
}

/** What a person calls it. */
export function nameOf(subject: Subject): string {
  switch (subject.about) {
    case 'fleet':
      return 'the fleet';
    case 'cluster':
      return subject.cluster.name;
    case 'machine':
      return subject.machine;
    case 'run':
      return subject.run;
  }
}

/** What is wrong with an answer, in a sentence; undefined when it is right. */
export function complaintAbout(input: ActionInput, answer: Answer | undefined, subject: Subject): string | undefined {
  switch (input.kind) {
    case 'counts': {
      const numbers = Object.entries((answer ?? {}) as Readonly<Record<string, number>>);
      if (numbers.length === 0) return 'Nothing is changed yet.';
      return numbers.every(([, number]) => Number.isInteger(number) && number >= 0) ? undefined : 'How many: a whole number.';
    }
    case 'text':
      if (typeof answer !== 'string' || answer.trim() === '') return input.required === true ? 'An answer is needed.' : undefined;
      return input.pattern === undefined || input.pattern.test(answer) ? undefined : `Wanted is ${input.wanted ?? 'something else'}.`;
    case 'name':
      return answer === nameOf(subject) ? undefined : `Type ${nameOf(subject)} to go on.`;
    case 'words':
      return input.required === true && (!Array.isArray(answer) || answer.length === 0) ? 'A command is needed.' : undefined;
    case 'choice':
    case 'names':
      return undefined;
  }
}
