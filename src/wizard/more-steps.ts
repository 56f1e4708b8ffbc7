// What most people leave as it is: asked only when somebody wants to change it.
import {listOf} from './answers-of.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import {entriesOf} from './answers-of.ts';
import type {Given, Step} from './flow.ts';

interface Extra {
  readonly name: string;
  readonly message: string;
  readonly isList?: boolean;
  /** Paths must be there. */
  readonly isPath?: boolean;
  readonly default?: string;
}

const extras = {
  jump: {name: 'jump hosts', message: 'Which jump hosts, in order? ([USER@]HOST[:PORT])', isList: true},
  sshPort: {name: 'port of SSH', message: 'On which port does SSH listen?', default: '22'},
  identityFile: {name: 'private key', message: 'Which private key opens the hosts?', isPath: true},
  pods: {name: 'network of the pods', message: 'Which network do the pods get? (a second one for dual-stack)', isList: true, default: '10.244.0.0/16'},
  services: {
    name: 'network of the services',
    message: 'Which network do the services get? (a second one for dual-stack)',
    isList: true,
    default: '10.96.0.0/12',
  },
  bundle: {name: 'bundle with the content', message: 'Which bundle? (a folder, a tar, or oci://REGISTRY/REPOSITORY:TAG)'},
  base: {name: 'settings that all clusters here have, from a file', message: 'Which file holds them?', isPath: true},
  namespace: {name: 'namespace in the management cluster', message: 'In which namespace of the management cluster?'},
} as const satisfies Record<string, Extra>;
export type ExtraName = keyof typeof extras;

/** One question which of them to change, and one for each that was chosen. Their flags answer them beforehand. */
export function moreSteps(context: WizardContext, names: readonly ExtraName[]): readonly Step[] {
  return [
    {
      id: 'more',
      next: async (given) => {
        const open = names.filter((name) => given[name] === undefined);
        if (open.length === 0) return {settled: {more: null}};
        return {
          kind: 'many',
          id: 'more',
          message: 'Change anything else? (none: the defaults)',
          choices: open.map((name) => ({value: name, name: extras[name].name, ...defaultOf(extras[name])})),
        };
      },
    },
    ...names
      .map((name): Step => ({id: name, next: (given) => askExtra(context, name, given)}))
      .map((step, index) => {
        const extra: Extra = extras[names[index] as ExtraName];
        return extra.isList === true
          ? {
              ...step,
              take: async (_question: unknown, answer: unknown, given: Given) => ({
                ...given,
                [step.id]: listOf(answer as string).length === 0 ? null : [...listOf(answer as string)],
              }),
            }
          : step;
      }),
  ];
}

const defaultOf = (extra: Extra) => (extra.default === undefined ? {} : {description: `now ${extra.default}`});

async function askExtra(context: WizardContext, name: ExtraName, given: Given): ReturnType<Step['next']> {
  if (!entriesOf(given['more']).includes(name)) return {settled: {[name]: null}};
  const extra: Extra = extras[name];
  const choices = name === 'identityFile' ? await context.hosts.keys() : [];
  return {
    kind: 'text',
    id: name,
    message: extra.message,
    ...(choices.length === 0 ? {} : {note: `Keys in ~/.ssh: ${choices.join(', ')}`}),
    ...(extra.default === undefined ? (choices[0] === undefined ? {} : {default: choices[0]}) : {default: extra.default}),
    check: async (text) => {
      if (text === '') return undefined;
      if (name === 'sshPort' && !(/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535)) return 'A port is a number from 1 to 65535.';
      if (extra.isPath === true && !(await context.hosts.exists(text))) return `There's no file ${text}.`;
      return checkAnswer(name, extra.isList === true ? [...listOf(text)] : text, given, context);
    },
  };
}
