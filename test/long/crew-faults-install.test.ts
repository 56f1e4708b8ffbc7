// One installation of three control planes and a worker over a bad network, with all that can happen to it: a disk that fills in the push, one that
// fills while images are imported, power lost in the push and in the join. The tests are in order.
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {damagedContent, expectNamed, expectWell, fill, loseOneOf, makeRoom, mendLoss, mountOver, outcomesOf, slowConfig} from '../support/crew-faults.ts';
import {missingPublicPlaces} from '../support/public-places.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
const state = '/var/lib/trireme';
const images = '/var/lib/containerd';

describe.skipIf(reason !== undefined)(`faults in a real installation${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  beforeAll(async () => {
    crew = await upCrew({hosts: 4});
    // 50 ms to every answer, one packet of 200 never arrives at h3, and h1 gets 200 Mbit/s at most
    await crew.write([1, 2, 3], [4], undefined, {sshConfig: await slowConfig(crew, 50)});
    await loseOneOf(crew, 3, 200);
    await crew.bed.hosts('rate', 'h1', '200mbit');
  });
  afterAll(async () => crew?.down());

  test('a disk that fills and power that is lost, in the push: host, cause and remedy are named, and the others go on', async () => {
    const {bed} = crew;
    await mountOver(crew, 4, state);
    const running = bed.start(['apply', '--yes', '-o', 'ndjson']);
    const filled = running.saw(/"type":"transfer.progressed","host":"h4"/).then(() => fill(crew, 4, state));
    const cut = running.saw(/"type":"transfer.progressed","host":"h2"/).then(() => bed.hosts('kill', 'h2'));
    await Promise.all([filled, cut]);
    await bed.hosts('boot', 'h2');
    const ran = await running.ended;
    expect(ran.code, ran.stderr.slice(-4000)).not.toBe(0);
    expectNamed(ran, {
      host: 'h4',
      code: ['host.disk-full'],
      cause: /\/var\/lib\/trireme.* is full/,
      remedy: /^Make room there, or mount a larger file system/m,
    });
    expectNamed(ran, {host: 'h2', code: ['host.connection-lost', 'host.unreachable', 'host.port-closed'], cause: /h2/, remedy: /host check h2|again/});
    expect(outcomesOf(ran).filter((one) => ['h1', 'h3'].includes(one.host))).toEqual([
      {host: 'h1', outcome: 'changed'},
      {host: 'h3', outcome: 'changed'},
    ]);
    // the half-sent blob lies at its staging place, and no name leads to less than its content
    for (const index of [2, 4]) expect(await damagedContent(crew, index), `h${index}`).toEqual([]);
    // a larger disk takes its place
    await bed.ssh(4, `umount ${state}`);
  });

  test('resumed: a disk that fills while images are imported, and power that is lost in the join', async () => {
    const {bed} = crew;
    await mountOver(crew, 4, images);
    const running = bed.start(['apply', '--resume', '--yes', '-o', 'ndjson']);
    const filled = running.saw(/"host":"h4","stream":"stdout","line":"Import /).then(() => fill(crew, 4, images));
    const cut = running
      .saw(/"host":"h2","stream":"stdout","line":"Start the kubelet and join etcd"/)
      .then(() => bed.hosts('kill', 'h2'))
      .then(() => bed.hosts('boot', 'h2'));
    await Promise.all([filled, cut]);
    const ran = await running.ended;
    expect(ran.code, ran.stderr.slice(-4000)).not.toBe(0);
    expectNamed(ran, {host: 'h4', code: ['host.disk-full'], cause: /no room left.*no space left on device/is, remedy: /df -h[\s\S]*apply --resume/});
    // h2 goes on by itself after its boot: the run waits for it, unless that took too long
    const second = outcomesOf(ran).find((one) => one.host === 'h2');
    if (second?.outcome !== 'changed')
      expectNamed(ran, {host: 'h2', code: ['host.connection-lost', 'host.unreachable'], cause: /h2/, remedy: /host check|again/});
    await makeRoom(crew, 4, images);
  });

  test('once the causes are gone it ends healthy, with one member of etcd a host and nothing half-written', async () => {
    const {bed} = crew;
    expectCode(await bed.trireme(['apply', '--resume', '--yes']), 0);
    await mendLoss(crew, 3);
    await crew.bed.hosts('rate', 'h1', 'off');
    await expectWell(crew, [1, 2, 3], [4]);
    expectCode(await bed.trireme(['plan', '--exit-code']), 0);
  });
});
