// The first questions: which mode, by the table or by the advisor; the file and the cluster's name.
import {basename} from 'node:path';
import {advise, nextTopic} from '../modes/advisor.ts';
import {availability, comparison, modeNames} from '../modes/advisor/comparison.ts';
import {questions, topics, type AdviceAnswers, type Topic} from '../modes/advisor/questions.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import type {Given, Step} from './flow.ts';

/** What comes before the dot of an answer to the advisor. */
const advicePrefix = 'advice.';
/** Asked whatever the others are: reasons and limits hang on them. */
const always: readonly Topic[] = ['machines', 'system', 'boot'];

/** The advisor's answers among those given. */
export function adviceAnswersIn(given: Given): AdviceAnswers {
  return Object.fromEntries(
    topics.flatMap((topic) => {
      const value = given[`${advicePrefix}${topic}`];
      return typeof value === 'string' ? [[topic, value]] : [];
    }),
  );
}

/** The advisor's answers as they are given to a walk. */
export function givenOfAdvice(answers: AdviceAnswers): Given {
  return Object.fromEntries(Object.entries(answers).map(([topic, answer]) => [`${advicePrefix}${topic}`, answer]));
}

export function modeSteps(context: WizardContext): readonly Step[] {
  return [
    {
      id: 'mode',
      next: async (given) => {
        const answers = adviceAnswersIn(given);
        const wantsAdvice = given['wantsAdvice'] === true;
        const topic = always.find((one) => answers[one] === undefined) ?? nextTopic(answers);
        if (wantsAdvice && topic !== undefined)
          return {
            kind: 'choice',
            id: `${advicePrefix}${topic}`,
            message: questions[topic].message,
            choices: questions[topic].options.map(({value, label}) => ({value, name: label})),
          };
        const usable = Object.keys(answers).length > 0 ? advise(answers).usable : undefined;
        return {
          kind: 'choice',
          id: 'mode',
          message: 'Which mode?',
          note: Object.keys(answers).length > 0 ? context.advice(given) : context.comparison,
          choices: [
            ...modeNames
              .toSorted((a, b) => Number(b === (usable ?? 'agent')) - Number(a === (usable ?? 'agent')))
              .map((mode) => ({
                value: mode,
                name: `${mode}${mode === usable ? ' (recommended)' : ''}: ${cellOf('operating system', mode)}`,
                ...(availability[mode].built ? {} : {disabled: 'not in this version'}),
              })),
            ...(wantsAdvice ? [] : [{value: 'advice', name: "I don't know yet: ask me a few questions"}]),
          ],
          ...(usable === undefined ? {} : {default: usable}),
        };
      },
      take: async (question, answer, given) => {
        if (question.id === 'mode' && answer === 'advice') return {...given, wantsAdvice: true};
        return {...given, [question.id]: answer as string};
      },
    },
    {
      id: 'name',
      next: async (given) => ({
        kind: 'text',
        id: 'name',
        message: 'What is the cluster called?',
        default: nameFrom(basename(context.folder)),
        check: (text) => (text === '' ? 'A cluster has a name.' : checkAnswer('name', text, given, context)),
      }),
    },
  ];
}

/** Asked first when the file that would be written is there already. */
export function fileStep(context: WizardContext, file: string): Step {
  return {
    id: 'file',
    next: async () => {
      if (!(await context.fileIsThere(file))) return {settled: {file}};
      return {
        kind: 'text',
        id: 'file',
        message: 'Which file shall be written?',
        note: `${file} is there already; it is left as it is (--force overwrites it).`,
        check: async (text) => (text === '' ? 'Name a file.' : (await context.fileIsThere(text)) ? `${text} is there already.` : undefined),
      };
    },
  };
}

function cellOf(title: string, mode: (typeof modeNames)[number]): string {
  return comparison.find((row) => row.title === title)?.cells[mode] ?? '';
}

function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  return name === '' ? 'berth' : name;
}
