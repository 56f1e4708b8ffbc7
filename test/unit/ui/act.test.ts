// What a person does on the dashboard: keys, questions with the plan in view, and what is begun.
import {afterEach, describe, expect, it} from 'vitest';
import type {ActionRequest} from '../../../src/actions/action.ts';
import type {Preview} from '../../../src/actions/preview.ts';
import type {ClusterView} from '../../../src/modes/mode.ts';
import {actions} from '../../../src/actions/table.ts';
import {readCounts, wordsOf} from '../../../src/ui/act.ts';
import {keyTable} from '../../../src/ui/keys.ts';
import {testDesk, type TestDesk, type TestDeskOptions} from '../../support/desk.ts';
import {fleetOf, openScreen, testServices, type TestScreen} from '../../support/screen.ts';
import {smallFleet, viewOf} from './views.ts';

let screen: TestScreen | undefined;
afterEach(async () => screen?.stop());

const planOf = ({action, subject}: ActionRequest): Partial<Preview> => ({
  plan: {
    operation: action.verb ?? action.id,
    cluster: subject.about === 'cluster' ? subject.cluster.name : 'anchor',
    mode: 'controller',
    simulated: true,
    changes: true,
    phases: [],
    hosts: [
      {host: 'md-0', state: 'changed', effect: 'drain', changes: [{path: 'replicas', from: 5, to: 3, effect: 'drain', why: 'fewer machines are wanted'}]},
      {host: 'control-plane', state: 'unchanged', effect: 'none', changes: []},
    ],
  },
});

const pool = (name: string, wanted: number) =>
  ({
    name: `anchor-${name}`,
    topologyName: name,
    kind: 'MachineDeployment',
    role: 'worker',
    standing: 'good',
    replicas: {wanted, current: wanted, ready: wanted, available: wanted, upToDate: wanted},
    versions: [],
    paused: false,
    reasons: [],
    conditions: [],
  }) as const;
const anchor: ClusterView = viewOf('anchor', {pools: [pool('md-0', 5), pool('md-1', 2)]});

async function open(
  options: TestDeskOptions = {},
  size: {readonly columns?: number; readonly rows?: number} = {},
): Promise<{screen: TestScreen; desk: TestDesk}> {
  const desk = testDesk({preview: planOf, ...options});
  screen = await openScreen({services: testServices(fleetOf([anchor, ...smallFleet.slice(1)]), {desk}), ...size});
  await screen.shows(/❯ anchor/);
  return {screen, desk};
}

describe('an action', () => {
  it.each([
    [80, 24],
    [120, 40],
  ])('asks with the plan and its cost in view (%dx%d), begins, and goes to its run', async (columns, rows) => {
    const {screen: shown, desk} = await open({}, {columns, rows});
    shown.press('R');
    const text = await shown.shows(/Restart anchor\?/);
    await expect(`${text.replaceAll(/ +$/gm, '')}\n`).toMatchFileSnapshot(`golden/plan-question-${columns}x${rows}.txt`);
    shown.resize(30, 8);
    await shown.shows(/window larger/);
    shown.resize(columns, rows);
    await shown.shows((now) => now === text);
    expect(desk.started).toEqual([]);
    shown.press('y');
    await shown.shows(/Fleet → Run 20260301-120000-0000/);
    expect(desk.started.map(({action, subject}) => [action.id, subject.about === 'cluster' && subject.cluster.name])).toEqual([['cluster restart', 'anchor']]);
  });

  it('changes nothing when the answer is no', async () => {
    const {screen: shown, desk} = await open();
    shown.press('p');
    await shown.shows(/Pause anchor\?/);
    shown.press('n');
    await shown.shows(/Nothing was changed\./);
    expect(desk.started).toEqual([]);
  });

  it('deletes only when the name is typed, and tells it to the command', async () => {
    const {screen: shown, desk} = await open();
    shown.press('D');
    await shown.shows(/Delete anchor\? Type anchor\./);
    shown.press('anchr\r');
    await shown.shows(/Type anchor to go on/);
    expect(desk.started).toEqual([]);
    shown.press('\u0015anchor\r');
    await shown.shows(/Run 20260301/);
    expect(desk.started[0]?.answers).toEqual({confirm: 'anchor'});
  });

  it('takes hosts out only when their names are typed, and tells them to the command', async () => {
    const host = (name: string) => ({host: name, state: 'removed' as const, effect: 'drain' as const, changes: []});
    const header = {ledger: 1, run: 'r', operation: 'apply', cluster: 'berth', mode: 'agent', files: ['/srv/berth.yaml'], startedAt: '2026-03-01T11:00:00Z'};
    const desk = testDesk({
      rows: [{run: 'r', state: 'broken-off', header: header as never}],
      preview: () => ({
        plan: {operation: 'apply', cluster: 'berth', mode: 'agent', simulated: false, changes: true, phases: [], hosts: [host('w3'), host('w4')]},
      }),
    });
    screen = await openScreen({services: testServices(fleetOf([]), {desk}), first: {kind: 'history'}});
    await screen.shows(/broke off/);
    screen.press('A');
    await screen.shows(/Type w3 w4\./);
    expect(screen.text()).toContain('- w3  drain');
    screen.press('w3\r');
    await screen.shows(/Type w3 w4 to go on/);
    screen.press(' w4\r');
    await screen.shows(/Run 20260301/);
    expect(desk.started[0]?.answers).toEqual({leaving: ['w3', 'w4']});
  });

  it('scales by the numbers that were changed, which begin as they are', async () => {
    const {screen: shown, desk} = await open();
    shown.press('=');
    await shown.shows(/❯ control-plane=3 md-0=5 md-1=2/);
    shown.press('\r');
    await shown.shows(/Nothing is changed yet/);
    shown.press('\u0015control-plane=3 md-0=7 md-1=2\r');
    await shown.shows(/trireme cluster scale anchor md-0=7 --wait/);
    shown.press('y');
    await shown.shows(/Run 20260301/);
    expect(desk.started[0]?.answers).toEqual({counts: {'md-0': 7}});
  });

  it('asks once for all that are marked, and begins a run for each', async () => {
    const {screen: shown, desk} = await open({
      preview: (request) =>
        request.subject.about === 'cluster' && request.subject.cluster.name === 'berth'
          ? {problem: {code: 'plan.refused', message: 'An upgrade is going on.', hints: ['Wait for it.'], exit: 3}}
          : planOf(request),
    });
    shown.press('   '); // anchor, berth, capstan
    await shown.shows(/3 marked/);
    shown.press('uv1.36.3\r');
    await shown.shows(/Upgrade anchor and capstan\? 1 refused, left out\./);
    expect(shown.text()).toContain('An upgrade is going on.');
    shown.press('y');
    await shown.shows(/Fleet → History/);
    expect(desk.started.map(({subject}) => subject.about === 'cluster' && subject.cluster.name)).toEqual(['anchor', 'capstan']);
    expect(desk.started[0]?.answers).toEqual({to: 'v1.36.3'});
  });

  it('refuses a version that is none before it looks any further', async () => {
    const {screen: shown} = await open();
    shown.press('unewest\r');
    await shown.shows(/Wanted is a version such as v1\.36\.3\./);
    shown.press('\u001B');
    await shown.shows(/Nothing was changed\./);
  });

  it('shows why when all of it is refused', async () => {
    const {screen: shown, desk} = await open({
      preview: () => ({problem: {code: 'api.forbidden', message: 'You may not patch clusters.', hints: ['Ask whoever can.'], exit: 5}}),
    });
    shown.press('p');
    await shown.shows(/Pause anchor is refused\./);
    expect(shown.text()).toMatch(/You may not patch clusters\.\n +→ Ask whoever can\./);
    shown.press('y');
    await shown.shows((text) => !text.includes('refused'));
    expect(desk.started).toEqual([]);
  });

  it("says that there's nothing to do, and asks nothing", async () => {
    const {screen: shown, desk} = await open({
      preview: (request) => ({plan: {...(planOf(request).plan as never as object), changes: false, hosts: []} as never}),
    });
    shown.press('p');
    await shown.shows(/anchor: unchanged, there is nothing to do\./);
    expect(desk.started).toEqual([]);
  });

  it('says why it did not begin', async () => {
    const {screen: shown} = await open({
      start: () => ({problem: {code: 'lock.held', message: 'ada@desk is working on anchor.', hints: ['Wait until it ends, and try again.'], exit: 8}}),
    });
    shown.press('p');
    await shown.shows(/Pause anchor\?/);
    shown.press('y');
    await shown.shows(/1 action of 1 didn't begin\./);
    expect(shown.text()).toContain('ada@desk is working on anchor.');
  });

  it("says the mode's reason for what can't be done", async () => {
    const {screen: shown} = await open();
    shown.press('G=');
    await shown.shows(/Scale: the machines are yours\./);
  });

  it('lends the terminal to a shell, and comes back', async () => {
    const {screen: shown, desk} = await open();
    shown.press('!');
    await shown.shows(/Program; none opens your shell\?/);
    shown.press('kubectl get "my pods"\r');
    await shown.shows(/Shell with its kubeconfig ended\./);
    expect(desk.handedOver[0]?.answers).toEqual({words: ['kubectl', 'get', 'my pods']});
    expect(shown.output.isAlternate).toBe(true);
  });

  it('merges a kubeconfig without a run, and says where', async () => {
    const {screen: shown, desk} = await open({start: () => ({said: 'merged into /home/ada/.kube/config; the current context is prod'})});
    shown.press('K');
    await shown.shows(/\[●\] Merge it into yours/);
    shown.press('\r');
    await shown.shows(/trireme cluster kubeconfig anchor --merge/);
    shown.press('y');
    await shown.shows(/anchor: merged into .*the current context is prod/);
    expect(desk.started[0]?.answers).toEqual({merge: true, switch: false});
  });

  it('is found in the menu, with its key and its command, also when it is not to be had now', async () => {
    const {screen: shown, desk} = await open();
    shown.press('x');
    await shown.shows(/What shall be done with anchor\?/);
    expect(shown.text()).toMatch(/p {2}Pause +trireme cluster pause/);
    expect(shown.text()).toMatch(/A {2}Apply its file +not now: no file is known/);
    shown.press('\t\t\r');
    await shown.shows(/Pause anchor\?/);
    shown.press('y');
    await shown.shows(/Run 20260301/);
    expect(desk.started).toHaveLength(1);
  });
});

describe('the palette', () => {
  it('finds the actions for what is chosen, and does them', async () => {
    const {screen: shown, desk} = await open();
    shown.press('j:pause');
    await shown.shows(/❯ Pause: berth {2}trireme cluster pause/);
    shown.press('\r');
    await shown.shows(/Pause berth\?/);
    shown.press('y');
    await shown.shows(/Run 20260301/);
    expect(desk.started).toHaveLength(1);
  });
});

describe('the keys of actions', () => {
  it('are all in the key table, and none means two things in one place', () => {
    for (const action of actions.filter((one) => one.id !== 'host logs'))
      expect(
        keyTable.some((entry) => entry.action === `do ${action.key}` && entry.does.includes(action.title)),
        action.id,
      ).toBe(true);
    // a screen's own keys may stand before the general ones; an action's must not
    const general = keyTable.filter((entry) => entry.scopes.includes('global')).flatMap((entry) => entry.keys);
    expect(actions.map((action) => action.key).filter((key) => general.includes(key))).toEqual([]);
    const together = [['fleet', 'list'], ['cluster', 'tree'], ['machine', 'text'], ['history', 'list'], ['run', 'list'], ['replay']];
    for (const scopes of together) {
      const keys = keyTable.filter((entry) => entry.scopes.some((scope) => scopes.includes(scope))).flatMap((entry) => entry.keys.map((key) => `${key}`));
      expect([scopes[0], keys.filter((key, index) => keys.indexOf(key) !== index)]).toEqual([scopes[0], []]);
    }
  });
});

describe('what is typed', () => {
  it.each([
    ['kubectl get nodes', ['kubectl', 'get', 'nodes']],
    [`sh -c 'echo "a b"'`, ['sh', '-c', 'echo "a b"']],
    ['  ', []],
  ])('%s is words', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it.each([
    ['control-plane=3 md-0=5', 'Nothing is changed yet.'],
    ['control-plane=5, md-0=0', {'control plane': 5, 'md-0': 0}],
    ['md-0=-1', "md-0=-1 isn't POOL=N."],
    ['md-9=1', "There's no md-9: control-plane, md-0."],
    ['', "An empty line isn't POOL=N."],
  ])('%s is numbers of machines, or says what is wrong', (text, wanted) => {
    expect(
      readCounts(text, [
        {name: 'control-plane', wanted: 3},
        {name: 'md-0', wanted: 5},
      ]),
    ).toEqual(wanted);
  });
});
