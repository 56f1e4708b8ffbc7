// What `kill -9` of apply after step k must come to: resume ends as an undisturbed run does.
import {expect} from 'vitest';
import {resultOf} from './trireme.ts';
import {eventsOf, startTestSandbox} from './sandbox-run.ts';

interface View {
  readonly health: string;
  readonly machines: readonly {readonly name: string; readonly role: string; readonly state: string; readonly version?: string}[];
}

const size = {controlPlanes: 3, workers: 1};

/** The cluster as an undisturbed apply leaves it, and how many steps that took. */
export async function undisturbed(): Promise<{readonly view: View; readonly steps: number}> {
  const sandbox = await startTestSandbox(size);
  try {
    const ran = await sandbox.trireme(['apply', '--yes', '-o', 'ndjson']);
    expect(ran.code, ran.stderr + ran.stdout).toBe(0);
    const steps = eventsOf(ran).filter((event) => event.type === 'step.finished').length;
    return {view: await viewOf(sandbox), steps};
  } finally {
    await sandbox.stop();
  }
}

async function viewOf(sandbox: Awaited<ReturnType<typeof startTestSandbox>>): Promise<View> {
  const {health, machines} = resultOf<View>(await sandbox.trireme(['status', '-o', 'json']));
  return {health, machines: machines.map(({name, role, state, version}) => ({name, role, state, ...(version === undefined ? {} : {version})}))};
}

/** Kills apply as soon as its k-th step has finished, goes on with --resume, and holds the end against `expected`. */
export async function killAndResume(k: number, expected: View): Promise<void> {
  const sandbox = await startTestSandbox(size);
  try {
    const running = sandbox.start(['apply', '--yes', '-o', 'ndjson']);
    const seen = new RegExp(`(?:"type":"step\\.finished"[\\s\\S]*?){${k}}`);
    await running.saw(seen);
    running.kill('SIGKILL');
    expect((await running.ended).signal).toBe('SIGKILL');

    const history = resultOf<{runs: {outcome: string | null}[]}>(await sandbox.trireme(['history', '-o', 'json']));
    expect(history.runs[0]?.outcome ?? null, 'history tells that the run was cut off').not.toBe('succeeded');

    const resumed = await sandbox.trireme(['apply', '--resume', '--yes']);
    expect(resumed.code, `after step ${k}:\n${resumed.stderr}${resumed.stdout}`).toBe(0);
    expect(await viewOf(sandbox)).toEqual(expected);
    const again = await sandbox.trireme(['plan', '--exit-code']);
    expect(again.code, again.stdout + again.stderr).toBe(0);
  } finally {
    await sandbox.stop();
  }
}
