// From answers to the text of a new file, in the mode that they ask for.
import {parse} from 'yaml';
import {type Answers, requireAnswers} from './answers.ts';
import {renderClusterFile} from './cluster-file.ts';
import {controllerFileOf, renderControllerFile} from './controller-file.ts';

export {readAnswers} from './answers.ts';

/** Throws `usage.answer-required` and `usage.invalid`; the text isn't checked here. */
export function textOfAnswers(answers: Answers): {readonly name: string; readonly text: string} {
  if (answers.mode === 'controller' || (answers.mode === undefined && (answers.class !== undefined || answers.template !== undefined))) {
    const file = controllerFileOf(answers, (text) => parse(text) as unknown);
    return {name: file.name, text: renderControllerFile(file)};
  }
  const complete = requireAnswers(answers);
  return {name: complete.name, text: renderClusterFile(complete)};
}
