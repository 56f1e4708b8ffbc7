// Asks one question after the other: the next is the first whose answer isn't known. Back, and going on later, are the same walk.
import type {Answer, Question, Reply} from '../prompts/question.ts';

/** Null: asked or looked at, and left as it is by default. */
export type GivenValue = string | readonly string[] | number | boolean | null;
export type Given = Readonly<Record<string, GivenValue>>;

export interface Step {
  /** The step is done when the answers have this. */
  readonly id: string;
  /** The question to ask now, or what is settled without one. Called again after each answer until the step is done. */
  next(given: Given): Promise<Question | {readonly settled: Given}>;
  /** The answers with this one in them; default: stored under the question's id. */
  take?(question: Question, answer: Answer, given: Given): Promise<Given>;
}

export interface Walk {
  readonly given: Given;
  /** The answers as they were before each question that was asked. */
  readonly trail: readonly Given[];
}

export interface FlowOptions {
  /** The steps in order, as the answers so far want them. */
  steps(given: Given): readonly Step[];
  readonly start: Walk;
  ask(question: Question): Promise<Reply>;
  say(text: string): void;
  /** Called after every answer, before anything else is asked. */
  save(walk: Walk): Promise<void>;
}

/** Ends when every step is done; rejects when asking does. */
export async function runFlow({steps, start, ask, say, save}: FlowOptions): Promise<Walk> {
  let {given, trail} = start;
  let shown: string | undefined;
  /** Notes of questions that somebody comes back to stand above. */
  const stillThere = new Set<string>();
  let cameBack = false;
  for (;;) {
    const step = steps(given).find(({id}) => given[id] === undefined);
    if (step === undefined) return {given, trail};
    const next = await step.next(given);
    if ('settled' in next) {
      given = {...given, ...next.settled};
      if (given[step.id] === undefined) given = {...given, [step.id]: null};
      continue;
    }
    if (next.note !== undefined && next.note !== shown && !(cameBack && stillThere.has(next.note))) say(next.note);
    if (next.note !== undefined) stillThere.add(next.note);
    shown = next.note;
    const reply = await ask(next);
    cameBack = 'back' in reply;
    if ('back' in reply) {
      const before = trail.at(-1);
      if (before === undefined) say('This is the first question.');
      else {
        given = before;
        trail = trail.slice(0, -1);
      }
    } else {
      const after = step.take === undefined ? {...given, [next.id]: plainAnswer(reply.answer)} : await step.take(next, reply.answer, given);
      // what was done rather than answered (a key recorded) isn't asked again, so there's no way back to it
      if (after !== given) trail = [...trail, given];
      given = after;
    }
    await save({given, trail});
  }
}

/** An empty answer is the default: nothing is written for it. */
export function plainAnswer(answer: Answer): GivenValue {
  if (typeof answer === 'string') return answer === '' ? null : answer;
  return Array.isArray(answer) && answer.length === 0 ? null : answer;
}
