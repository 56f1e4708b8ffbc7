// From answers to the text of a new file, in the mode that they ask for.
import {parse} from 'yaml';
import {TriremeError} from '../kernel/errors.ts';
import {type Answers, requireAnswers} from './answers.ts';
import type {BaseSettings} from './base-settings.ts';
import {renderClusterFile} from './cluster-file.ts';
import {controllerFileOf, renderControllerFile} from './controller-file.ts';

export {readAnswers} from './answers.ts';

/** `base`: what the file that the answers name holds. Throws `usage.answer-required` and `usage.invalid`; the text isn't checked here. */
export function textOfAnswers(answers: Answers, base?: BaseSettings): {readonly name: string; readonly text: string} {
  if (answers.mode === 'controller' || (answers.mode === undefined && (answers.class !== undefined || answers.template !== undefined))) {
    if (answers.base !== undefined) throw new TriremeError('usage.invalid', '--base has settings for hosts, and in controller mode there are none.');
    const file = controllerFileOf(answers, (text) => parse(text) as unknown);
    return {name: file.name, text: renderControllerFile(file)};
  }
  const complete = requireAnswers(answers);
  return {name: complete.name, text: renderClusterFile(complete, base)};
}
