// One question on the terminal, with a way back: Escape. Asked on stderr, so that stdout stays for results.
import {styleText} from 'node:util';
import {interruptible} from './ask.ts';
import type {Choice, Question, Reply} from './question.ts';

export interface AskOptions {
  readonly signal: AbortSignal;
  readonly color: boolean;
  readonly ascii: boolean;
}

/** Throws `run.interrupted` on Ctrl-C. */
export async function askQuestion(question: Question, options: AskOptions): Promise<Reply> {
  const back = new AbortController();
  const {stdin} = process;
  const onKey = (_text: string, key: {readonly name?: string} | undefined) => {
    if (key?.name !== 'escape') return;
    context.clearPromptOnDone = true;
    back.abort();
  };
  const context: Context = {output: process.stderr, signal: AbortSignal.any([options.signal, back.signal])};
  stdin.on('keypress', onKey);
  try {
    return {answer: await interruptible(ask(question, themeOf(options), context), back.signal)};
  } catch (error) {
    if (back.signal.aborted && !options.signal.aborted) return {back: true};
    throw error;
  } finally {
    stdin.off('keypress', onKey);
  }
}

interface Context {
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
  /** Read when the question ends: one that is left by Escape doesn't stay on the screen. */
  clearPromptOnDone?: boolean;
}

async function ask(question: Question, theme: ReturnType<typeof themeOf>, context: Context): Promise<string | readonly string[] | boolean> {
  const prompts = await import('@inquirer/prompts');
  const {message} = question;
  switch (question.kind) {
    case 'text': {
      const {check} = question;
      const validate = async (text: string) => (await check?.(text.trim())) ?? true;
      const answer = await prompts.input({message, theme, validate, ...(question.default === undefined ? {} : {default: question.default})}, context);
      return answer.trim();
    }
    case 'choice':
      return prompts.select(
        {
          message,
          theme,
          loop: false,
          pageSize: 12,
          choices: question.choices.map(choiceOf),
          ...(question.default === undefined ? {} : {default: question.default}),
        },
        context,
      );
    case 'many': {
      const {check} = question;
      const validate = async (chosen: readonly {readonly value: string}[]) => (await check?.(chosen.map(({value}) => value))) ?? true;
      return prompts.checkbox({message, theme, loop: false, pageSize: 12, validate, choices: question.choices.map(choiceOf)}, context);
    }
    case 'yes':
      return prompts.confirm({message, theme, default: question.default}, context);
  }
}

function choiceOf({value, name, description, disabled}: Choice) {
  return {value, name, ...(description === undefined ? {} : {description}), ...(disabled === undefined ? {} : {disabled: `(${disabled})`})};
}

type Format = Parameters<typeof styleText>[0];

function themeOf({color, ascii}: AskOptions) {
  const paint = (format: Format) => (text: string) => (color ? styleText(format, text) : text);
  const dim = paint('dim');
  return {
    prefix: {idle: paint('blue')('?'), done: paint('green')(ascii ? '+' : '✔')},
    spinner: {interval: 100, frames: ascii ? ['|', '/', '-', '\\'] : ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']},
    icon: ascii ? {cursor: '>', checked: '[x]', unchecked: '[ ]'} : {cursor: '❯', checked: '◉', unchecked: '◯'},
    style: {
      message: (text: string, status: string) => (status === 'done' ? paint('bold')(text) : `${paint('bold')(text)} ${dim('(esc: back)')}`),
      answer: paint('cyan'),
      defaultAnswer: (text: string) => dim(`(${text})`),
      error: (text: string) => paint('red')(`> ${text}`),
      highlight: paint('cyan'),
      description: dim,
      disabled: dim,
      keysHelpTip: (keys: readonly (readonly [string, string])[]) =>
        dim(keys.map(([key, action]) => `${ascii ? (asciiKeys[key] ?? key) : key} ${action}`).join(ascii ? ', ' : ' • ')),
    },
  };
}

const asciiKeys: Readonly<Record<string, string>> = {'↑↓': 'up/down', '⏎': 'enter'};
