// Questions on the terminal. They are asked on stderr, so that stdout stays for results.
import {TriremeError} from '../kernel/errors.ts';

/** Asks a yes-or-no question; the answer to an empty line is no. */
export async function askYes(question: string, signal?: AbortSignal): Promise<boolean> {
  const {confirm} = await import('@inquirer/prompts');
  return interruptible(confirm({message: question, default: false}, {output: process.stderr, signal}));
}

/** Asks for a text. */
export async function askText(question: string, signal?: AbortSignal): Promise<string> {
  const {input} = await import('@inquirer/prompts');
  return interruptible(input({message: question}, {output: process.stderr, signal}));
}

/** Asks for a secret; what is typed isn't shown. */
export async function askSecret(question: string, signal?: AbortSignal): Promise<string> {
  const {password} = await import('@inquirer/prompts');
  return interruptible(password({message: question, mask: false}, {output: process.stderr, signal}));
}

/** `expected`: an abort that whoever asks knows what to make of. Ctrl-C within a question is an interruption, not a bug; inquirer names its errors rather than exporting their classes from here. */
export async function interruptible<T>(answer: Promise<T>, expected?: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (expected?.aborted !== true && error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError')) {
      throw new TriremeError('run.interrupted', 'The question was left without an answer; nothing was changed.', {cause: error});
    }
    throw error;
  }
}
