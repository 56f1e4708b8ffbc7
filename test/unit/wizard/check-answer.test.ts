// Wrong answers of every type are refused at once, in the words of the file's own rules; right ones pass.
import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Question} from '../../../src/prompts/question.ts';
import {shellWord} from '../../../src/wizard/answers-of.ts';
import {checkAnswer} from '../../../src/wizard/check-answer.ts';
import type {Given, GivenValue} from '../../../src/wizard/flow.ts';
import {forgetSession, readSession, saveSession} from '../../../src/wizard/session.ts';
import {wizardSteps} from '../../../src/wizard/steps.ts';
import {worldContext} from './world.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-wizard-'));
  await writeFile(join(folder, 'token'), 'a-secret\n');
  await writeFile(
    join(folder, 'profile.yaml'),
    'apiVersion: trireme.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: p}\nspec:\n  variables:\n    region: {required: true}\n    token: {required: true, masked: true}\n    hidden: {hidden: true}\n',
  );
});
afterAll(() => rm(folder, {recursive: true}));

const agent: Given = {mode: 'agent', name: 'berth', controlPlane: ['h1=10.0.0.11']};
const controller: Given = {mode: 'controller', name: 'berth', class: 'quick'};

const wrong: readonly (readonly [id: string, value: GivenValue, given: Given, complaint: RegExp])[] = [
  ['name', 'Not A Name', {mode: 'agent'}, /lower-case letters/],
  ['mode', 'appliance', {}, /not in this version/],
  ['controlPlane', ['h1=10.0.0.11', 'h2=10.0.0.12'], {mode: 'agent'}, /Two control planes are worse than one/],
  ['controlPlane', ['h1=10.0.0.11:99999'], {mode: 'agent'}, /65535/],
  ['controlPlane', ['=10.0.0.11'], {mode: 'agent'}, /no host/],
  ['controlPlane', ['h1=10.0.0.11/not-an-address'], {mode: 'agent'}, /IP address/],
  ['worker', ['h1=10.0.0.12'], agent, /Two hosts have the name h1/],
  ['worker', ['h2=10.0.0.11'], agent, /has the address of h1/],
  ['endpoint', 'api.example:0', agent, /port/],
  ['kubernetesVersion', '1.36', agent, /written with a v and three numbers/],
  ['kubernetesVersion', 'v1.20.0', agent, /can't be set up by this version/],
  ['pods', ['10.244.0.0/99'], agent, /10\.244\.0\.0\/99/],
  ['services', ['10.244.0.0/16'], agent, /overlap/],
  ['jump', ['bad host:x'], agent, /no jump host/],
  ['distribution', 'simulated', agent, /only in the sandbox/],
  ['controlPlanes', '2', controller, /odd number/],
  ['pool', ['workers'], controller, /no pool/],
  ['pool', ['a=c:1', 'a=c:2'], controller, /Two pools have the name a/],
  ['pool', ['a=c:5-2'], controller, /at least 5 and at most 2/],
  ['sshUser', 'ops', controller, /agent mode/],
];

const right: readonly (readonly [id: string, value: GivenValue, given: Given])[] = [
  ['name', 'berth', {}],
  ['controlPlane', ['10.0.0.11'], {mode: 'agent'}],
  ['controlPlane', ['h1=ops@gate.example:2222/10.0.0.11'], {mode: 'agent'}],
  ['controlPlane', ['h1=[fd00::1]:22', 'h2=fd00::2', 'h3=h3.example'], {mode: 'agent'}],
  ['worker', ['h2=10.0.0.12'], agent],
  ['endpoint', 'api.example:443', agent],
  ['kubernetesVersion', 'v1.35.4', agent],
  ['pods', ['10.20.0.0/16'], agent],
  ['controlPlanes', '3', controller],
  ['pool', ['a=c:1-5'], controller],
];

describe('an answer', () => {
  it.each(wrong.map(([id, value, given, complaint]) => [`${id} ${JSON.stringify(value)}`, id, value, given, complaint] as const))(
    '%s is refused',
    async (_name, id, value, given, complaint) => {
      expect(await checkAnswer(id, value, given, {folder, env: {}})).toMatch(complaint);
    },
  );

  it.each(right.map(([id, value, given]) => [`${id} ${JSON.stringify(value)}`, id, value, given] as const))('%s fits', async (_name, id, value, given) => {
    expect(await checkAnswer(id, value, given, {folder, env: {}})).toBeUndefined();
  });

  it('is blamed only for what it makes wrong itself', async () => {
    expect(await checkAnswer('worker', ['h2=10.0.0.12'], {...agent, kubernetesVersion: 'nonsense'}, {folder, env: {}})).toBeUndefined();
  });
});

describe('questions that the file has no rule for', () => {
  const question = async (id: string, given: Given, world: Parameters<typeof worldContext>[0] = {}): Promise<Question> => {
    const context = worldContext({folder, ...world});
    const step = wizardSteps(context, 'trireme.yaml')(given).find((one) => one.id === id);
    const next = await step?.next(given);
    if (next === undefined || 'settled' in next) throw new Error(`${id} isn't asked`);
    return next;
  };
  const complaint = async (asked: Question, answer: string) => (asked.kind === 'text' ? await asked.check?.(answer) : undefined);

  it('a password is never taken for the name of its variable, or of its file', async () => {
    const given: Given = {...agent, pending: 'sudoPasswordEnv'};
    expect(await complaint(await question('look', given, {env: {SUDO: 'x'}}), 'hunter2')).toMatch(/not the password/);
    expect(await complaint(await question('look', given, {env: {SUDO: 'x'}}), 'SUDO')).toBeUndefined();
    expect(await complaint(await question('look', {...agent, pending: 'sudoPasswordFile'}), 'hunter2')).toMatch(/not the password/);
  });

  it('a port is a number, a key is there', async () => {
    expect(await complaint(await question('sshPort', {...agent, more: ['sshPort']}), 'ssh')).toMatch(/1 to 65535/);
    expect(await complaint(await question('sshPort', {...agent, more: ['sshPort']}), '2222')).toBeUndefined();
    expect(await complaint(await question('identityFile', {...agent, more: ['identityFile']}), 'nowhere')).toMatch(/no file nowhere/);
  });

  it('a profile is there, and its secrets come from somewhere else', async () => {
    const world = {files: ['profile.yaml', 'token']};
    const asked = await question('cni', {...agent, wantsProfile: true}, world);
    expect(await complaint(asked, 'none.yaml')).toMatch(/no such file/);
    expect(await complaint(asked, 'profile.yaml')).toBeUndefined();
    const region = await question('profileVariables', {...agent, cni: null, profile: 'profile.yaml'}, world);
    expect([region.id, await complaint(region, '')]).toEqual(['profileVariable.region', expect.stringMatching(/value is needed/)]);
    const token = await question('profileVariables', {...agent, cni: null, profile: 'profile.yaml', 'profileVariable.region': 'eu'}, world);
    expect(await complaint(token, 'hunter2')).toMatch(/not the secret/);
    expect(await complaint(token, 'file:token')).toBeUndefined();
  });

  it('a file that is there is left alone, and another one asked for', async () => {
    const context = {...worldContext({folder}), fileIsThere: async (file: string) => file === 'trireme.yaml'};
    const step = wizardSteps(context, 'trireme.yaml')({})[0];
    const next = await step?.next({});
    expect(next).toMatchObject({id: 'file', note: expect.stringContaining('left as it is') as string});
    expect(await complaint(next as Question, 'trireme.yaml')).toMatch(/is there already/);
    expect(await complaint(next as Question, 'other.yaml')).toBeUndefined();
    expect(await wizardSteps(context, 'new.yaml')({})[0]?.next({})).toEqual({settled: {file: 'new.yaml'}});
  });

  it('a class has the workers that are named', async () => {
    const world = {contexts: ['one'], classes: [{name: 'quick', workers: ['fast'], variables: [], kubernetesVersions: []}]};
    const pools = await question('pool', controller, world);
    expect(await complaint(pools, 'a=slow:1')).toMatch(/no workers slow; it has fast/);
    expect(await complaint(pools, 'a=fast:1')).toBeUndefined();
    expect(await complaint(await question('controlPlanes', controller, world), 'three')).toMatch(/whole number/);
  });
});

describe('kept answers', () => {
  it('are for their person only, one set for each file, and forgotten in the end', async () => {
    const state = join(folder, 'state');
    await saveSession(state, '/a/trireme.yaml', {given: {name: 'berth', worker: null}, trail: [{}]});
    const session = await readSession(state, '/a/trireme.yaml');
    expect(session?.given).toEqual({name: 'berth', worker: null});
    expect(await readSession(state, '/b/trireme.yaml')).toBeUndefined();
    const [name] = await (await import('node:fs/promises')).readdir(join(state, 'init'));
    expect((await stat(join(state, 'init', name ?? ''))).mode & 0o777).toBe(0o600);
    expect((await stat(join(state, 'init'))).mode & 0o777).toBe(0o700);
    await forgetSession(state, '/a/trireme.yaml');
    expect(await readSession(state, '/a/trireme.yaml')).toBeUndefined();
  });

  it('that are damaged are named with what to do', async () => {
    const state = join(folder, 'damaged');
    await saveSession(state, '/a/trireme.yaml', {given: {}, trail: []});
    const [name = ''] = await (await import('node:fs/promises')).readdir(join(state, 'init'));
    await writeFile(join(state, 'init', name), '{"format":1');
    await expect(readSession(state, '/a/trireme.yaml')).rejects.toThrow(/damaged/);
    expect(await readFile(join(state, 'init', name), 'utf8')).toBe('{"format":1');
  });
});

it.each([
  ['plain', 'plain'],
  ['h1=ops@gate:22/10.0.0.1', 'h1=ops@gate:22/10.0.0.1'],
  ["it's", String.raw`'it'\''s'`],
  ['keys=[a, b]', "'keys=[a, b]'"],
  ['$HOME', "'$HOME'"],
])('quotes %s for a shell as %s', (word, quoted) => {
  expect(shellWord(word)).toBe(quoted);
});
