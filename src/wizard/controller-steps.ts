// Controller mode's questions: the management cluster, the class, its typed variables, how many machines.
import type {Question} from '../prompts/question.ts';
import {newestVersion} from '../spec/versions.ts';
import {entriesOf, listOf, variablePrefix} from './answers-of.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import type {Given, Step} from './flow.ts';
import type {ClassFact, VariableFact} from './management-facts.ts';
import {moreSteps} from './more-steps.ts';
import {profileSteps} from './profile-steps.ts';
import {text} from './text-question.ts';

export function controllerSteps(context: WizardContext): readonly Step[] {
  return [
    {id: 'kubeconfig', next: (given) => askKubeconfig(context, given)},
    {id: 'context', next: (given) => askContext(context, given)},
    ...moreSteps(context, ['namespace', 'pods', 'services']),
    {
      id: 'class',
      next: (given) => askClass(context, given),
      take: async (question, answer, given) => (question.id === 'class' && answer !== again ? {...given, class: answer as string} : given),
    },
    {
      id: 'controlPlanes',
      next: async (given) => ({
        kind: 'text',
        id: 'controlPlanes',
        message: 'How many control planes? (an odd number)',
        default: '1',
        check: (answer) => (/^\d{1,3}$/.test(answer) ? checkAnswer('controlPlanes', answer, given, context) : 'A whole number is needed: 1, 3 or 5.'),
      }),
    },
    {
      id: 'pool',
      next: (given) => askPools(context, given),
      take: async (_question, answer, given) => ({...given, pool: listOf(answer as string).length === 0 ? null : [...listOf(answer as string)]}),
    },
    {
      id: 'kubernetesVersion',
      next: async (given) => {
        const versions = (await classOf(context, given))?.kubernetesVersions ?? [];
        if (versions.length === 0) return text(context, given, 'kubernetesVersion', 'Which version of Kubernetes?', {default: newestVersion});
        return {
          kind: 'choice',
          id: 'kubernetesVersion',
          message: 'Which version of Kubernetes? (the class has these)',
          choices: versions.toReversed().map((version) => ({value: version, name: version})),
        };
      },
    },
    {id: 'variables', next: (given) => askVariables(context, given), take: takeVariable(context)},
    ...profileSteps(context, {isNeeded: () => false}),
  ];
}

async function askKubeconfig(context: WizardContext, given: Given): ReturnType<Step['next']> {
  if ((await context.management.contexts(undefined)).length > 0) return {settled: {kubeconfig: null}};
  return {
    kind: 'text',
    id: 'kubeconfig',
    message: "Where is the management cluster's kubeconfig?",
    note: 'kubectl has no kubeconfig here. A management cluster is any Kubernetes cluster with Cluster API in it; trireme provider init brings that.',
    check: async (path) =>
      path === ''
        ? 'Controller mode needs a management cluster.'
        : (await context.management.contexts(path)).length === 0
          ? `${path} is no kubeconfig with a context.`
          : checkAnswer('kubeconfig', path, given, context),
  };
}

async function askContext(context: WizardContext, given: Given): ReturnType<Step['next']> {
  const contexts = await context.management.contexts(context.answers(given).kubeconfig);
  const [only, ...others] = contexts;
  if (only === undefined) return {settled: {context: null}};
  if (others.length === 0) return {settled: {context: only.name}};
  const current = contexts.find(({isCurrent}) => isCurrent)?.name;
  return {
    kind: 'choice',
    id: 'context',
    message: 'Which context is the management cluster?',
    choices: contexts.map(({name, isCurrent}) => ({value: name, name: isCurrent ? `${name} (the current one)` : name})),
    ...(current === undefined ? {} : {default: current}),
  };
}

const again = '';

async function askClass(context: WizardContext, given: Given): Promise<Question | {readonly settled: Given}> {
  if (typeof given['template'] === 'string') return {settled: {class: null}};
  const classes = await context.management.classes(context.answers(given));
  if ('code' in classes) {
    return {
      kind: 'text',
      id: 'class',
      message: 'Of which ClusterClass is it? (empty: look again)',
      note: [`The classes can't be read: ${classes.message}`, ...classes.hints.map((hint) => `  ${hint}`)].join('\n'),
    };
  }
  const namespace = context.answers(given).namespace ?? 'default';
  if (classes.length === 0)
    return {
      kind: 'text',
      id: 'class',
      message: 'Of which ClusterClass is it? (empty: look again)',
      note: `The namespace ${namespace} has no ClusterClass yet. Providers bring one: look for theirs, and apply it with kubectl.`,
    };
  return {
    kind: 'choice',
    id: 'class',
    message: 'Of which ClusterClass is it?',
    choices: classes.map(({name, workers}) => ({value: name, name, description: `workers: ${workers.join(', ') || 'none'}`})),
  };
}

async function classOf(context: WizardContext, given: Given): Promise<ClassFact | undefined> {
  const name = given['class'];
  if (typeof name !== 'string') return undefined;
  const classes = await context.management.classes(context.answers(given));
  return 'code' in classes ? undefined : classes.find((one) => one.name === name);
}

async function askPools(context: WizardContext, given: Given): Promise<Question> {
  const workers = (await classOf(context, given))?.workers ?? [];
  const [first] = workers;
  return {
    kind: 'text',
    id: 'pool',
    message: 'Which pools of workers? (NAME=CLASS:REPLICAS, apart by spaces)',
    ...(first === undefined ? {} : {default: `workers=${first}:1`, note: `Worker classes of ${String(given['class'])}: ${workers.join(', ')}`}),
    check: async (answer) => {
      const pools = listOf(answer);
      const complaint = await checkAnswer('pool', [...pools], given, context);
      if (complaint !== undefined || workers.length === 0) return complaint;
      const strange = pools.map((pool) => /=([^=:]+)/.exec(pool)?.[1] ?? '').find((name) => !workers.includes(name));
      return strange === undefined ? undefined : `The class has no workers ${strange}; it has ${workers.join(', ')}.`;
    },
  };
}

/** Required variables one by one; the others only when somebody wants to set them. */
async function askVariables(context: WizardContext, given: Given): Promise<Question | {readonly settled: Given}> {
  const variables = (await classOf(context, given))?.variables ?? [];
  const set = new Set(entriesOf(given['variable']).map((one) => one.split('=')[0]));
  const isOpen = ({name}: VariableFact) => !set.has(name) && given[`${variablePrefix}${name}`] === undefined;
  const wanted = entriesOf(given['moreVariables']);
  const next = variables.find((variable) => isOpen(variable) && (variable.required || wanted.includes(variable.name)));
  if (next !== undefined) return variableQuestion(next, (value) => checkAnswer(`${variablePrefix}${next.name}`, next.written(value), given, context));
  const optional = variables.filter((variable) => isOpen(variable) && !variable.required);
  if (optional.length === 0 || given['moreVariables'] !== undefined) return {settled: {variables: null}};
  return {
    kind: 'many',
    id: 'moreVariables',
    message: "Set any of the class's variables? (none: their defaults)",
    choices: optional.map((variable) => ({value: variable.name, name: variable.name, description: describe(variable)})),
  };
}

function takeVariable(context: WizardContext): NonNullable<Step['take']> {
  return async (question, answer, given) => {
    if (question.id === 'moreVariables') return {...given, moreVariables: (answer as readonly string[]).length === 0 ? null : (answer as readonly string[])};
    const name = question.id.slice(variablePrefix.length);
    const variable = (await classOf(context, given))?.variables.find((one) => one.name === name);
    return {...given, [question.id]: variable === undefined ? (answer as string) : variable.written(answer as string)};
  };
}

function describe({type, description, default: value}: VariableFact): string {
  const parts = [type, ...(value === undefined ? [] : [`now ${typeof value === 'string' ? value : JSON.stringify(value)}`]), description];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** `inFile`: what the file's own rules say of it, such as that a secret doesn't belong there. */
function variableQuestion(variable: VariableFact, inFile: (answer: string) => Promise<string | undefined>): Question {
  const {name, description, choices, type, check} = variable;
  const value = variable.default;
  const known = value === undefined ? undefined : typeof value === 'string' ? value : JSON.stringify(value);
  const message = `${name}?${description === undefined ? '' : ` ${description}`}`;
  if (choices !== undefined)
    return {
      kind: 'choice',
      id: `${variablePrefix}${name}`,
      message,
      choices: choices.map((choice) => ({value: choice, name: choice})),
      ...(known === undefined ? {} : {default: known}),
    };
  return {
    kind: 'text',
    id: `${variablePrefix}${name}`,
    message: type === undefined ? message : `${message} (${type})`,
    ...(known === undefined ? {} : {default: known}),
    check: async (answer) => (answer === '' ? 'A value is needed.' : (check(answer) ?? (await inFile(answer)))),
  };
}
