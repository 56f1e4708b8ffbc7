// Run, replay and History as a person sees them: whole frames, without colour.
import {afterEach, describe, expect, it} from 'vitest';
import type {RunRow} from '../../../src/fleet/run-rows.ts';
import type {FollowedRun} from '../../../src/fleet/run-store.ts';
import {viewOfRun} from '../../../src/fleet/run-view.ts';
import type {TriremeEvent} from '../../../src/kernel/event.ts';
import {recordedRun} from '../../contract/recorded-run.ts';
import {createTestClock} from '../../support/clock.ts';
import {testDesk} from '../../support/desk.ts';
import {fleetOf, frameTime, openScreen, testServices, type TestScreen} from '../../support/screen.ts';
import {smallFleet} from './views.ts';

const run = '20261123-120000-beef';
const header = {
  ledger: 1,
  run,
  operation: 'apply',
  cluster: 'berth',
  mode: 'agent',
  files: ['/srv/berth.yaml'],
  specDigest: '',
  basisDigest: '',
  program: '1',
  startedAt: '2026-03-01T11:59:40Z',
  pid: 1,
} as const;
const sizes = [
  [80, 24],
  [120, 40],
] as const;

/** The recording, as if it went on while the frames are drawn. */
const begun = recordedRun.map((event, index) => ({...event, at: new Date(frameTime - 20_000 + index * 100).toISOString()}) as TriremeEvent);
const followed = (events: readonly TriremeEvent[], state: FollowedRun['state']): FollowedRun => ({
  run,
  state,
  view: viewOfRun(events),
  recent: [],
  damaged: 0,
  isCut: false,
  header,
});
const sending = begun.slice(0, 8);

const rows: readonly RunRow[] = [
  {run: '20260301-115940-aaaa', state: 'running', header: {...header, run: '20260301-115940-aaaa', operation: 'upgrade', cluster: 'web', mode: 'controller'}},
  {run: '20260301-110000-bbbb', state: 'broken-off', header: {...header, startedAt: '2026-03-01T11:00:00Z'}},
  {
    run: '20260228-090000-cccc',
    state: 'finished',
    header: {...header, startedAt: '2026-02-28T09:00:00Z'},
    outcome: 'succeeded',
    ms: 184_000,
    hosts: [{host: 'h1', outcome: 'changed'}],
  },
  {
    run: '20260227-090000-dddd',
    state: 'finished',
    header: {...header, cluster: 'a-\u001B[31mname-船-that-is-rather-long-for-a-cluster-of-any-fleet', startedAt: '2026-02-27T09:00:00Z'},
    outcome: 'failed',
    ms: 900,
    hosts: [],
  },
  {run: '20260226-090000-eeee', state: 'unreadable'},
];

let screen: TestScreen | undefined;
afterEach(async () => screen?.stop());

describe.each(sizes)('at %dx%d', (columns, rowCount) => {
  const golden = async (name: string) => {
    const text = screen?.text() ?? '';
    await expect(`${text.replaceAll(/ +$/gm, '')}\n`).toMatchFileSnapshot(`golden/${name}-${columns}x${rowCount}.txt`);
    // a window that was too small for a moment shows the same again
    screen?.resize(30, 8);
    await screen?.shows(/Trireme needs|window larger/);
    screen?.resize(columns, rowCount);
    await screen?.shows((now) => now === text);
  };
  const open = async (desk: ReturnType<typeof testDesk>, first: Parameters<typeof openScreen>[0]['first']) => {
    screen = await openScreen({services: testServices(fleetOf(smallFleet), {desk}), columns, rows: rowCount, ...(first === undefined ? {} : {first})});
    return screen;
  };

  it.each([
    ['run-sending', sending, 'running', /1\.0 KiB of 4\.0 KiB/],
    ['run-failed', begun, 'finished', /failed in 2\.4 s/],
    ['run-broken-off', sending, 'broken-off', /broke off: what is done/],
  ] as const)('%s', async (name, events, state, wanted) => {
    const desk = testDesk();
    const shown = await open(desk, {kind: 'run', run});
    desk.followed.get(run)?.set(followed(events, state));
    await shown.shows(wanted);
    await golden(name);
  });

  it('a replay in its middle', async () => {
    const clock = createTestClock();
    const shown = await open(testDesk({events: recordedRun, clock}), {kind: 'run', run, isReplay: true});
    await shown.shows(/0\/26/);
    clock.pass(700);
    await shown.shows(/8\/26/);
    shown.press(' ');
    await shown.shows(/paused/);
    await golden('replay');
  });

  it('the history', async () => {
    const shown = await open(testDesk({rows}), {kind: 'history'});
    await shown.shows(/aaaa/);
    await golden('history');
  });
});

describe('the Run screen', () => {
  const many = Array.from({length: 1000}, (_, index) => `host-${String(index).padStart(4, '0')}`);
  const large: readonly TriremeEvent[] = [
    {
      type: 'run.started',
      operation: 'apply',
      subject: 'berth',
      mode: 'agent',
      simulated: false,
      phases: [{title: 'Push', steps: many.map((host) => ({id: `push/${host}`, title: 'Push', host, effect: 'none' as const}))}],
      seq: 1,
      at: new Date(frameTime).toISOString(),
      run,
    },
  ];

  it('shows a window of a thousand hosts, moves through it, and finds one', async () => {
    const desk = testDesk();
    screen = await openScreen({services: testServices(fleetOf([]), {desk}), first: {kind: 'run', run}});
    desk.followed.get(run)?.set(followed(large, 'running'));
    await screen.shows(/host-0000/);
    screen.press('G');
    await screen.shows(/❯ host-0999/);
    expect(screen.text()).not.toContain('host-0000');
    screen.press('g/0512');
    await screen.shows(/host-0512/);
    screen.press('\r');
    expect((await screen.shows(/filter 0512: 1 shown/)).match(/host-\d+/g)).toEqual(['host-0512']);
  });

  it('stops a run only after a question, and says what stopping means', async () => {
    const desk = testDesk();
    screen = await openScreen({services: testServices(fleetOf([]), {desk}), first: {kind: 'run', run}});
    desk.followed.get(run)?.set(followed(sending, 'running'));
    await screen.shows(/Push the agent/);
    screen.press('X');
    await screen.shows(/What runs now is finished first/);
    screen.press('n');
    await screen.shows((text) => !text.includes('finished first'));
    expect(desk.stopped).toEqual([]);
    screen.press('X');
    await screen.shows(/What runs now is finished first/);
    screen.press('y');
    await screen.shows(/Stopping: the steps/);
    expect(desk.stopped).toEqual([run]);
  });

  it("shows a host's failure whole, with what to do", async () => {
    const desk = testDesk();
    screen = await openScreen({services: testServices(fleetOf([]), {desk}), first: {kind: 'run', run}});
    desk.followed.get(run)?.set(followed(begun, 'finished'));
    await screen.shows(/failed in/);
    screen.press('j\r');
    await screen.shows(/y close/);
    expect(screen.text()).toContain('Free some space.');
  });

  it('plays, steps back and goes faster', async () => {
    const clock = createTestClock();
    screen = await openScreen({services: testServices(fleetOf([]), {desk: testDesk({events: recordedRun, clock})}), first: {kind: 'run', run, isReplay: true}});
    await screen.shows(/playing 1x/);
    screen.press('+');
    await screen.shows(/playing 2x/);
    clock.pass(500);
    await screen.shows(/11\/26/);
    screen.press(',');
    await screen.shows(/paused 2x.*10\/26/);
    screen.press('$');
    await screen.shows(/ended.*26\/26/);
    screen.press('0 ');
    await screen.shows(/playing.*0\/26/);
  });

  it("can't be played when there's no record, and says so", async () => {
    const desk = testDesk();
    const broken = {...desk, runs: {...desk.runs, replay: () => Promise.reject(new Error("There's no run named x."))}};
    screen = await openScreen({services: testServices(fleetOf([]), {desk: broken}), first: {kind: 'run', run: 'x', isReplay: true}});
    await screen.shows(/There's no run named x\./);
  });
});

describe('the history', () => {
  it('opens a run, replays it, and goes on with one that broke off', async () => {
    const desk = testDesk({
      rows,
      events: recordedRun,
      preview: () => ({plan: {operation: 'apply', cluster: 'berth', mode: 'agent', simulated: false, changes: true, hosts: [], phases: []}}),
    });
    screen = await openScreen({services: testServices(fleetOf([]), {desk}), first: {kind: 'history'}});
    await screen.shows(/aaaa/);
    screen.press('A');
    await screen.shows(/Go on with it: it is going on/);
    screen.press('jA');
    await screen.shows(/Go on with it 20260301-110000-bbbb\?/);
    expect(screen.text()).toContain('$ trireme apply --resume -c berth -f /srv/berth.yaml');
    screen.press('y');
    await screen.shows(/Run 20260301-120000-0000/);
    expect(desk.started.map((request) => request.action.id)).toEqual(['apply --resume']);
    screen.press('\u001B');
    await screen.shows(/❯ 20260301-110000-bbbb/);
    screen.press('r');
    await screen.shows(/Replay 20260301-110000-bbbb/);
  });

  it('shows the runs of one cluster alone, and says when there are none', async () => {
    screen = await openScreen({services: testServices(fleetOf([]), {desk: testDesk({rows})}), first: {kind: 'history', cluster: 'web'}});
    await screen.shows(/aaaa/);
    expect(screen.text()).not.toContain('bbbb');
    await screen.stop();
    screen = await openScreen({services: testServices(fleetOf([])), first: {kind: 'history'}});
    await screen.shows(/No runs yet/);
  });
});
