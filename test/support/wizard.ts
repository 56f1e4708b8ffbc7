// A person before the wizard: reads the question that is asked, and answers it by the keys that the screen offers.
import type {TestTerminal} from './terminal.ts';

/** What is done at a question: text to type, or keys. Enter follows. */
export type Deed = {readonly type: string} | {readonly keys: readonly string[]};
export type Script = readonly (readonly [question: RegExp, deed: Deed])[];

export const enter: Deed = {keys: []};
export const pick = (...keys: readonly string[]): Deed => ({keys});
export const write = (text: string): Deed => ({type: text});

/** Answers the questions in order; each must be on the screen before its keys are pressed. */
export async function answerAll(terminal: TestTerminal, script: Script): Promise<void> {
  for (const [question, deed] of script) {
    await asks(terminal, question);
    press(terminal, deed);
  }
}

/** The question stands on the screen and isn't answered yet. */
export async function asks(terminal: TestTerminal, question: RegExp): Promise<void> {
  // before some of them real hosts or an API are asked
  const patience = Math.max(30_000, terminal.patience);
  await terminal.shows((text) => text.split('\n').some((line) => line.startsWith('?') && question.test(line)), {patience});
}

export function press(terminal: TestTerminal, deed: Deed): void {
  if ('type' in deed) terminal.type(deed.type);
  else terminal.key(...deed.keys);
  terminal.key('enter');
}
