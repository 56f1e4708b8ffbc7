// Whether an answer fits: the file is written with it, in memory, and read by the reader that reads every file. What the reader says of it is the complaint.
import {isTriremeError} from '../kernel/errors.ts';
import {textOfAnswers} from '../spec/answers-file.ts';
import {readBase} from '../spec/base-settings.ts';
import type {Answers} from '../spec/answers.ts';
import {checkFiles} from '../spec/read.ts';
import {answersOf} from './answers-of.ts';
import type {Given, GivenValue} from './flow.ts';

export interface CheckOptions {
  /** Where the file will be: paths in it are relative to this folder. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What is wrong with this answer that wasn't wrong before, in a sentence; undefined when it fits. */
export async function checkAnswer(id: string, value: GivenValue, given: Given, options: CheckOptions): Promise<string | undefined> {
  const {[id]: _old, ...others} = given;
  const [before, after] = await Promise.all([complaints(others, options), complaints({...others, [id]: value}, options)]);
  const fresh = after.filter((complaint) => !before.includes(complaint));
  return fresh.length === 0 ? undefined : fresh.slice(0, 2).join(' ');
}

async function complaints(given: Given, {folder, env}: CheckOptions): Promise<readonly string[]> {
  // the network's own profile is written with the file: it can't be read before
  const {cni: _written, ...answers} = withPlaceholders(answersOf(given));
  let text: string;
  try {
    ({text} = textOfAnswers(answers, await readBase(answers.base, folder, env)));
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    return [[error.message, ...error.hints].join(' ')];
  }
  const checked = await checkFiles({files: ['-'], folder, env, stdin: async () => text});
  return checked.complaints.map(({message, hint}) => (hint === undefined ? message : `${message} ${hint}`));
}

/** What isn't answered yet is filled in with something that breaks no rule. */
function withPlaceholders(answers: Answers): Answers {
  const {mode = 'agent'} = answers;
  if (mode === 'controller')
    return {
      ...answers,
      mode,
      name: answers.name ?? 'placeholder',
      ...(answers.class === undefined && answers.template === undefined ? {class: 'placeholder'} : {}),
    };
  return {
    ...answers,
    mode,
    name: answers.name ?? 'placeholder',
    controlPlane: answers.controlPlane ?? ['placeholder-control-plane=control-plane.invalid'],
    endpoint: answers.endpoint ?? 'endpoint.invalid',
  };
}
