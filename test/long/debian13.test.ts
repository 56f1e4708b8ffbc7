// Hosts of two releases of Debian in one cluster: a Debian 13 worker joins a Debian 12 control plane, its pods talk with the others', and it leaves again.
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {whyNoBed} from '../support/bed.ts';
import {expectCode, upCrew, type Crew} from '../support/crew.ts';
import {missingPublicPlaces} from '../support/public-places.ts';
import {resultOf} from '../support/trireme.ts';

const reason = whyNoBed() ?? missingPublicPlaces();
if (reason !== undefined) console.warn(`debian13: skipped, ${reason}`);

/** Answers with its pod's name, on every node. */
const probe = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: {name: 'probe', namespace: 'default'},
  spec: {
    selector: {matchLabels: {app: 'probe'}},
    template: {
      metadata: {labels: {app: 'probe'}},
      spec: {tolerations: [{operator: 'Exists'}], terminationGracePeriodSeconds: 1, containers: [{name: 'probe', image: 'ghcr.io/trireme/testbed-probe:1'}]},
    },
  },
};

interface NodeList {
  readonly items: readonly {readonly metadata: {readonly name: string}; readonly status: {readonly nodeInfo: {readonly osImage: string}}}[];
}
interface PodList {
  readonly items: readonly {readonly metadata: {readonly name: string}; readonly spec: {readonly nodeName: string}; readonly status: {readonly podIP: string}}[];
}

describe.skipIf(reason !== undefined)('a Debian 13 host beside Debian 12', () => {
  let crew: Crew;
  const kubectl = (script: string) => crew.bed.ssh(1, `kubectl --kubeconfig /etc/kubernetes/admin.conf ${script}`);

  beforeAll(async () => {
    crew = await upCrew({hosts: 2, bed: 17, trixie: [2]});
    const {bed} = crew;
    await writeFile(join(bed.work, 'probe.yaml'), stringify(probe));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}, addons: [{name: 'probe', manifest: 'probe.yaml'}]};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
  });
  afterAll(() => crew?.down());

  it('is told apart, joins, and its pods talk with the others', async () => {
    const {bed} = crew;
    await crew.write([1], [2]);
    for (const [host, system] of [
      ['h1', 'Debian GNU/Linux 12'],
      ['h2', 'Debian GNU/Linux 13'],
    ] as const) {
      const facts = await bed.trireme(['host', 'facts', host, '-o', 'json']);
      expectCode(facts, 0);
      expect(facts.stdout).toContain(system);
    }
    expectCode(await bed.trireme(['apply', '--yes']), 0);
    const nodes = JSON.parse(await kubectl('get nodes -o json')) as NodeList;
    expect(nodes.items.map(({metadata, status}) => [metadata.name, status.nodeInfo.osImage.slice(0, 19)])).toEqual([
      ['h1', 'Debian GNU/Linux 12'],
      ['h2', 'Debian GNU/Linux 13'],
    ]);
    const pods = JSON.parse(await kubectl('get pods -l app=probe -o json')) as PodList;
    const on = (node: string) => pods.items.find(({spec}) => spec.nodeName === node) as PodList['items'][number];
    for (const [from, to] of [
      ['h1', 'h2'],
      ['h2', 'h1'],
    ] as const)
      expect(await kubectl(`exec ${on(from).metadata.name} -- /probe fetch http://${on(to).status.podIP}:8080/`)).toContain(on(to).metadata.name);
    const again = await bed.trireme(['apply', '--yes', '-o', 'json']);
    expectCode(again, 0);
    expect(resultOf<{run: {outcome: string}}>(again).run.outcome).toBe('unchanged');
  });

  it('leaves, and is as it was', async () => {
    const {bed} = crew;
    expect(await kubectl("get nodes -o jsonpath='{.items[*].metadata.name}'")).toBe('h1 h2');
    await crew.write([1]);
    expectCode(await bed.trireme(['apply', '--yes', '--confirm', 'h2']), 0);
    expect(await kubectl("get nodes -o jsonpath='{.items[*].metadata.name}'")).toBe('h1');
    expect(await bed.ssh(2, 'ls -d /etc/kubernetes /var/lib/kubelet /var/lib/containerd /usr/local/lib/trireme 2>/dev/null || echo nothing')).toBe('nothing\n');
  });
});
