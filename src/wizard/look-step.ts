// The first connection to the hosts: their keys, login, sudo, and what they are. What stands in the way is asked at once.
import type {Choice, Question} from '../prompts/question.ts';
import {hostText, type Answers} from '../spec/answers.ts';
import {allHosts} from './answers-of.ts';
import type {SeenKeys, WizardContext} from './context.ts';
import {plainAnswer, type Given, type Step} from './flow.ts';
import {describeFacts, type Look} from './host-facts.ts';

type Failed = Extract<Look, {problem: unknown}>;

/** Settled once every host was seen, or the person goes on without. */
export function lookStep(context: WizardContext): Step {
  /** What the person was shown: exactly that is recorded, not what a host shows a moment later. */
  let shown: readonly SeenKeys[] = [];
  return {
    id: 'look',
    next: async (given) => {
      const pending = pendingQuestion(given, context);
      if (pending !== undefined) return pending;
      const entries = allHosts(given);
      context.say(`Looking at ${entries.join(', ')}${context.ascii ? '...' : '…'}`);
      const look = () => context.hosts.look(entries, context.answers(given), {askSudo: given['sudo'] === 'ask'});
      let looks = await look();
      let failed = looks.filter(isFailed);
      shown = failed.some(({problem}) => problem.code === 'host.key-unknown') ? await context.unknownKeys(failed) : [];
      if (context.trustAll && shown.length > 0) {
        await record(shown, context);
        looks = await look();
        failed = looks.filter(isFailed);
        shown = [];
      }
      if (failed.length === 0) {
        for (const seen of looks) if ('facts' in seen) context.say(`  ${seen.entry}: ${describeFacts(seen.facts)}`);
        // from here on they have names: what gave them isn't kept
        const {controlPlane = [], worker = []} = context.answers(given);
        return {settled: {look: 'seen', controlPlane: controlPlane.map(hostWord), worker: worker.length === 0 ? null : worker.map(hostWord)}};
      }
      return keyQuestion(shown) ?? sudoQuestion(failed, given) ?? trouble(failed);
    },
    take: async (question, answer, given) => {
      switch (question.id) {
        case 'trust':
          if (answer !== true) return {...given, look: 'skipped'};
          await record(shown, context);
          return given;
        case 'sudo':
          if (answer === 'again') return given;
          return answer === 'ask'
            ? {...given, sudo: 'ask', sudoPasswordEnv: null, sudoPasswordFile: null}
            : {...given, sudo: null, pending: `sudoPassword${answer === 'env' ? 'Env' : 'File'}`};
        case 'sudoPasswordEnv':
        case 'sudoPasswordFile':
          return {...given, sudoPasswordEnv: null, sudoPasswordFile: null, pending: null, [question.id]: plainAnswer(answer)};
        case 'trouble':
          if (answer === 'again') return given;
          if (answer === 'skip') return {...given, look: 'skipped'};
          return {...given, pending: answer as string};
        default:
          return {...given, pending: null, [question.id]: plainAnswer(answer)};
      }
    },
  };
}

const hostWord = (host: NonNullable<Answers['worker']>[number]) => (typeof host === 'string' ? host : hostText(host));

const isFailed = (look: Look): look is Failed => 'problem' in look;

async function record(keys: readonly SeenKeys[], context: WizardContext): Promise<void> {
  for (const seen of keys) {
    for (const line of seen.lines) context.say(`  recorded: ${line}`);
    await seen.record();
  }
}

/** What a choice led to: the name of a variable, a file, a key, a login name. */
function pendingQuestion(given: Given, context: WizardContext): Question | undefined {
  switch (given['pending']) {
    case 'sudoPasswordEnv':
      return {
        kind: 'text',
        id: 'sudoPasswordEnv',
        message: 'Which environment variable holds the password?',
        check: (name) =>
          !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || (context.env[name] ?? '') === ''
            ? 'The environment has no variable of this name. It is the name that is asked, not the password.'
            : undefined,
      };
    case 'sudoPasswordFile':
      return {
        kind: 'text',
        id: 'sudoPasswordFile',
        message: 'Which file holds the password?',
        check: async (path) =>
          path !== '' && (await context.hosts.exists(path)) ? undefined : "There's no such file. It is the file's path that is asked, not the password.",
      };
    case 'identityFile':
      return {
        kind: 'text',
        id: 'identityFile',
        message: 'Which private key opens the hosts?',
        check: async (path) => (path === '' || (await context.hosts.exists(path)) ? undefined : `There's no file ${path}.`),
      };
    case 'sshUser':
      return {
        kind: 'text',
        id: 'sshUser',
        message: 'Which login name do the hosts know?',
        check: (name) => (/\s/.test(name) ? 'A login name has no spaces.' : undefined),
      };
    default:
      return undefined;
  }
}

function keyQuestion(keys: readonly SeenKeys[]): Question | undefined {
  if (keys.length === 0) return undefined;
  return {
    kind: 'yes',
    id: 'trust',
    message: `Trust ${keys.length === 1 ? 'this host' : 'these hosts'} and record the keys?`,
    note: [
      `${keys.length === 1 ? 'The key of this host is' : 'The keys of these hosts are'} not in known_hosts:`,
      ...keys.flatMap(({lines}) => lines.map((line) => `  ${line}`)),
      "Compare with the host's own: ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub",
    ].join('\n'),
    default: false,
  };
}

function sudoQuestion(failed: readonly Failed[], given: Given): Question | undefined {
  const wrong = failed.find(({problem}) => problem.code === 'host.sudo-password-wrong');
  const required = failed.filter(({problem}) => problem.code === 'host.sudo-password-required');
  if (wrong === undefined && required.length === 0) return undefined;
  const had = typeof given['sudoPasswordEnv'] === 'string' || typeof given['sudoPasswordFile'] === 'string';
  return {
    kind: 'choice',
    id: 'sudo',
    message: "Where does sudo's password come from?",
    note:
      wrong === undefined
        ? `sudo wants a password on ${required.map(({entry}) => entry).join(', ')}. It is never written into the file.`
        : wrong.problem.message,
    choices: [
      {value: 'file', name: 'from a file'},
      {value: 'env', name: 'from an environment variable'},
      {value: 'ask', name: 'it is asked for at every run'},
      ...(had ? [{value: 'again', name: 'try again'}] : []),
    ],
  };
}

function trouble(failed: readonly Failed[]): Question {
  const login = failed.some(({problem}) => problem.code === 'host.authentication-failed' || problem.code === 'host.passphrase-required');
  const choices: readonly Choice[] = [
    {value: 'again', name: 'try again'},
    ...(login
      ? [
          {value: 'sshUser', name: 'use another login name'},
          {value: 'identityFile', name: 'use another private key'},
        ]
      : []),
    {value: 'skip', name: 'go on without looking at the hosts'},
  ];
  return {
    kind: 'choice',
    id: 'trouble',
    message: 'What now?',
    note: failed.map(({entry, problem}) => [`${entry}: ${problem.message}`, ...problem.hints.map((hint) => `    ${hint}`)].join('\n')).join('\n'),
    choices,
  };
}
