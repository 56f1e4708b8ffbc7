// Questions that are asked over a screen, as plain data.

interface Asked {
  readonly title: string;
  /** What is at stake: the plan and its costs, line by line. */
  readonly body?: readonly string[];
}

export type Prompt =
  | (Asked & {readonly kind: 'confirm'; /** Words for yes. */ readonly yes?: string})
  /** A destructive one: the name must be typed. */
  | (Asked & {readonly kind: 'type-name'; readonly name: string})
  | (Asked & {
      readonly kind: 'text';
      readonly initial?: string;
      /** What is wrong with the answer; undefined when it's good. */
      check?(text: string): string | undefined;
    })
  /** What is typed isn't shown. */
  | (Asked & {readonly kind: 'secret'})
  | (Asked & {readonly kind: 'choose'; readonly choices: readonly PromptChoice[]})
  | (Asked & {readonly kind: 'choose-many'; readonly choices: readonly PromptChoice[]; readonly chosen: readonly string[]});

export interface PromptChoice {
  readonly id: string;
  readonly label: string;
  readonly note?: string;
}

/** True for yes, text, an id, or ids; undefined: left without an answer. */
export type PromptAnswer = true | string | readonly string[] | undefined;

export interface PromptState {
  readonly text: string;
  readonly cursor: number;
  readonly chosen: ReadonlySet<string>;
  readonly complaint?: string;
}

export type PromptAction =
  | {readonly type: 'type'; readonly text: string}
  | {readonly type: 'erase'}
  | {readonly type: 'erase-all'}
  | {readonly type: 'move'; readonly by: number}
  | {readonly type: 'toggle'}
  | {readonly type: 'complain'; readonly complaint: string};

export function initialPrompt(prompt: Prompt): PromptState {
  return {
    text: prompt.kind === 'text' ? (prompt.initial ?? '') : '',
    cursor: 0,
    chosen: new Set(prompt.kind === 'choose-many' ? prompt.chosen : []),
  };
}

export function reducePrompt(prompt: Prompt): (state: PromptState, action: PromptAction) => PromptState {
  const choices = 'choices' in prompt ? prompt.choices : [];
  return (state, action) => {
    const {complaint: _past, ...rest} = state;
    switch (action.type) {
      case 'type':
        return {...rest, text: rest.text + action.text};
      case 'erase':
        return {...rest, text: [...rest.text].slice(0, -1).join('')};
      case 'erase-all':
        return {...rest, text: ''};
      case 'move':
        return {...rest, cursor: Math.max(0, Math.min(choices.length - 1, rest.cursor + action.by))};
      case 'toggle': {
        const id = choices[rest.cursor]?.id;
        const chosen = new Set(rest.chosen);
        if (id !== undefined && !chosen.delete(id)) chosen.add(id);
        return {...rest, chosen};
      }
      case 'complain':
        return {...rest, complaint: action.complaint};
    }
  };
}

/** The answer that the state stands for, or what is still wrong with it. */
export function answerOf(prompt: Prompt, state: PromptState): {readonly answer: PromptAnswer} | {readonly complaint: string} {
  switch (prompt.kind) {
    case 'confirm':
      return {answer: true};
    case 'type-name':
      return state.text === prompt.name ? {answer: true} : {complaint: `Type ${prompt.name} to go on, or esc to leave it.`};
    case 'text': {
      const complaint = prompt.check?.(state.text);
      return complaint === undefined ? {answer: state.text} : {complaint};
    }
    case 'secret':
      return {answer: state.text};
    case 'choose': {
      const choice = prompt.choices[state.cursor];
      return choice === undefined ? {complaint: 'There is nothing to choose.'} : {answer: choice.id};
    }
    case 'choose-many':
      // in the order of the choices, whatever the order of choosing
      return {answer: prompt.choices.filter((choice) => state.chosen.has(choice.id)).map((choice) => choice.id)};
  }
}
