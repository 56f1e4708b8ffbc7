// The dashboard on a pseudo-terminal, against the embedded management API (SIMULATED): what a person does there is done, and goes on without it.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {listRunRows} from '../../src/fleet/run-rows.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import {startManagement, type ManagementApi} from '../../src/sandbox/management/management.ts';
import {openPty, type PtyScreen} from '../support/pty.ts';
import {program, trireme} from '../support/trireme.ts';

const fileOf = (kubeconfig: string) => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: dock}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    kubeconfig: ${kubeconfig}
    class: in-memory
    controlPlane: {replicas: 1}
    pools: [{name: md-0, class: default-worker, replicas: 1}]
`;

describe('the dashboard acts', {timeout: 120_000}, () => {
  let management: ManagementApi;
  let root: string;
  let env: Readonly<Record<string, string | undefined>>;
  const open: PtyScreen[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-acts-'));
    management = await startManagement();
    env = {HOME: root, XDG_STATE_HOME: join(root, 'state'), SHELL: '/bin/sh'};
    await writeFile(join(root, 'dock.yaml'), fileOf(management.kubeconfig.path));
    const made = await trireme(['apply', '-f', 'dock.yaml', '--yes'], {cwd: root, env: {...env, PATH: process.env['PATH']}});
    if (made.code !== 0) throw new Error(made.stderr);
  }, 60_000);
  afterAll(async () => {
    for (const one of open) one.kill('SIGKILL');
    await management?.stop();
    await rm(root, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
  });

  const start = (...args: readonly string[]) => {
    const terminal = openPty(process.execPath, [program, ...args], {env, cwd: root});
    open.push(terminal);
    return terminal;
  };

  it('scales with the plan in view, and the run ends although the dashboard was killed', async () => {
    management.faults.stuckInfrastructure.add('dock/md-0');
    const dash = start('dash');
    await dash.shows(/dock +✔ healthy/);
    dash.write('=');
    await dash.shows(/❯ control-plane=1 md-0=1/);
    dash.write('\u0015control-plane=1 md-0=2\r');
    const question = await dash.shows(/y scale/);
    expect(question).toMatch(/\$ trireme cluster scale dock md-0=2 --wait -f \S+dock\.yaml/);
    expect(question).toMatch(/\+ .*replicas: 2/);
    dash.write('y');
    await dash.shows(/SIMULATED . scale dock/);
    dash.kill('SIGKILL');
    await dash.exited;
    const folder = join(root, 'state', 'trireme');
    const [going] = await listRunRows(folder, {max: 1});
    expect(going).toMatchObject({state: 'running', header: {operation: 'scale'}});
    management.faults.clear();
    const ended = await waitFor(
      async () => {
        const [row] = await listRunRows(folder, {max: 1});
        return row?.state === 'finished' ? row : undefined;
      },
      {timeout: 30_000, interval: 100},
    );
    expect(ended).toMatchObject({outcome: 'succeeded'});
  });

  it("finds the run again in the history, and gives the terminal to a shell with the cluster's kubeconfig", async () => {
    const dash = start('dash');
    await dash.shows(/dock +✔ healthy/);
    dash.write('H');
    await dash.shows(/dock history[^]*scale +succeeded/);
    dash.write('\r');
    await dash.shows(/✔ scale dock .*succeeded in/);
    dash.write('r');
    await dash.shows(/(playing|ended) 1x/);
    dash.write('$');
    await dash.shows(/ended/);
    dash.write('\u001B');
    await dash.shows(/→ Run \S+ *\n/);
    dash.write('\u001B');
    await dash.shows(/scale +succeeded/);
    dash.write('\u001B');
    await dash.shows(/NAME/);
    dash.write('!');
    await dash.shows(/Program; none opens your shell/);
    dash.write('\r');
    await dash.shows(/A shell with the kubeconfig of dock/);
    expect(dash.isAlternate()).toBe(false);
    dash.write('test -s "$KUBECONFIG" && echo there-is-$((40 + 2))\r');
    await dash.shows(/there-is-42/);
    // Ctrl-C is the shell's, not the dashboard's
    dash.write("sh -c 'echo sleeps-$((40 + 2)); exec sleep 100'\r");
    await dash.shows(/sleeps-42/);
    dash.write('\u0003');
    dash.write('echo still-$((40 + 2))\r');
    await dash.shows(/still-42/);
    dash.write('exit\r');
    await dash.shows(/Shell with its kubeconfig ended\./);
    expect(dash.isAlternate()).toBe(true);
    dash.write('q');
    expect(await dash.exited).toBe(0);
    expect(dash.isAlternate()).toBe(false);
  });

  it('replays a run from its command', async () => {
    const replay = start('history', 'last', '--replay');
    await replay.shows(/Replay \S+[^]*(playing|ended)/);
    replay.write('$');
    await replay.shows(/✔ scale dock .*succeeded in/);
    replay.write('q');
    expect(await replay.exited).toBe(0);
  });

  it('draws the run of apply under its lines: the first Ctrl-C finishes the safe step, and the picture stays', async () => {
    management.faults.stuckInfrastructure.add('dock/md-0');
    await writeFile(join(root, 'dock.yaml'), fileOf(management.kubeconfig.path).replace('replicas: 1}]', 'replicas: 3}]'));
    const apply = start('apply', '-f', 'dock.yaml', '--yes');
    await apply.shows(/. apply dock .*\n[^]*Wait/);
    expect(apply.isAlternate()).toBe(false);
    apply.write('\u0003');
    await apply.shows(/Stopping: the steps that run now are finished first/);
    expect(await apply.exited).toBe(130);
    const text = apply.text();
    expect(text).toMatch(/▲ apply dock .*interrupted in[^]*dock: apply was interrupted/);
    // one picture, whatever was drawn: each frame took the place of the one before
    expect(text.match(/apply dock {2}/g)).toHaveLength(1);
    management.faults.clear();
  });

  it('prints plain lines where nothing can be drawn', async () => {
    await writeFile(join(root, 'dock.yaml'), fileOf(management.kubeconfig.path).replace('replicas: 1}]', 'replicas: 2}]'));
    const apply = openPty(process.execPath, [program, 'apply', '-f', 'dock.yaml', '--yes'], {env: {...env, TERM: 'dumb'}, cwd: root});
    open.push(apply);
    expect(await apply.exited).toBe(0);
    // oxlint-disable-next-line no-control-regex -- escapes are what this is about
    expect(apply.written()).not.toMatch(/\u001B|[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    // how many lines follow is a matter of time: it may have scrolled away
    expect(apply.written()).toMatch(/Run \S+: apply dock/);
  });
});
