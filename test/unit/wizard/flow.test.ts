// The walk of questions: what is asked, back, leaving and going on, and the answers at its end.
import {describe, expect, it} from 'vitest';
import {textOfAnswers} from '../../../src/spec/answers-file.ts';
import {agentAnswers} from '../../../src/wizard/agent-steps.ts';
import {flagsOf} from '../../../src/wizard/answers-of.ts';
import type {Walk} from '../../../src/wizard/flow.ts';
import {lookStep} from '../../../src/wizard/look-step.ts';
import {Left, play, type Script, type World, worldContext} from './world.ts';

const typedHosts: World = {unknownKeys: ['10.0.0.11', '10.0.0.12'], sudoPassword: true, env: {SUDO: 'x'}};
const typed: Script = {
  mode: 'agent',
  controlPlane: '10.0.0.11',
  worker: '10.0.0.12',
  trust: true,
  sudo: 'env',
  sudoPasswordEnv: 'SUDO',
  more: ['pods', 'jump'],
  pods: '10.20.0.0/16',
  jump: 'gate.example',
};
const management: World = {
  contexts: ['prod', 'lab'],
  classes: [
    {
      name: 'quick',
      workers: ['default-worker'],
      kubernetesVersions: ['v1.35.4', 'v1.36.3'],
      variables: [
        {
          name: 'region',
          description: 'Where.',
          required: true,
          type: 'text',
          default: undefined,
          choices: undefined,
          check: () => undefined,
          written: (text) => text,
        },
        {
          name: 'size',
          description: undefined,
          required: false,
          type: 'text',
          default: 'small',
          choices: ['small', 'large'],
          check: () => undefined,
          written: (text) => text,
        },
      ],
    },
  ],
};
const controlled: Script = {
  mode: 'controller',
  'variable.region': 'eu-central-1',
  moreVariables: ['size'],
  'variable.size': 'large',
  controlPlanes: '3',
  pool: 'workers=default-worker:2',
};
const advised: Script = {
  ...controlled,
  // whoever asks for advice takes the mode that is recommended
  mode: (question) => (question.kind === 'choice' && question.choices.some(({value}) => value === 'advice') ? 'advice' : 'controller'),
  'advice.machines': 'api',
  'advice.credentials': 'yes',
};
const paths = [
  ['agent', typedHosts, typed],
  ['agent by ssh_config', {sshHosts: ['cp1', 'w1'], simulated: true, env: {TRIREME_SANDBOX: '1'}}, {mode: 'agent', controlPlane: ['cp1'], worker: ['w1']}],
  ['controller', management, controlled],
  ['by the advisor', management, advised],
] as const satisfies readonly (readonly [string, World, Script])[];

describe('a walk', () => {
  it('asks for hosts, trusts their keys, finds out about sudo, and names the hosts as they name themselves', async () => {
    const {walk, context, asked} = await play(typedHosts, typed);
    expect(asked).toEqual([
      ...['mode', 'name', 'controlPlane', 'worker', 'more', 'jump', 'pods', 'sshUser', 'trust', 'sudo', 'sudoPasswordEnv'],
      ...['endpoint', 'kubernetesVersion', 'cni'],
    ]);
    expect(agentAnswers(walk.given, context)).toMatchObject({
      name: 'berth',
      controlPlane: ['host-10-0-0-11=10.0.0.11'],
      worker: ['host-10-0-0-12=10.0.0.12'],
      endpoint: '10.0.0.11',
      sshUser: 'me',
      sudoPasswordEnv: 'SUDO',
      cni: 'flannel',
      pods: ['10.20.0.0/16'],
      jump: ['gate.example'],
    });
  });

  it('asks little where ssh_config says the rest, and takes simulated hosts for what they are', async () => {
    const [, world, script] = paths[1];
    const {walk, context, asked} = await play(world, script);
    expect(asked).toEqual(['mode', 'name', 'controlPlane', 'worker', 'more', 'endpoint', 'kubernetesVersion']);
    expect(agentAnswers(walk.given, context)).toMatchObject({controlPlane: ['cp1=cp1'], distribution: 'simulated', endpoint: '127.0.0.1:16443'});
  });

  it('asks for the required variables of a class, and for the others that somebody wants to set', async () => {
    const {walk, context, asked} = await play(management, controlled);
    expect(asked).toEqual([
      ...['mode', 'name', 'context', 'more', 'class', 'controlPlanes', 'pool', 'kubernetesVersion'],
      ...['variable.region', 'moreVariables', 'variable.size'],
    ]);
    expect(agentAnswers(walk.given, context)).toMatchObject({
      context: 'prod',
      class: 'quick',
      kubernetesVersion: 'v1.36.3',
      variable: ['region=eu-central-1', 'size=large'],
      controlPlanes: 3,
    });
  });

  it("asks the advisor's questions only of those who don't know their mode, only what settles it, and shows the advice", async () => {
    const {asked, said} = await play(management, advised);
    expect(asked.filter((id) => id.startsWith('advice.'))).toEqual(['advice.machines', 'advice.system', 'advice.boot', 'advice.credentials']);
    expect(asked.filter((id) => id === 'mode')).toHaveLength(2);
    expect(said).toEqual(expect.arrayContaining(['the table', 'the advice']));
    expect((await play(management, controlled)).asked.filter((id) => id.startsWith('advice.'))).toEqual([]);
  });

  it('records the keys that were shown, not those that a host shows a moment later', async () => {
    const given = {mode: 'agent', controlPlane: ['10.9.9.9']};
    const unknown = worldContext({unknownKeys: ['10.9.9.9']});
    const keys: string[] = [];
    let round = 0;
    const own = lookStep({
      ...unknown,
      unknownKeys: async () => {
        round += 1;
        const key = `key ${round}`;
        return [{entry: '10.9.9.9', lines: [key], record: async () => void keys.push(key)}];
      },
    });
    const question = await own.next(given);
    if ('settled' in question) throw new Error('nothing is asked');
    await own.take?.(question, true, given);
    expect([question.note?.includes('key 1'), keys, round]).toEqual([true, ['key 1'], 1]);
  });

  it('asks for another login name and key where the host takes neither', async () => {
    const {asked} = await play({refusesUntil: 'identityFile', files: ['key']}, {...typed, more: [], trouble: 'identityFile', identityFile: 'key'});
    expect(asked).toContain('trouble');
    expect(asked.filter((id) => id === 'identityFile')).toHaveLength(1);
  });

  it.each(paths)('leaves at each question (%s) and goes on to the same answers', async (_name, world, script) => {
    const whole = await play(world, script, {unchecked: true});
    for (let question = 1; question <= whole.asked.length; question += 1) {
      const here = {...world, recorded: new Set<string>()};
      let kept: Walk = {given: {}, trail: []};
      await expect(play(here, script, {unchecked: true, leaveAt: question, save: (walk) => (kept = structuredClone(walk) as Walk)})).rejects.toBeInstanceOf(
        Left,
      );
      const rest = await play(here, script, {unchecked: true, start: kept});
      expect(agentAnswers(rest.walk.given, rest.context)).toEqual(agentAnswers(whole.walk.given, whole.context));
      expect(rest.asked[0]).toBe(whole.asked[question - 1]);
    }
  });

  it.each(paths)('goes back at each question (%s) to the one before, and ends with the same answers', async (_name, world, script) => {
    const whole = await play(world, script, {unchecked: true});
    for (let question = 1; question <= whole.asked.length; question += 1) {
      const again = await play(world, script, {unchecked: true, backAt: question});
      // a key that was recorded isn't asked for again
      const answered = whole.asked.slice(0, question - 1).filter((id) => id !== 'trust');
      expect(again.asked[question]).toBe(answered.at(-1) ?? whole.asked[0]);
      expect(agentAnswers(again.walk.given, again.context)).toEqual(agentAnswers(whole.walk.given, whole.context));
    }
  });

  it('never asks what is given beforehand', async () => {
    const {asked} = await play(typedHosts, typed, {given: {mode: 'agent', name: 'pier', sudoPasswordEnv: 'SUDO', kubernetesVersion: 'v1.35.4'}});
    for (const id of ['mode', 'name', 'sudo', 'kubernetesVersion']) expect(asked).not.toContain(id);
  });

  it.each(paths)('gives flags (%s) that read back as the same answers', async (_name, world, script) => {
    const {walk, context} = await play(world, script, {unchecked: true});
    const answers = agentAnswers(walk.given, context);
    expect(textOfAnswers(answersOfFlags(flagsOf(answers))).text).toBe(textOfAnswers(answers).text);
  });
});

/** As `init` reads them. */
function answersOfFlags(flags: readonly string[]) {
  const answers: Record<string, unknown> = {};
  for (let index = 0; index < flags.length; index += 2) {
    const key = (flags[index] ?? '').slice(2).replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
    const value = flags[index + 1] ?? '';
    if (['controlPlane', 'worker', 'jump', 'pods', 'services', 'pool', 'variable'].includes(key)) answers[key] = [...((answers[key] as string[]) ?? []), value];
    else answers[key] = key === 'controlPlanes' || key === 'sshPort' ? Number(value) : value;
  }
  return answers;
}
