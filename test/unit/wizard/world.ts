// A world for the wizard's steps, told instead of looked at; and a person who answers by the questions' ids.
import {TriremeError} from '../../../src/kernel/errors.ts';
import {simulatedFacts} from '../../../src/hosts/simulated-facts.ts';
import type {Answer, Question, Reply} from '../../../src/prompts/question.ts';
import {agentAnswers} from '../../../src/wizard/agent-steps.ts';
import type {WizardContext} from '../../../src/wizard/context.ts';
import {runFlow, type Given, type Walk} from '../../../src/wizard/flow.ts';
import type {Look} from '../../../src/wizard/host-facts.ts';
import type {ClassFact} from '../../../src/wizard/management-facts.ts';
import {wizardSteps} from '../../../src/wizard/steps.ts';

export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly sshHosts?: readonly string[];
  readonly files?: readonly string[];
  /** Hosts whose keys aren't known until they are recorded. */
  readonly unknownKeys?: readonly string[];
  /** known_hosts: what was recorded. Default: a new one. */
  readonly recorded?: Set<string>;
  readonly sudoPassword?: boolean;
  /** Problems by entry, until the answers have this id. */
  readonly refusesUntil?: string;
  readonly simulated?: boolean;
  readonly classes?: readonly ClassFact[];
  readonly contexts?: readonly string[];
  readonly folder?: string;
}

export interface Played {
  readonly walk: Walk;
  readonly context: WizardContext;
  readonly asked: readonly string[];
  readonly said: readonly string[];
}

export function worldContext(world: World, said: string[] = []): WizardContext {
  const recorded = world.recorded ?? new Set<string>();
  const seen = new Map<string, ReturnType<typeof simulatedFacts>>();
  const place = (entry: string) => entry.slice(entry.indexOf('=') + 1);
  const lookAt = (entry: string, answers: Readonly<Record<string, unknown>>, askSudo: boolean): Look => {
    const fail = (code: 'host.key-unknown' | 'host.sudo-password-required' | 'host.authentication-failed') => ({
      entry,
      problem: {code, message: `${entry}: ${code}`, hints: [], exit: 5 as const},
      target: {host: entry, address: place(entry)},
    });
    if (world.unknownKeys?.includes(place(entry)) === true && !recorded.has(place(entry))) return fail('host.key-unknown');
    if (world.refusesUntil !== undefined && answers[world.refusesUntil] === undefined) return fail('host.authentication-failed');
    if (world.sudoPassword === true && !askSudo && answers['sudoPasswordEnv'] === undefined && answers['sudoPasswordFile'] === undefined)
      return fail('host.sudo-password-required');
    const facts = {...simulatedFacts(`host-${place(entry).replaceAll('.', '-')}`, {address: '10.0.0.9'}), simulated: world.simulated ?? false};
    seen.set(place(entry), facts);
    return {entry, facts};
  };
  const context: WizardContext = {
    env: world.env ?? {},
    folder: world.folder ?? '/somewhere/berth',
    ascii: true,
    trustAll: false,
    hosts: {
      sshHosts: async () => world.sshHosts ?? [],
      loginName: async () => ({user: 'me', isConfigured: (world.sshHosts ?? []).length > 0}),
      keys: async () => [],
      exists: async (path) => world.files?.some((file) => path.endsWith(file)) ?? false,
      look: async (entries, answers, {askSudo}) => entries.map((entry) => lookAt(entry, answers, askSudo)),
      seen: (entry) => seen.get(place(entry)),
      freePort: async () => 16_443,
    },
    management: {
      contexts: async () => (world.contexts ?? []).map((name, index) => ({name, namespace: 'default', isCurrent: index === 0})),
      classes: async () => world.classes ?? [],
    },
    unknownKeys: async (looks) =>
      looks.map(({entry}) => ({entry, lines: [`${entry} ssh-ed25519 SHA256:abc`], record: async () => void recorded.add(place(entry))})),
    comparison: 'the table',
    advice: () => 'the advice',
    say: (text) => void said.push(text),
    fileIsThere: async () => false,
    answers: (given) => agentAnswers(given, context),
  };
  return context;
}

export type Script = Readonly<Record<string, Answer | ((question: Question) => Answer)>>;

export class Left extends TriremeError {
  constructor() {
    super('run.interrupted', 'left');
  }
}

/** Plays a walk; a question without an answer in the script gets its default. `back`: that question is left once by Escape. */
export async function play(
  world: World,
  script: Script,
  options: {
    readonly start?: Walk;
    readonly leaveAt?: number;
    readonly backAt?: number;
    readonly save?: (walk: Walk) => void;
    readonly given?: Given;
    readonly unchecked?: boolean;
  } = {},
): Promise<Played> {
  const said: string[] = [];
  const asked: string[] = [];
  const context = worldContext(world, said);
  const walk = await runFlow({
    steps: wizardSteps(context, 'trireme.yaml'),
    start: options.start ?? {given: options.given ?? {}, trail: []},
    ask: async (question): Promise<Reply> => {
      asked.push(question.id);
      if (asked.length === options.leaveAt) throw new Left();
      if (asked.length === options.backAt) return {back: true};
      return {answer: await answerTo(question, script, options.unchecked === true)};
    },
    say: (text) => void said.push(text),
    save: async (now) => options.save?.(now),
  });
  return {walk, context, asked, said};
}

async function answerTo(question: Question, script: Script, isUnchecked: boolean): Promise<Answer> {
  const said = script[question.id] ?? defaultOf(question);
  const answer = typeof said === 'function' ? said(question) : said;
  if (isUnchecked) return answer;
  const complaint =
    question.kind === 'text'
      ? await question.check?.(answer as string)
      : question.kind === 'many'
        ? await question.check?.(answer as readonly string[])
        : undefined;
  if (complaint !== undefined) throw new Error(`${question.id}: ${complaint}`);
  return answer;
}

function defaultOf(question: Question): Answer {
  switch (question.kind) {
    case 'text':
      return question.default ?? '';
    case 'choice':
      return question.default ?? question.choices.find(({disabled}) => disabled === undefined)?.value ?? '';
    case 'many':
      return [];
    case 'yes':
      return question.default;
  }
}
