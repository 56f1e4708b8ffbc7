// A new user's whole way on real hosts, with only what is on the screen: `trireme` alone opens the wizard, its cluster is made before one's eyes on the
// network that it wrote, and the dashboard says Ready. From there labels and taints, cordon, maintenance and another version, each to its end.
import {existsSync} from 'node:fs';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {listRunRows} from '../../src/fleet/run-rows.ts';
import {bedConfiguration, upBed, whyNoBed, type Bed} from '../support/bed.ts';
import {missingPublicPlaces, startPublicPlaces, testbedCache, type PublicPlaces} from '../support/public-places.ts';
import {openProgram, openTerminal, type TestTerminal} from '../support/terminal.ts';
import {program} from '../support/trireme.ts';
import {answerAll, asks, enter, pick, write} from '../support/wizard.ts';

const missingOld = () =>
  existsSync(join(testbedCache(), 'public/dl.k8s.io/release/v1.35.4'))
    ? undefined
    : "Kubernetes v1.35.4 isn't laid out. Try: test/testbed/build.sh kubernetes-v1.35.4";
const reason = whyNoBed() ?? missingPublicPlaces() ?? missingOld();
if (reason !== undefined) console.warn(`dash-hosts-real: skipped, ${reason}`);

const minutes = 60_000;

interface Node {
  readonly metadata: {readonly name: string; readonly labels: Readonly<Record<string, string>>};
  readonly spec: {readonly unschedulable?: boolean; readonly taints?: readonly {readonly key: string}[]};
  readonly status: {readonly nodeInfo: {readonly kubeletVersion: string}; readonly conditions: readonly {readonly type: string; readonly status: string}[]};
}

describe.skipIf(reason !== undefined)('a new user with two real hosts', () => {
  let bed: Bed;
  let places: PublicPlaces;
  let folder: string;
  let password: string;
  let terminal: TestTerminal;

  beforeAll(async () => {
    bed = await upBed({hosts: 2, bed: 47});
    places = await startPublicPlaces();
    password = (await readFile(join(bed.folder, 'sudo-password'), 'utf8')).trim();
    folder = join(bed.work, 'berth');
    await mkdir(folder);
    // what a person has who reaches these hosts by ssh, and trusts nobody yet
    await mkdir(join(bed.home, '.ssh'), {recursive: true, mode: 0o700});
    const hosts = [1, 2].map(
      (index) => `Host h${index}\n  HostName ${bed.address(index)}\n  User ops\n  IdentityFile ${join(bed.folder, 'id')}\n  IdentitiesOnly yes\n`,
    );
    await writeFile(join(bed.home, '.ssh/config'), hosts.join('\n'));
    // what a site has written down that has no internet, and hosts with an old kernel
    const house = {bundle: {sources: places.sources}, configuration: bedConfiguration, agent: {preflight: {ignore: ['cgroup-v2']}}};
    await writeFile(join(folder, 'house.yaml'), stringify({spec: house}));
  });
  afterAll(async () => {
    await terminal?.close();
    await places?.close();
    await bed?.down();
  });

  const environment = () => ({HOME: bed.home, SUDO_PASSWORD: password, NO_COLOR: '1'});
  const kubectl = (script: string) => bed.ssh(1, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${script}`);
  const nodes = async () => (JSON.parse(await kubectl('get nodes -o json')) as {items: readonly Node[]}).items;
  const node = async (name: string) => (await nodes()).find((one) => one.metadata.name === name) as Node;

  it('gets through the wizard to a cluster that runs on the network which the wizard wrote, and that the dashboard shows Ready', async () => {
    const started = Date.now();
    terminal = openProgram('/bin/sh', [], {
      cwd: folder,
      env: {...environment(), PS1: 'prompt> ', PATH: `${join(bed.work, 'bin')}:${process.env['PATH']}`},
      columns: 120,
      rows: 40,
      patience: 8 * minutes,
    });
    await mkdir(join(bed.work, 'bin'));
    await writeFile(join(bed.work, 'bin/trireme'), `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, {mode: 0o755});
    await terminal.shows('prompt>');
    const before = terminal.presses;
    terminal.type('trireme\n');
    const path = [
      [/Which mode\?/, enter],
      [/What is the cluster called\?/, enter],
      [/Which hosts are control planes\?/, pick('space')],
      [/Which hosts are workers\?/, pick('space')],
      [/Change anything else\?/, pick('down', 'down', 'down', 'down', 'down', 'down', 'space')],
      [/Which file holds them\?/, write('house.yaml')],
      [/Trust these hosts/, pick('y')],
      [/Where does sudo's password come from\?/, pick('down')],
      [/Which environment variable holds the password\?/, write('SUDO_PASSWORD')],
      [/Where is the Kubernetes API reached\?/, enter],
      [/Which version of Kubernetes\?/, write('v1.35.4')],
      [/Which network do the pods get\?/, enter],
    ] as const;
    await answerAll(terminal, path);
    await terminal.shows('Wrote trireme.yaml, flannel/profile.yaml, flannel/kube-flannel.yaml for cluster berth.');
    await asks(terminal, /Apply this to berth\?/);
    const asked = Date.now();
    terminal.key('y', 'enter');
    await terminal.shows(/. apply berth/);
    await terminal.shows(/✔ berth: apply succeeded/);
    const applied = Date.now();
    terminal.type('trireme\n');
    await terminal.shows(() => terminal.isAlternate());
    await terminal.shows(/berth\s+✔ healthy\s+agent\s+v1\.35\.4\s+1\/1\s+1\/1/, {visible: true});
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(0);
    console.log(
      `real hosts: ${path.length + 1} questions, ${terminal.presses - before} keys; ${seconds(started, asked)} s to the last question, ${seconds(asked, applied)} s of run, ${seconds(applied, Date.now())} s until the dashboard showed it Ready`,
    );
    expect(terminal.text()).not.toContain('SIMULATED');
    expect((await nodes()).map(({metadata, status}) => [metadata.name, status.conditions.find(({type}) => type === 'Ready')?.status])).toEqual([
      ['h1', 'True'],
      ['h2', 'True'],
    ]);
    expect(await kubectl("-n kube-flannel get pods -o jsonpath='{.items[*].status.phase}'")).toBe('Running Running');
    // DNS is there with the first one
    const resolvers = () => kubectl("-n kube-system get deployment coredns -o jsonpath='{.status.availableReplicas}'");
    await expect.poll(resolvers, {timeout: minutes, interval: 1000}).toBe('2');
    terminal.key('q');
    await terminal.shows(() => !terminal.isAlternate());
    terminal.type('exit\n');
    expect(await terminal.exited).toBe(0);
    expect((await readFile(join(folder, 'trireme.yaml'), 'utf8')) + terminal.raw).not.toContain(password);
  });

  it('sets labels and taints, cordons, maintains and upgrades from the screen, each with its plan in view and its run to the end', async () => {
    const file = join(folder, 'trireme.yaml');
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace(/(name: h2,.*role: worker)\}/, '$1, labels: {zone: a}, taints: [{key: gpu, effect: PreferNoSchedule}]}'),
    );
    await terminal.close();
    terminal = openTerminal(['dash'], {cwd: folder, env: environment(), columns: 120, rows: 40, patience: 10 * minutes});
    const shows = (pattern: RegExp) => terminal.shows(pattern, {visible: true});
    /** To the screen before, once the run has ended well. */
    const runs = async (end: RegExp) => {
      await shows(/→ Run/);
      await shows(end);
      expect(terminal.screen()).not.toContain('SIMULATED');
      terminal.key('escape');
    };
    // a key after Esc is one with Alt: each screen is waited for
    const fleet = /Fleet\s*\n[^]*❯ berth\s+✔ healthy/;
    const worker = /Fleet → berth\s*\n[^]*❯ .*h2/;
    await shows(fleet);
    terminal.key('A');
    await shows(/node\.labels\.zone[^]*y apply its file/);
    terminal.key('y');
    await runs(/✔ apply berth .*succeeded in/);
    const h2 = await node('h2');
    expect([h2.metadata.labels['zone'], h2.spec.taints?.map(({key}) => key)]).toEqual(['a', ['gpu']]);

    await shows(fleet);
    terminal.key('enter');
    await shows(/└─ ✔ h2 .*ready/);
    terminal.key('G');
    await shows(worker);
    terminal.key('c');
    await shows(/y cordon/);
    terminal.key('y');
    await runs(/✔ cordon .*succeeded in/);
    expect((await node('h2')).spec.unschedulable).toBe(true);
    await shows(worker);
    terminal.key('C');
    await shows(/y uncordon/);
    terminal.key('y');
    await runs(/✔ uncordon .*succeeded in/);
    expect((await node('h2')).spec.unschedulable).toBeUndefined();

    await shows(worker);
    terminal.key('M');
    await shows(/Command to run on it/);
    terminal.type('touch /var/tmp/maintained');
    terminal.key('enter');
    await shows(/y maintain/);
    terminal.key('y');
    await runs(/✔ maintain .*succeeded in/);
    expect(await bed.ssh(2, 'ls /var/tmp/maintained')).toBe('/var/tmp/maintained\n');
    expect((await node('h2')).spec.unschedulable).toBeUndefined();

    await shows(worker);
    terminal.key('escape');
    await shows(fleet);
    terminal.key('u');
    await shows(/To which version/);
    terminal.type('v1.36.3');
    terminal.key('enter');
    await shows(/y upgrade/);
    terminal.key('y');
    await runs(/✔ upgrade berth .*succeeded in/);
    await shows(/berth\s+✔ healthy\s+agent\s+v1\.36\.3\s+1\/1\s+1\/1/);
    expect((await nodes()).map(({status}) => status.nodeInfo.kubeletVersion)).toEqual(['v1.36.3', 'v1.36.3']);
    terminal.key('q');
    expect(await terminal.exited).toBe(0);
    const rows = await listRunRows(join(bed.home, '.local/state/trireme'), {max: 10});
    expect(rows.map((row) => [row.header?.operation, row.outcome])).toEqual(
      ['upgrade', 'maintain', 'uncordon', 'cordon', 'apply', 'apply'].map((operation) => [operation, 'succeeded']),
    );
  });
});
