// Whole frames, colourless, as a person sees them on a terminal of two sizes.
import {afterEach, describe, expect, it} from 'vitest';
import stringWidth from 'string-width';
import {createStore} from '../../../src/kernel/store.ts';
import type {EventView} from '../../../src/modes/mode.ts';
import {createTheme} from '../../../src/ui/theme.ts';
import {fleetOf, openScreen, testServices, type TestScreen, type TestServices} from '../../support/screen.ts';
import {hostileNames} from './hostile-names.ts';
import {capstanTree, machineOf, nodeOf, notReady, poolOf, smallFleet, viewOf} from './views.ts';

let screen: TestScreen | undefined;
afterEach(async () => {
  await screen?.stop();
  screen = undefined;
});

const sizes = [
  [80, 24],
  [120, 40],
] as const;

const capstan = viewOf('capstan', {
  health: 'degraded',
  reasons: ['md-0: 1 machine is not ready: no node for 12 m'],
  workers: {ready: 2, wanted: 5},
  endpoint: '192.0.2.1:6443',
  class: 'quick-start',
  controlPlane: poolOf('capstan-cp', {
    role: 'control-plane',
    replicas: {wanted: 3, current: 3, ready: 3, available: 3, upToDate: 3},
    versions: [{version: 'v1.36.3', replicas: 3}],
  }),
  pools: [
    poolOf('md-0', {
      standing: 'bad',
      replicas: {wanted: 5, current: 5, ready: 2, available: 2, upToDate: 3},
      versions: [
        {version: 'v1.35.4', replicas: 2},
        {version: 'v1.36.3', replicas: 3},
      ],
      upgrade: {from: ['v1.35.4'], to: 'v1.36.3', plan: ['v1.36.3'], done: 3, total: 5},
      reasons: ['1 machine is not ready'],
    }),
  ],
  conditions: [{...notReady, type: 'WorkersAvailable', reason: 'NotAvailable', message: '2 of 5 workers are available'}],
  tree: capstanTree,
  machines: [
    machineOf('capstan-md-0-x3', {
      namespace: 'fleet',
      pool: 'md-0',
      standing: 'bad',
      state: 'not-ready',
      phase: 'Provisioning',
      reasons: ['DevMachine/capstan-md-0-x3 is missing'],
      infrastructure: {kind: 'DevMachine', name: 'capstan-md-0-x3', standing: 'bad', missing: true, reasons: []},
      conditions: [notReady],
      created: '2026-03-01T11:40:00Z',
    }),
  ],
});

const events: readonly EventView[] = [
  {
    type: 'Normal',
    reason: 'SuccessfulCreate',
    message: 'Created Machine "capstan-md-0-x3"',
    object: 'MachineSet/capstan-md-0',
    last: '2026-03-01T11:40:00Z',
    count: 1,
  },
  {type: 'Warning', reason: 'FailedCreate', message: 'no quota left in zone a', object: 'DevMachine/capstan-md-0-x3', last: '2026-03-01T11:59:00Z', count: 14},
];

function services(): TestServices {
  const all = testServices(fleetOf(smallFleet), {
    logs: async function* () {
      yield 'level=info msg="one"';
      yield `level=info msg="${'a long line '.repeat(20)}"`;
      yield '\u001B[31mlevel=error\u001B[0m msg="two"';
    },
  });
  all.clusters.set('management/fleet/capstan', createStore({view: capstan, phase: 'live'}));
  all.events.set({events, phase: 'live'});
  return all;
}

describe.each(sizes)('at %ix%i', (columns, rows) => {
  const open = async (options: Partial<Parameters<typeof openScreen>[0]> = {}) => {
    screen = await openScreen({columns, rows, services: services(), ...options});
    return screen;
  };
  const golden = (name: string) => `golden/${name}-${columns}x${rows}.txt`;
  const framed = (text: string) => `${text}\n`;

  it('the Fleet', async () => {
    const {shows} = await open();
    await expect(framed(await shows(/q quit/))).toMatchFileSnapshot(golden('fleet'));
  });

  it('the Fleet, grouped, filtered and marked', async () => {
    const {shows, press} = await open();
    await shows(/q quit/);
    press('b /!anchor\r');
    await shows(/filter !anchor: 3 shown/);
    press('j ');
    await expect(framed(await shows(/3 shown {2}· {2}2 marked/))).toMatchFileSnapshot(golden('fleet-grouped'));
  });

  it('a cluster, with what fails unfolded', async () => {
    const {shows} = await open({first: {kind: 'cluster', id: 'management/fleet/capstan'}});
    await expect(framed(await shows(/MISSING[^]*q quit/))).toMatchFileSnapshot(golden('cluster'));
  });

  it('a machine', async () => {
    const {shows} = await open({first: {kind: 'machine', cluster: 'management/fleet/capstan', machine: 'capstan-md-0-x3'}});
    await expect(framed(await shows(/Conditions[^]*q quit/))).toMatchFileSnapshot(golden('machine'));
  });

  it('events, the newest first', async () => {
    const {shows} = await open({first: {kind: 'events', cluster: 'management/fleet/capstan'}});
    await expect(framed(await shows(/FailedCreate[^]*q quit/))).toMatchFileSnapshot(golden('events'));
  });

  it('logs, without what the host wanted to do to the terminal', async () => {
    const {shows} = await open({first: {kind: 'logs', title: 'h1 log', cluster: 'x', machine: 'h1'}});
    await expect(framed(await shows(/3 lines, it has ended[^]*q quit/))).toMatchFileSnapshot(golden('logs'));
  });

  it('the help', async () => {
    const {shows, press} = await open();
    await shows(/q quit/);
    press('?');
    await expect(framed(await shows(/Fleet → Help/))).toMatchFileSnapshot(golden('help'));
  });

  it('the palette', async () => {
    const {shows, press} = await open();
    await shows(/q quit/);
    press(':cap');
    await expect(framed(await shows(/:cap▏ {2}1\n/))).toMatchFileSnapshot(golden('palette'));
  });

  it('a question with what is at stake', async () => {
    const {shows, control} = await open();
    await shows(/q quit/);
    void control.navigator.ask({
      kind: 'type-name',
      title: 'Delete capstan with its 8 machines?',
      name: 'capstan',
      body: ['- 3 control planes: replace', '- 5 workers: replace'],
    });
    await expect(framed(await shows(/Delete capstan/))).toMatchFileSnapshot(golden('question'));
  });

  it('the same after a resize to 30x8 and back', async () => {
    const {shows, resize, press} = await open();
    const before = await shows(/q quit/);
    press('j');
    await shows(/❯ berth/);
    resize(30, 8);
    await expect(framed(await shows(/this is 30x8/))).toMatchFileSnapshot('golden/too-small-30x8.txt');
    resize(columns, rows);
    press('k');
    expect(await shows(/❯ anchor[^]*q quit/)).toBe(before);
  });
});

it('says what is wrong with a source, whatever the screen, and that it answers again', async () => {
  const all = services();
  const {shows} = (screen = await openScreen({services: all}));
  await shows(/q quit/);
  const trouble = {since: '2026-03-01T11:58:30Z', why: 'the API does not answer'};
  all.fleet.set({...all.fleet.get(), sources: {management: {title: 'management', phase: 'live', trouble}}});
  await shows(/1m without management: the API does not answer/);
  all.fleet.set({...all.fleet.get(), sources: {management: {title: 'management', phase: 'live'}}});
  await shows(/management answers again/);
});

it('tells when a cluster turns bad, and when it is good again', async () => {
  const all = services();
  const {shows} = (screen = await openScreen({services: all}));
  await shows(/q quit/);
  all.fleet.set(fleetOf([viewOf('anchor', {health: 'degraded', reasons: ['etcd has lost its leader']}), ...smallFleet.slice(1)]));
  await shows(/anchor is degraded: etcd has lost its leader/);
  all.fleet.set(fleetOf(smallFleet));
  await shows(/anchor is healthy again/);
});

it('says SIMULATED wherever something is', async () => {
  const {shows, press} = (screen = await openScreen({services: services()}));
  for (const [key, pattern] of [
    ['', /NAME/],
    ['j\r', /→ berth/],
    ['?', /Help/],
  ] as const) {
    press(key);
    expect(await shows(pattern)).toContain('SIMULATED');
  }
});

it('keeps to ASCII where that is wanted', async () => {
  const theme = createTheme({name: 'dark', level: 0, ascii: true});
  const {shows, press} = (screen = await openScreen({services: services(), theme}));
  const fleet = await shows(/q quit/);
  await expect(`${fleet}\n`).toMatchFileSnapshot('golden/fleet-ascii-80x24.txt');
  press('jj\r');
  const cluster = await shows(/MISSING/);
  expect(fleet + cluster).toMatch(/^[\u0020-\u007E\n]*$/);
});

it.each(hostileNames)('stays in its lines with %s for a name', async (_what, name) => {
  const tree = nodeOf('cluster', 'Cluster', name, {
    children: [nodeOf('machine', 'Machine', name, {standing: 'bad', worst: 'bad', conditions: [{...notReady, message: name}]})],
  });
  const view = viewOf(name, {
    health: 'degraded',
    reasons: [name],
    now: name,
    namespace: name,
    context: name,
    tree,
    machines: [machineOf(name, {reasons: [name]})],
  });
  const all = testServices(fleetOf([viewOf('!aaa'), view]), {});
  const id = fleetOf([view]).rows[0]?.id ?? '';
  all.clusters.set(id, createStore({view, phase: 'live'}));
  const {shows, press, output} = (screen = await openScreen({services: all}));
  const hint = /\n[^\n]*q quit *$/;
  const first = await shows(hint);
  expect(first.split('\n')[3]).toContain('❯ !aaa');
  press('j');
  await shows(/\n {2}!aaa/);
  press('\r');
  await shows(/→[^\n]*\n[^]*control planes 3\/3[^]*esc back/);
  for (const line of output.text().split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(80);
  // oxlint-disable-next-line no-control-regex -- only what the frame stream itself writes may reach the terminal
  const written = output.written.join('').replaceAll(/\u001B\[\?\d+[hl]|\u001B\[[\d;]*[mHJK]|\u001B\]8;;\u0007/g, '');
  // oxlint-disable-next-line no-control-regex -- nothing else may steer it
  expect(written).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
});

it('loses no key that is typed fast, over screens and questions', async () => {
  const {shows, press} = (screen = await openScreen({services: services()}));
  await shows(/q quit/);
  press('jj');
  press('\r');
  press('?');
  await shows(/Fleet → capstan → Help/);
  press('\u001B');
  await shows(/Fleet → capstan *\n/);
});

it('gives the terminal back as it was', async () => {
  const {shows, press, output, input, ended} = (screen = await openScreen({services: services()}));
  await shows(/q quit/);
  expect([output.isAlternate, input.isRaw]).toEqual([true, true]);
  press('q');
  expect(await ended).toBeUndefined();
  const end = output.written.join('');
  expect(end.lastIndexOf('\u001B[?25h')).toBeGreaterThan(end.lastIndexOf('\u001B[?25l'));
  expect(end.lastIndexOf('\u001B[?7h')).toBeGreaterThan(end.lastIndexOf('\u001B[?7l'));
  expect(end.endsWith('\u001B[?1049l')).toBe(true);
  expect(input.isRaw).toBe(false);
});

it('throws what a component throws, after the terminal was given back', async () => {
  const all = services();
  const {shows, output, ended} = (screen = await openScreen({services: all}));
  await shows(/q quit/);
  all.fleet.set({...all.fleet.get(), rows: [{id: 'x', source: 'x', view: null as never}]});
  expect(await ended).toBeInstanceOf(TypeError);
  expect(output.written.join('').endsWith('\u001B[?1049l')).toBe(true);
});

it('copies to the clipboard of the terminal', async () => {
  const {shows, press, output} = (screen = await openScreen({services: services()}));
  await shows(/q quit/);
  press('jy');
  await shows(/Copied: berth/);
  expect(output.written.join('')).toContain(`\u001B]52;c;${Buffer.from('berth').toString('base64')}\u0007`);
});

it('remembers the columns that were chosen', async () => {
  const all = services();
  const {shows, press} = (screen = await openScreen({services: all, columns: 120}));
  await shows(/MODE/);
  press('c');
  await shows(/Which columns\?/);
  // down to MODE, which is shown, and off with it
  press('jj'.replaceAll('j', '\u001B[B'));
  press(' \r');
  await shows((text) => /NAME/.test(text) && !/MODE/.test(text) && /q quit/.test(text));
  expect(all.preferences.get().columns).not.toContain('mode');
});

it('lends the terminal to another program, and draws anew when that ends', async () => {
  const {shows, control, output, input, press} = (screen = await openScreen({services: services()}));
  await shows(/q quit/);
  await control.lend(async () => {
    await shows(() => !output.isAlternate);
    expect(input.isRaw).toBe(false);
  });
  await shows(() => output.isAlternate && /q quit/.test(output.text()));
  press('j');
  await shows(/❯ berth/);
  expect(input.isRaw).toBe(true);
});
