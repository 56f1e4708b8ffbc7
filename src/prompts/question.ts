// A question as data: what is asked, what may be answered, and what is said about it.

export interface Choice {
  readonly value: string;
  readonly name: string;
  readonly description?: string;
  /** Why it can't be chosen. */
  readonly disabled?: string;
}

interface Asked {
  /** What the answer is stored as. */
  readonly id: string;
  readonly message: string;
  /** Shown once, above the question. */
  readonly note?: string;
}

export interface TextQuestion extends Asked {
  readonly kind: 'text';
  /** The answer to an empty line. */
  readonly default?: string;
  /** Says what is wrong with an answer; undefined when it's right. */
  readonly check?: (text: string) => Promise<string | undefined> | string | undefined;
}

export interface ChoiceQuestion extends Asked {
  readonly kind: 'choice';
  readonly choices: readonly Choice[];
  readonly default?: string;
}

export interface ManyQuestion extends Asked {
  readonly kind: 'many';
  readonly choices: readonly Choice[];
  readonly check?: (values: readonly string[]) => Promise<string | undefined> | string | undefined;
}

export interface YesQuestion extends Asked {
  readonly kind: 'yes';
  readonly default: boolean;
}

export type Question = TextQuestion | ChoiceQuestion | ManyQuestion | YesQuestion;
export type Answer = string | readonly string[] | boolean;
/** `back`: the question before shall be asked again. */
export type Reply = {readonly answer: Answer} | {readonly back: true};
