// The desk against the embedded management API (SIMULATED): an action is its command, and its run belongs to nobody's screen.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ActionRequest, Answers} from '../../../src/actions/action.ts';
import {createDesk, type Desk} from '../../../src/actions/desk.ts';
import {requireAction} from '../../../src/actions/table.ts';
import {readRunRow} from '../../../src/fleet/run-rows.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import {controllerMode} from '../../../src/modes/controller/controller-mode.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {program, trireme} from '../../support/trireme.ts';

const file = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: dock}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    class: in-memory
    controlPlane: {replicas: 1}
    pools: [{name: md-0, class: default-worker, replicas: 1}]
`;

describe('the desk', {timeout: 60_000}, () => {
  let management: ManagementApi;
  let root: string;
  let desk: Desk;
  let env: Readonly<Record<string, string | undefined>>;
  let folder: string;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-desk-'));
    management = await startManagement();
    folder = join(root, 'state', 'trireme');
    // a person's environment names another file: an action says its place whole
    env = {PATH: process.env['PATH'], HOME: root, XDG_STATE_HOME: join(root, 'state'), KUBECONFIG: '/dev/null', TRIREME_FILE: '/nowhere.yaml'};
    desk = createDesk({
      program: {execPath: process.execPath, script: program, cwd: root, env, folder},
      modes: {controller: controllerMode.capabilities},
    });
    await writeFile(join(root, 'dock.yaml'), file);
    const made = await trireme(['apply', '-f', join(root, 'dock.yaml'), '--yes'], {cwd: root, env: {...env, KUBECONFIG: management.kubeconfig.path}});
    if (made.code !== 0) throw new Error(made.stderr);
  }, 60_000);
  afterAll(async () => {
    await management?.stop();
    await rm(root, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  });

  const request = (id: string, answers: Answers = {}): ActionRequest => ({
    action: requireAction(id),
    subject: {
      about: 'cluster',
      cluster: {name: 'dock', mode: 'controller', files: [join(root, 'dock.yaml')], kubeconfig: management.kubeconfig.path, namespace: 'default'},
    },
    answers,
  });

  it("shows the command's own plan, with its cost and what changes in the file, and changes nothing", async () => {
    const [good, bad] = await desk.preview(
      [request('cluster scale', {counts: {'md-0': 2}}), request('cluster upgrade', {to: 'v1.34.0'})],
      new AbortController().signal,
    );
    expect(good).toMatchObject({
      plan: {operation: 'scale', cluster: 'dock', simulated: true, changes: true, hosts: expect.arrayContaining([expect.objectContaining({state: 'changed'})])},
      file: {path: join(root, 'dock.yaml'), diff: expect.stringContaining('replicas: 2')},
    });
    expect(good?.commandLine).toContain('trireme cluster scale dock md-0=2 --wait -f ');
    expect(bad?.plan).toBeUndefined();
    expect(bad?.problem?.message).toContain('v1.34.0');
  });

  it('begins a run that goes on to its end when the program that began it is killed', async () => {
    management.faults.stuckInfrastructure.add('dock/md-0');
    const starter = spawn(
      process.execPath,
      ['--input-type=module', '-e', starterScript(request('cluster scale', {counts: {'md-0': 2}}), await bundleDesk(root))],
      {
        env: env as NodeJS.ProcessEnv,
        stdio: ['ignore', 'pipe', 'inherit'],
        detached: true,
      },
    );
    const [line] = (await once(starter.stdout.setEncoding('utf8'), 'data')) as [string];
    const {run} = JSON.parse(line) as {run: string};
    // the whole group, as a terminal that is closed does it, and at once
    process.kill(-(starter.pid as number), 'SIGKILL');
    await once(starter, 'close');
    expect((await readRunRow(folder, run)).state).toBe('running');
    const store = desk.runs.follow(run);
    management.faults.clear();
    const ended = await waitFor(async () => (store.get().state === 'finished' ? store.get() : undefined), {timeout: 30_000, interval: 50});
    store.stop();
    expect(ended?.view).toMatchObject({operation: 'scale', subject: 'dock', outcome: 'succeeded', simulated: true});
    expect((await desk.runs.list({max: 5, cluster: 'dock'}))[0]).toMatchObject({run, state: 'finished', outcome: 'succeeded'});
  });

  it('finishes the safe step of a run that is stopped from the screen', async () => {
    management.faults.stuckInfrastructure.add('dock/md-0');
    const [started] = await desk.start([request('cluster scale', {counts: {'md-0': 3}})]);
    const run = started?.run ?? '';
    const store = desk.runs.follow(run);
    await waitFor(async () => store.get().view.hosts.find((host) => host.step?.id.startsWith('wait')), {timeout: 20_000, interval: 20});
    expect(await desk.runs.stop(run)).toBe(true);
    const ended = await waitFor(async () => (store.get().state === 'finished' ? store.get() : undefined), {timeout: 30_000, interval: 50});
    expect(ended?.view.outcome).toBe('interrupted');
    management.faults.clear();
    await waitFor(async () => ((await readdir(join(folder, 'launched'))).length <= 1 ? true : undefined), {timeout: 10_000, interval: 50});
    expect(await desk.runs.stop(run)).toBe(false);
  });

  it('says at once what is refused, and begins no run', async () => {
    const before = (await desk.runs.list({max: 50})).length;
    const [refused] = await desk.start([request('cluster delete', {confirm: 'duck'})]);
    expect(refused).toMatchObject({problem: {code: 'answer.refused'}});
    expect(await desk.runs.list({max: 50})).toHaveLength(before);
  });
});

/** A program that begins the action as the dashboard does, says its run, and stays. */
function starterScript(asked: ActionRequest, module: string): string {
  return `
import {createDesk, requireAction} from ${JSON.stringify(module)};
const desk = createDesk({
  program: {execPath: process.execPath, script: ${JSON.stringify(program)}, cwd: process.env.HOME, env: process.env, folder: process.env.XDG_STATE_HOME + '/trireme'},
  modes: {},
});
const [started] = await desk.start([{...${JSON.stringify(asked)}, action: requireAction(${JSON.stringify(asked.action.id)})}]);
process.stdout.write(JSON.stringify(started) + '\\n');
setInterval(() => {}, 1000);
`;
}

/** The desk's sources as one module that a plain Node can load. */
async function bundleDesk(folder: string): Promise<string> {
  const outfile = join(folder, 'desk.mjs');
  await build({
    stdin: {
      contents: `export {createDesk} from './desk.ts'; export {requireAction} from './table.ts';`,
      resolveDir: fileURLToPath(new URL('../../../src/actions', import.meta.url)),
    },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  return outfile;
}
