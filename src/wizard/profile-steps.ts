// The layers that go onto the cluster: a pod network that we write, a profile of the person's own with its variables, or none.
import {readFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {parse} from 'yaml';
import {kinds, type ProfileDocument, type ProfileVariable} from '../spec/schema.ts';
import {valueProblem} from '../spec/variables.ts';
import {profileVariablePrefix} from './answers-of.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import {plainAnswer, type Given, type Step} from './flow.ts';

export interface ProfileOptions {
  /** Whether nodes stay NotReady without a pod network of ours. */
  isNeeded(given: Given): boolean;
}

export function profileSteps(context: WizardContext, {isNeeded}: ProfileOptions): readonly Step[] {
  return [
    {
      id: 'cni',
      next: async (given): ReturnType<Step['next']> => {
        if (typeof given['profile'] === 'string') return {settled: {cni: null}};
        if (!isNeeded(given)) return {settled: {cni: null, profile: null}};
        if (given['wantsProfile'] === true) return profileQuestion(context, given);
        return {
          kind: 'choice',
          id: 'cni',
          message: 'Which network do the pods get?',
          choices: [
            {value: 'flannel', name: 'flannel: written beside the file, as flannel/'},
            {value: 'own', name: 'the one of a profile that I have'},
            {value: 'none', name: 'none now: nodes stay NotReady until there is one'},
          ],
        };
      },
      take: async (question, answer, given) => {
        if (question.id === 'profile') return {...given, profile: plainAnswer(answer), cni: null};
        return answer === 'own' ? {...given, wantsProfile: true} : {...given, cni: answer as string, profile: null};
      },
    },
    {id: 'profileVariables', next: (given) => nextVariable(context, given)},
  ];
}

function profileQuestion(context: WizardContext, given: Given) {
  return {
    kind: 'text' as const,
    id: 'profile',
    message: 'Which file holds the profile?',
    check: async (path: string) => {
      if (path === '' || !(await context.hosts.exists(resolve(context.folder, path)))) return "There's no such file; paths are relative to the cluster's file.";
      // what the profile wants of its variables is asked next
      const complaint = await checkAnswer('profile', path, given, context);
      const profile = await readProfile(context.folder, path);
      return profile === undefined || !/needs the variable/.test(complaint ?? '') ? complaint : undefined;
    },
  };
}

/** One question for each variable without a value that the profile needs; hidden and read-only ones are left out. */
async function nextVariable(context: WizardContext, given: Given): ReturnType<Step['next']> {
  const {profile: path} = given;
  const profile = typeof path === 'string' ? await readProfile(context.folder, path) : undefined;
  const set = new Set((context.answers(given).profileVariable ?? []).map((one) => one.split('=')[0]));
  const open = Object.entries(profile?.spec.variables ?? {}).find(
    ([name, variable]) =>
      variable.required &&
      variable.default === undefined &&
      !variable.hidden &&
      !variable.readOnly &&
      !set.has(name) &&
      given[`${profileVariablePrefix}${name}`] === undefined,
  );
  if (open === undefined) return {settled: {profileVariables: null}};
  const [name, variable] = open;
  const describe = variable.description === undefined ? '' : ` (${variable.description})`;
  return {
    kind: 'text',
    id: `${profileVariablePrefix}${name}`,
    message: variable.masked ? `Where does the secret ${name} come from?${describe}` : `What is ${name}?${describe}`,
    ...(variable.masked ? {note: 'A secret is never written into the file: write env:VARIABLE or file:PATH.'} : {}),
    check: async (text) =>
      (variable.masked ? await sourceProblem(text, context) : variableProblem(text, variable)) ??
      checkAnswer(`${profileVariablePrefix}${name}`, text, given, context),
  };
}

async function sourceProblem(text: string, context: WizardContext): Promise<string | undefined> {
  const [, kind, name = ''] = /^(env|file):(.+)$/.exec(text) ?? [];
  if (kind === undefined) return 'Write env:VARIABLE or file:PATH, not the secret.';
  const isThere = kind === 'env' ? (context.env[name] ?? '') !== '' : await context.hosts.exists(resolve(context.folder, name));
  return isThere ? undefined : `There's no ${kind === 'env' ? 'environment variable' : 'file'} ${name}.`;
}

function variableProblem(text: string, variable: ProfileVariable): string | undefined {
  if (text === '') return 'It has no default: a value is needed.';
  const problem = valueProblem(parse(text) as string, variable);
  return problem === undefined ? undefined : `It ${problem}.`;
}

async function readProfile(folder: string, path: string): Promise<ProfileDocument | undefined> {
  try {
    return kinds.ClusterProfile.parse(parse(await readFile(resolve(folder, path), 'utf8')));
  } catch {
    return undefined;
  }
}
