// Power is lost in the middle of an upgrade of three real control planes from v1.35.4 to v1.36.3: the first one while it upgrades the cluster, the second
// while its own components are changed.
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {expectNamed, expectWell, outcomesOf} from '../support/crew-faults.ts';
import {missingPublicPlaces, testbedCache} from '../support/public-places.ts';
import type {Ran} from '../support/trireme.ts';

const missingOld = () =>
  existsSync(join(testbedCache(), 'public/dl.k8s.io/release/v1.35.4'))
    ? undefined
    : "Kubernetes v1.35.4 isn't laid out. Try: test/testbed/build.sh kubernetes-v1.35.4";
const reason = whyNoBed() ?? missingPublicPlaces() ?? missingOld();

describe.skipIf(reason !== undefined)(`power lost in an upgrade${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let crew: Crew;
  beforeAll(async () => {
    crew = await upCrew({hosts: 3});
    await crew.write([1, 2, 3], [], undefined, {version: 'v1.35.4'});
    expectCode(await crew.bed.trireme(['apply', '--yes']), 0);
  });
  afterAll(async () => crew?.down());

  test('the first loses it in kubeadm upgrade apply, the second while its components change: they go on after their boots, or are named', async () => {
    const {bed} = crew;
    await crew.write([1, 2, 3], [], undefined, {version: 'v1.36.3'});
    const changes = (host: string) => new RegExp(`"host":"${host}","stream":"stdout","line":"\\[upgrade/staticpods\\]`);
    const long = {timeout: 1_500_000};
    let running = bed.start(['apply', '--yes', '-o', 'ndjson'], long);
    for (const host of ['h1', 'h2']) {
      // a run that outlives the first cut comes to the second host by itself
      while (!(await running.saw(changes(host)).then(isTrue, isFalse))) {
        expectNamedOnes(await running.ended);
        running = bed.start(['apply', '--resume', '--yes', '-o', 'ndjson'], long);
      }
      await bed.hosts('kill', host);
      await bed.hosts('boot', host);
    }
    const ran = await running.ended;
    console.log(`after both cuts the run ended with ${ran.code}`);
    if (ran.code !== 0) expectNamedOnes(ran);
  }, 1_800_000);

  test('in the end all of it is at v1.36.3 and healthy, with one member of etcd a host and nothing half-written', async () => {
    const {bed} = crew;
    const ran = await bed.trireme(['apply', '--yes']);
    expectCode(ran, 0);
    await expectWell(crew, [1, 2, 3]);
    const versions = await bed.ssh(1, 'kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath="{.items[*].status.nodeInfo.kubeletVersion}"');
    expect(versions.split(' ')).toEqual(['v1.36.3', 'v1.36.3', 'v1.36.3']);
    const cordoned = await bed.ssh(1, 'kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes -o jsonpath="{.items[*].spec.unschedulable}"');
    expect(cordoned).toBe('');
    expectCode(await bed.trireme(['plan', '--exit-code']), 0);
  });
});

const isTrue = () => true;
const isFalse = () => false;

/** Each host that failed is named, with a cause and something to do. */
function expectNamedOnes(ran: Ran): void {
  const failed = outcomesOf(ran).filter((one) => one.outcome === 'failed' || one.outcome === 'unreachable');
  expect(failed.length, ran.stderr.slice(-4000)).toBeGreaterThan(0);
  const codes = ['host.connection-lost', 'host.unreachable', 'host.port-closed', 'agent.failed', 'agent.not-answering', 'wait.timed-out', 'cluster.not-made'];
  for (const {host} of failed) expectNamed(ran, {host, code: codes, cause: new RegExp(host), remedy: /trireme|again/});
}
