import {Config, Parser} from '@oclif/core';
import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Action, ActionRequest, Answers, ClusterPlace, Subject} from '../../../src/actions/action.ts';
import {argvOf, previewArgv, runArgv} from '../../../src/actions/argv.ts';
import {lineOf} from '../../../src/actions/desk.ts';
import {complaintAbout, offerOf, offersFor, offersForAll, type ModeCapabilities} from '../../../src/actions/offers.ts';
import {environmentOf} from '../../../src/actions/own-program.ts';
import {actions, requireAction} from '../../../src/actions/table.ts';
import {agentMode} from '../../../src/modes/agent/agent-mode.ts';
import {controllerMode} from '../../../src/modes/controller/controller-mode.ts';

const modes: ModeCapabilities = {agent: agentMode.capabilities, controller: controllerMode.capabilities};
const live: ClusterPlace = {name: 'web', mode: 'controller', files: [], kubeconfig: '/k', context: 'prod', namespace: 'fleet'};
const withFile: ClusterPlace = {...live, files: ['/srv/web.yaml']};
const hosts: ClusterPlace = {name: 'berth', mode: 'agent', files: ['/srv/berth.yaml']};

const subjectOf = (action: Action, cluster: ClusterPlace): Subject => {
  switch (action.about) {
    case 'fleet':
      return {about: 'fleet'};
    case 'cluster':
      return {about: 'cluster', cluster};
    case 'machine':
      return {about: 'machine', cluster, machine: 'web-1'};
    case 'run':
      return {about: 'run', run: '20261123-120000-beef', state: 'broken-off', cluster};
  }
};
const answers: Answers = {counts: {'md-0': 5, 'control plane': 3}, to: 'v1.36.3', confirm: 'web', words: ['kubectl', 'get', 'nodes'], force: true};
const requestOf = (id: string, cluster: ClusterPlace, given: Answers = {}): ActionRequest => {
  const action = requireAction(id);
  return {action, subject: subjectOf(action, cluster), answers: given};
};

describe('the table of actions', () => {
  it('has one key and one id an action, among those about the same thing', () => {
    expect(new Set(actions.map((action) => action.id)).size).toBe(actions.length);
    const keys = actions.map((action) => `${action.about} ${action.key}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('names for every verb an intent that a mode knows', () => {
    for (const {verb} of actions) {
      if (verb === undefined) continue;
      const known = [controllerMode.capabilities[verb], agentMode.capabilities[verb]].some((capability) => capability?.supported === true);
      expect([verb, known]).toEqual([verb, true]);
    }
  });

  it('types the name wherever something is taken away for good', () => {
    for (const action of actions)
      expect([action.id, action.inputs.some((input) => input.kind === 'name')]).toEqual([action.id, action.destructive !== undefined]);
  });

  it.each([
    ['cluster scale', 'cluster scale web md-0=5 --control-plane 3 --wait --kubeconfig /k --context prod -n fleet'],
    ['cluster upgrade', 'cluster upgrade web --to v1.36.3 --wait --kubeconfig /k --context prod -n fleet'],
    ['cluster delete', 'cluster delete web --wait --confirm web --kubeconfig /k --context prod -n fleet'],
    ['cluster shell', 'cluster shell web --kubeconfig /k --context prod -n fleet -- kubectl get nodes'],
    ['machine drain', 'machine drain web-1 --drain-timeout 10m --force -c web --kubeconfig /k --context prod -n fleet'],
  ])('builds the command line of %s', (id, line) => {
    const words = line.split(' ');
    const built = argvOf(requestOf(id, live, answers));
    expect(built.toSorted()).toEqual(words.toSorted());
    expect(built.slice(0, 3)).toEqual(words.slice(0, 3));
  });

  it('says the file where one is known, and beside it what the file may leave open', () => {
    expect(argvOf(requestOf('cluster pause', withFile))).toEqual([
      ...['cluster', 'pause', 'web', '-f', '/srv/web.yaml', '--kubeconfig', '/k', '--context', 'prod', '-n', 'fleet'],
    ]);
    expect(argvOf(requestOf('apply', hosts))).toEqual(['apply', '-c', 'berth', '-f', '/srv/berth.yaml']);
  });

  it('asks for the plan without the typed name, and does it without asking again', () => {
    const request = requestOf('cluster delete', live, {confirm: 'web', wait: false});
    expect(previewArgv(request)).not.toContain('--confirm');
    expect(previewArgv(request).slice(-3)).toEqual(['--dry-run', '-o', 'json']);
    expect(runArgv(request)).toEqual(expect.arrayContaining(['--confirm', 'web', '--no-wait', '--yes']));
  });

  it('puts what it says besides before the words that are for somebody else', () => {
    const request = requestOf('host maintain', hosts, {words: ['apt-get', '-y', 'upgrade']});
    expect(runArgv(request)).toEqual('host maintain --limit web-1 -c berth -f /srv/berth.yaml --yes -o ndjson -- apt-get -y upgrade'.split(' '));
  });

  it('names each host that leaves, and nobody where nobody does', () => {
    expect(runArgv(requestOf('apply', hosts, {leaving: ['w3', 'w4']}))).toEqual(
      'apply --confirm w3 --confirm w4 -c berth -f /srv/berth.yaml --yes -o ndjson'.split(' '),
    );
    expect(previewArgv(requestOf('apply', hosts, {leaving: ['w3']}))).not.toContain('--confirm');
    expect(argvOf(requestOf('machine replace', live))).not.toContain('--confirm');
  });

  it('writes a command line that a shell reads back as it was', () => {
    expect(lineOf(['apply', '-f', "/srv/it's here.yaml"])).toBe(`trireme apply -f '/srv/it'\\''s here.yaml'`);
  });
});

describe('every row', async () => {
  // the commands themselves parse what the table builds: a flag that is renamed is seen here
  const config = await Config.load(fileURLToPath(new URL('../../../', import.meta.url)));
  const manifest = JSON.parse(await readFile(new URL('../../../oclif.manifest.json', import.meta.url), 'utf8')) as {commands: Record<string, unknown>};

  it.each(actions.map((action) => [action.id, action] as const))('%s is a command line that its command takes', async (_id, action) => {
    const request: ActionRequest = {action, subject: subjectOf(action, action.only?.modes[0] === 'agent' ? hosts : withFile), answers};
    const words = action.kind === 'run' ? runArgv(request) : argvOf(request);
    const id = [words.slice(0, 2).join(':'), words[0] ?? ''].find((one) => one in manifest.commands) ?? '';
    const command = await config.findCommand(id, {must: true}).load();
    const rest = words.slice(id.split(':').length);
    const end = rest.indexOf('--');
    const parsed = Parser.parse(end === -1 ? rest : rest.slice(0, end), {
      flags: {...command.baseFlags, ...command.flags},
      args: command.args,
      strict: command.strict,
    });
    await expect(parsed).resolves.toBeDefined();
    if (action.kind === 'run') expect(Object.keys(command.flags)).toEqual(expect.arrayContaining(['dry-run', 'yes']));
    if (words.includes('--confirm')) expect(Object.keys(command.flags)).toContain('confirm');
  });
});

describe('the environment of a command that a screen starts', () => {
  it("is the person's, but for what the action says itself", () => {
    const env = {
      PATH: '/bin',
      SUDO_PASSWORD: 'x',
      TRIREME_SANDBOX: '1',
      TRIREME_CONCURRENCY: '4',
      TRIREME_FILE: 'a',
      TRIREME_WAIT: '1',
      TRIREME_DRAIN_TIMEOUT: '1s',
    };
    expect(environmentOf({env})).toEqual({PATH: '/bin', SUDO_PASSWORD: 'x', TRIREME_SANDBOX: '1', TRIREME_CONCURRENCY: '4'});
  });
});

describe('offers', () => {
  it("carry the mode's own reason", () => {
    const offers = offersFor(
      {about: 'cluster', cluster: hosts},
      {...modes, agent: {...modes['agent'], scale: {supported: false, reason: 'the hosts are yours'}}},
    );
    expect(offers.find((offer) => offer.action.id === 'cluster scale')?.reason).toBe('the hosts are yours');
    expect(offers.find((offer) => offer.action.id === 'apply')?.reason).toBeUndefined();
    expect(offerOf(requireAction('host shell'), {about: 'machine', cluster: live, machine: 'web-1'}, modes).reason).toContain('SSH');
    expect(offerOf(requireAction('cluster pause'), {about: 'cluster', cluster: {...live, mode: 'kite'}}, modes).reason).toContain('kite');
  });

  it('leave out what makes no sense at the moment', () => {
    const view = {paused: true} as never;
    expect(offerOf(requireAction('cluster pause'), {about: 'cluster', cluster: live, view}, modes).reason).toBe("it's paused already");
    expect(offerOf(requireAction('cluster resume'), {about: 'cluster', cluster: live, view}, modes).reason).toBeUndefined();
    expect(offerOf(requireAction('apply'), {about: 'cluster', cluster: live}, modes).reason).toContain('no file is known');
    const run = {about: 'run', run: 'r', state: 'running', cluster: withFile} as const;
    expect(offerOf(requireAction('apply --resume'), run, modes).reason).toBe('it is going on');
    expect(offerOf(requireAction('apply --resume'), {...run, state: 'broken-off'}, modes).reason).toBeUndefined();
    expect(offerOf(requireAction('apply --resume'), {...run, state: 'finished', outcome: 'failed'}, modes).reason).toBeUndefined();
    expect(offerOf(requireAction('apply --resume'), {...run, state: 'finished', outcome: 'succeeded'}, modes).reason).toContain('done all');
    expect(offerOf(requireAction('apply --resume'), {...run, state: 'broken-off', isSuperseded: true}, modes).reason).toContain('newer run');
  });

  it('for several say whose reason it is, and what is done one at a time', () => {
    const both: readonly Subject[] = [
      {about: 'cluster', cluster: live},
      {about: 'cluster', cluster: {...live, name: 'shop'}, view: {paused: true} as never},
    ];
    const offers = offersForAll(both, modes);
    expect(offers.find((offer) => offer.action.id === 'cluster pause')?.reason).toBe("shop: it's paused already");
    expect(offers.find((offer) => offer.action.id === 'cluster delete')?.reason).toBe('one at a time');
    expect(offers.find((offer) => offer.action.id === 'cluster upgrade')?.reason).toBeUndefined();
    expect(offersForAll([], modes)).toEqual([]);
  });
});

describe('answers', () => {
  const cluster: Subject = {about: 'cluster', cluster: live};
  const input = (id: string, name: string) => {
    const found = requireAction(id).inputs.find((one) => one.id === name);
    if (found === undefined) throw new Error(name);
    return found;
  };

  it.each([
    ['cluster upgrade', 'to', '', 'An answer is needed.'],
    ['cluster upgrade', 'to', 'newest', 'Wanted is a version such as v1.36.3.'],
    ['cluster upgrade', 'to', '1.36.3', undefined],
    ['cluster delete', 'confirm', 'webb', 'Type web to go on.'],
    ['cluster delete', 'confirm', 'web', undefined],
    ['machine drain', 'timeout', '10', 'Wanted is a number and its unit: 90s, 10m, 1h.'],
    ['machine drain', 'timeout', '90s', undefined],
  ])('%s: %s %s', (id, name, answer, complaint) => {
    expect(complaintAbout(input(id, name), answer, cluster)).toBe(complaint);
  });

  it('a scale of nothing is none', () => {
    expect(complaintAbout(input('cluster scale', 'counts'), {}, cluster)).toBe('Nothing is changed yet.');
    expect(complaintAbout(input('cluster scale', 'counts'), {'md-0': 2.5}, cluster)).toContain('whole number');
    expect(complaintAbout(input('cluster scale', 'counts'), {'md-0': 0}, cluster)).toBeUndefined();
  });
});
