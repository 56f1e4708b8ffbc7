// kill -9 of a change of members after each of its steps, on simulated hosts: a control plane goes and another comes, back and forth.
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventsOf, startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {hasFinishedSteps, resultOf, type Ran} from '../support/trireme.ts';

describe('kill -9 of a change of members', () => {
  let sandbox: TestSandbox;
  let whole: string;
  const without = (...names: readonly string[]) =>
    writeFile(
      sandbox.file,
      whole
        .split('\n')
        .filter((line) => !names.some((name) => line.includes(`name: ${name},`)))
        .join('\n'),
    );
  const expectGood = (ran: Ran, what: string) => expect(ran.code, `${what}:\n${ran.stderr}\n${ran.stdout}`).toBe(0);
  const members = async () => {
    const root = sandbox.hosts.find((host) => host.name === 'cp1')?.root ?? '';
    return (JSON.parse(await readFile(join(root, 'var/lib/etcd/simulated.json'), 'utf8')) as {members: readonly string[]}).members;
  };
  const machines = async () =>
    resultOf<{machines: {name: string; state: string}[]}>(await sandbox.trireme(['status', '-o', 'json'])).machines.map(({name, state}) => `${name} ${state}`);

  beforeAll(async () => {
    sandbox = await startTestSandbox({controlPlanes: 4, workers: 1});
    whole = await readFile(sandbox.file, 'utf8');
    await without('cp4');
    await sandbox.trireme(['apply', '--yes']);
  });
  afterAll(() => sandbox?.stop());

  test('after each step k: apply --resume ends with the members of the file, and none twice', {timeout: 1_800_000}, async () => {
    await without('cp3');
    const whole3 = await sandbox.trireme(['apply', '--yes', '--confirm', 'cp3', '-o', 'ndjson']);
    expectGood(whole3, 'undisturbed');
    const steps = eventsOf(whole3).filter((event) => event.type === 'step.finished').length;
    expect(steps).toBeGreaterThan(12);
    let [comes, goes] = ['cp3', 'cp4'];
    for (let k = 1; k < steps; k += 1) {
      await without(goes);
      const running = sandbox.start(['apply', '--yes', '--confirm', goes, '-o', 'ndjson']);
      await running.saw(hasFinishedSteps(k));
      running.kill('SIGKILL');
      await running.ended;
      const ran = await sandbox.trireme(['apply', '--resume', '--yes', '--confirm', goes]);
      expectGood(ran, `killed after step ${k}`);
      expect(await machines(), `killed after step ${k}`).toEqual(['cp1 ready', 'cp2 ready', `${comes} ready`, 'w1 ready']);
      await expect.poll(members, {timeout: 10_000}).toEqual(['cp1', 'cp2', comes]);
      console.log(`killed after step ${k} of ${steps}: resumed with cp1, cp2, ${comes}`);
      [comes, goes] = [goes, comes];
    }
  });
});
