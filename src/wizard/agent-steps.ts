// Agent mode's questions: hosts, how they are reached, where the API is, the pod network.
import {isIP} from 'node:net';
import {hostAnswer, type Answers} from '../spec/answers.ts';
import {newestVersion, supportedMinors} from '../spec/versions.ts';
import {allHosts, answersOf, entriesOf, listOf, namedHosts} from './answers-of.ts';
import {checkAnswer} from './check-answer.ts';
import type {WizardContext} from './context.ts';
import type {Given, Step} from './flow.ts';
import {nodeNameOf} from './host-facts.ts';
import {lookStep} from './look-step.ts';
import {moreSteps} from './more-steps.ts';
import {profileSteps} from './profile-steps.ts';
import {text} from './text-question.ts';

export function agentSteps(context: WizardContext): readonly Step[] {
  return [
    hostsStep(context, 'controlPlane', 'Which hosts are control planes? (one or three)', 'A cluster has at least one control plane.'),
    hostsStep(context, 'worker', 'Which hosts are workers? (none: the control plane works, too, once its taint is off)', undefined),
    ...moreSteps(context, ['jump', 'sshPort', 'identityFile', 'pods', 'services', 'bundle', 'base']),
    {
      id: 'sshUser',
      next: async (given) => {
        const entries = allHosts(given);
        const names = await Promise.all(entries.map((entry) => context.hosts.loginName(entry, context.answers(given))));
        if (names.every(({isConfigured}) => isConfigured)) return {settled: {sshUser: null}};
        return text(context, given, 'sshUser', 'Which login name do the hosts know?', {default: names[0]?.user});
      },
    },
    lookStep(context),
    {
      id: 'distribution',
      // whoever looked at simulated hosts is in the sandbox; anywhere else there's one way only
      next: async (given) => ({settled: {distribution: isSimulated(given, context) ? 'simulated' : null}}),
    },
    {
      id: 'endpoint',
      next: async (given) => {
        const known = await defaultEndpoint(given, context);
        return text(context, given, 'endpoint', 'Where is the Kubernetes API reached? (HOST or HOST:PORT)', {
          default: known,
          ...(known === undefined
            ? {
                note: 'With several control planes that is a load balancer, or a DNS name, in front of them; or a free address that they serve themselves (then write type: vip beside it in the file).',
              }
            : {}),
          required: 'Nodes and people need to know where the API is.',
        });
      },
    },
    {
      id: 'kubernetesVersion',
      next: async (given) =>
        text(context, given, 'kubernetesVersion', `Which version of Kubernetes? (${supportedMinors.join(', ')})`, {default: newestVersion}),
    },
    ...profileSteps(context, {isNeeded: (given) => !isSimulated(given, context)}),
  ];
}

const typed = 'other';

/** Hosts that ssh_config knows are chosen, others typed. */
function hostsStep(context: WizardContext, id: 'controlPlane' | 'worker', message: string, required: string | undefined): Step {
  const check = (given: Given) => (entries: readonly string[]) =>
    entries.length === 0 ? required : checkAnswer(id, id === 'worker' ? [...entries] : [...entries], given, context);
  return {
    id,
    next: async (given) => {
      const used = new Set(id === 'worker' ? entriesOf(given['controlPlane']) : []);
      const known = (await context.hosts.sshHosts(context.answers(given).sshConfig)).filter((name) => !used.has(name));
      if (known.length > 0 && given[`${id}.${typed}`] !== true)
        return {
          kind: 'many',
          id,
          message,
          choices: [...known.map((name) => ({value: name, name})), {value: typed, name: 'others, which I type'}],
          check: (chosen) => (chosen.includes(typed) ? undefined : check(given)(chosen)),
        };
      return {
        kind: 'text',
        id,
        message,
        note: 'Hosts are apart by spaces, each ADDRESS or NAME=ADDRESS; in full NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS].',
        check: (answer) => check(given)([...chosenBefore(given, id), ...listOf(answer)]),
      };
    },
    take: async (question, answer, given) => {
      if (question.kind === 'many') {
        const chosen = (answer as readonly string[]).filter((one) => one !== typed);
        if ((answer as readonly string[]).includes(typed)) return {...given, [`${id}.${typed}`]: true, [`${id}.chosen`]: chosen};
        return {...given, [id]: chosen.length === 0 ? null : chosen};
      }
      const entries = [...chosenBefore(given, id), ...listOf(answer as string)];
      return {...given, [id]: entries.length === 0 ? null : entries};
    },
  };
}

const chosenBefore = (given: Given, id: string) => entriesOf(given[`${id}.chosen`]);

function isSimulated(given: Given, context: WizardContext): boolean {
  const hosts = allHosts(given).map((entry) => context.hosts.seen(entry));
  return given['distribution'] === 'simulated' || (hosts.length > 0 && hosts.every((facts) => facts?.simulated === true));
}

/** Names for hosts that were typed without one: their own, where they were seen. */
export function namesFromHosts(given: Given, context: WizardContext): ReadonlyMap<string, string> {
  return new Map(
    allHosts(given)
      .filter((entry) => !entry.includes('='))
      .flatMap((entry) => {
        const isName = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(entry) && isIP(entry) === 0;
        const facts = context.hosts.seen(entry);
        const name = isName ? entry : facts === undefined ? undefined : nodeNameOf(facts);
        return name === undefined ? [] : [[entry, name] as const];
      }),
  );
}

/** With a single control plane its own address; a simulated cluster is served on loopback. */
async function defaultEndpoint(given: Given, context: WizardContext): Promise<string | undefined> {
  if (isSimulated(given, context)) return `127.0.0.1:${await context.hosts.freePort()}`;
  const [entry, ...others] = entriesOf(given['controlPlane']);
  if (entry === undefined || others.length > 0) return undefined;
  const named = namedHosts({controlPlane: [entry]}, new Map()).controlPlane?.[0];
  const host = named === undefined ? undefined : hostAnswer(named);
  if (host?.nodeAddress !== undefined) return host.nodeAddress;
  if (host !== undefined && isIP(host.address) !== 0) return host.address;
  return context.hosts.seen(entry)?.defaultRoute?.address ?? host?.address;
}

export function agentAnswers(given: Given, context: WizardContext): Answers {
  return answersOf(given, namesFromHosts(given, context));
}
