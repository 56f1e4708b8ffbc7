// A question for one text, checked by the file's own rules.
import type {Question} from '../prompts/question.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import type {Given} from './flow.ts';

interface TextOptions {
  readonly default?: string | undefined;
  readonly note?: string;
  /** What is said of an empty answer; absent: it may be empty. */
  readonly required?: string;
}

/** `id` is the answer's name, and its flag's. */
export function text(context: WizardContext, given: Given, id: string, message: string, options: TextOptions = {}): Question {
  return {
    kind: 'text',
    id,
    message,
    ...(options.default === undefined ? {} : {default: options.default}),
    ...(options.note === undefined ? {} : {note: options.note}),
    check: (answer) => (answer === '' ? options.required : checkAnswer(id, answer, given, context)),
  };
}
