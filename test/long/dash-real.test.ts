// The dashboard on a real management cluster: a cluster is made, scaled and upgraded from the screen, and its runs are watched to their ends.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {listRunRows} from '../../src/fleet/run-rows.ts';
import {type ManagementCluster, missingManagementCluster, startManagementCluster} from '../support/management-cluster.ts';
import {openPty, type PtyScreen} from '../support/pty.ts';
import {program} from '../support/trireme.ts';

const missing = await missingManagementCluster();
if (missing !== undefined) console.warn(`dash-real: skipped, ${missing}`);

const fixture = fileURLToPath(new URL('../fixtures/controller/class-with-variables.yaml', import.meta.url));
const minutes = 60_000;

describe.skipIf(missing !== undefined)('the dashboard on a real management cluster', () => {
  let folder: string;
  let management: ManagementCluster;
  const open: PtyScreen[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-dash-'));
    management = await startManagementCluster();
    await management.kubectl(['apply', '-f', fixture]);
    await management.kubectl(['wait', '--for=condition=VariablesReady', 'clusterclass/harbour', '--timeout=60s']);
    await writeFile(
      join(folder, 'trireme.yaml'),
      `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: bireme}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    kubeconfig: ${management.kubeconfig}
    class: harbour
    variables: {size: small, startup: 1s}
    pools: [{name: quay, class: default-worker, replicas: 1}]
`,
    );
  });
  afterAll(async () => {
    for (const one of open) one.kill('SIGKILL');
    await management?.stop();
    await rm(folder, {recursive: true, force: true, maxRetries: 5, retryDelay: 200});
  });

  const start = (...args: readonly string[]) => {
    const terminal = openPty(process.execPath, [program, ...args], {
      env: {HOME: folder, XDG_STATE_HOME: join(folder, 'state'), NO_COLOR: '1'},
      cwd: folder,
      columns: 120,
      rows: 40,
    });
    open.push(terminal);
    return terminal;
  };
  const versions = async () => (await management.kubectl(['get', 'machines', '-o', 'jsonpath={.items[*].spec.version}'])).trim().split(' ').toSorted();

  it('makes, scales and upgrades a cluster, each with the plan in view and its run to the end', async () => {
    // no for an answer: from then on the cluster is known, and nothing of it is there
    const first = start('apply');
    await first.shows(/Apply this to bireme\?/, minutes);
    first.write('n\r');
    expect(await first.exited).toBe(5);

    const dash = start('dash');
    await dash.shows(/❯ bireme/, minutes);
    const run = async (keys: readonly (readonly [string, RegExp])[], end: RegExp) => {
      for (const [key, shown] of keys) {
        dash.write(key);
        await dash.shows(shown, minutes);
      }
      const text = await dash.shows(end, 8 * minutes);
      expect(text).not.toContain('SIMULATED');
      dash.write('\u001B');
      await dash.shows(/NAME[^]*bireme/, minutes);
    };
    await run(
      [
        ['A', /y apply its file/],
        ['y', /Fleet → Run/],
      ],
      /✔ apply bireme .*succeeded in/,
    );
    expect(await versions()).toEqual(['v1.35.4', 'v1.35.4']);
    await dash.shows(/❯ bireme +✔ healthy/, 2 * minutes);
    await run(
      [
        ['=', /❯ control-plane=1 quay=1/],
        ['\u0015control-plane=1 quay=2\r', /y scale/],
        ['y', /Fleet → Run/],
      ],
      /✔ scale bireme .*succeeded in/,
    );
    expect(await versions()).toHaveLength(3);
    await run(
      [
        ['u', /To which version/],
        ['v1.36.3\r', /y upgrade/],
        ['y', /Fleet → Run/],
      ],
      /✔ upgrade bireme .*succeeded in/,
    );
    expect(await versions()).toEqual(['v1.36.3', 'v1.36.3', 'v1.36.3']);
    dash.write('q');
    expect(await dash.exited).toBe(0);
    expect((await listRunRows(join(folder, 'state', 'trireme'), {max: 5})).map((row) => [row.header?.operation, row.outcome])).toEqual([
      ['upgrade', 'succeeded'],
      ['scale', 'succeeded'],
      ['apply', 'succeeded'],
    ]);
  });
});
