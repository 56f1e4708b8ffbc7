// A real cluster of three control planes and a worker that is at work: its agent is killed, its cables are cut, its disk fills, all its hosts lose their
// power together. The tests are in order.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {expectNamed, expectWell, killAgent, outcomesOf} from '../support/crew-faults.ts';
import {missingPublicPlaces} from '../support/public-places.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
const all = [1, 2, 3, 4];

describe.skipIf(reason !== undefined)(`faults of a real cluster${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  beforeAll(async () => {
    crew = await upCrew({hosts: 4});
    await crew.write([1, 2, 3], [4]);
    expectCode(await crew.bed.trireme(['apply', '--yes']), 0);
  });
  afterAll(async () => crew?.down());

  /** A wish that every host has to work for. */
  const wish = (backlog: number) =>
    crew.write([1, 2, 3], [4], undefined, {
      hosts: Object.fromEntries(all.map((index) => [index, {labels: {wish: `w${backlog}`}, configuration: {sysctls: {'net.core.somaxconn': backlog}}}])),
    });
  const backlogs = () => Promise.all(all.map((index) => crew.bed.ssh(index, 'sysctl -n net.core.somaxconn')));

  test('the agent of a control plane and that of the worker are killed five times each in a run, which comes to its end', async () => {
    await wish(4097);
    const running = crew.bed.start(['apply', '--yes', '-o', 'ndjson']);
    await running.saw(/"type":"run.started"/);
    await Promise.all([killAgent(crew, 2, 5), killAgent(crew, 4, 5)]);
    const ran = await running.ended;
    if (ran.code !== 0) {
      for (const {host, outcome} of outcomesOf(ran))
        if (outcome === 'failed') expectNamed(ran, {host, code: ['agent.not-answering'], cause: /agent/i, remedy: /agent logs|apply|status/});
      expectCode(await crew.bed.trireme(['apply', '--resume', '--yes']), 0);
    }
    await expectWell(crew, [1, 2, 3], [4]);
    expect(await backlogs()).toEqual(all.map(() => '4097\n'));
  });

  test('a cable is cut for 60 s in a run: the others go on, and so does the host when it is mended', async () => {
    await wish(4098);
    const running = crew.bed.start(['apply', '--yes', '-o', 'ndjson']);
    await running.saw(/"type":"run.started"/);
    await crew.bed.hosts('cut', 'h2');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    await crew.bed.hosts('mend', 'h2');
    const ran = await running.ended;
    expect(outcomesOf(ran).filter((one) => one.host !== 'h2')).toEqual(['h1', 'h3', 'h4'].map((host) => ({host, outcome: 'changed'})));
    if (ran.code !== 0) {
      expectNamed(ran, {host: 'h2', code: ['host.connection-lost', 'host.unreachable', 'host.command-timed-out'], cause: /h2/, remedy: /host check h2|again/});
      expectCode(await crew.bed.trireme(['apply', '--resume', '--yes']), 0);
    }
    await expectWell(crew, [1, 2, 3], [4]);
    expect(await backlogs()).toEqual(all.map(() => '4098\n'));
  });

  test('all hosts lose their power together: they come back Ready without an operator', async () => {
    const boots = await crew.bed.ssh(1, 'kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath="{.items[*].status.nodeInfo.bootID}"');
    await Promise.all(all.map((index) => crew.bed.hosts('kill', `h${index}`)));
    await Promise.all(all.map((index) => crew.bed.hosts('boot', `h${index}`)));
    const started = Date.now();
    await expectWell(crew, [1, 2, 3], [4]);
    console.log(`all hosts Ready ${Math.round((Date.now() - started) / 1000)} s after the last one answers over SSH`);
    expect(boots).not.toBe('');
    expectCode(await crew.bed.trireme(['plan', '--exit-code']), 0);
    expect(await backlogs()).toEqual(all.map(() => '4098\n'));
  });
});
