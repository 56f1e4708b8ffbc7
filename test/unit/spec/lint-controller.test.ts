import {describe, expect, it} from 'vitest';
import {renderControllerFile} from '../../../src/spec/controller-file.ts';
import {textOfAnswers} from '../../../src/spec/answers-file.ts';
import {countMachines} from '../../../src/spec/machine-count.ts';
import {Places} from '../../../src/spec/place.ts';
import {checkFiles} from '../../../src/spec/read.ts';

const base = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: berth}
spec:
  mode: controller
  kubernetes: {version: v1.36.3}
  controller:
    class: in-memory
    controlPlane: {replicas: 3}
    pools:
      - {name: quay, class: default-worker, replicas: 2}
      - {name: pier, class: default-worker, autoscale: {min: 1, max: 4}}
`;

const check = (text: string) => checkFiles({files: ['-'], folder: '/', env: {}, stdin: async () => text});

describe('a file for controller mode', () => {
  it('has nothing to complain or to warn about, whatever hosts would need', async () => {
    const {complaints, clusters} = await check(base);
    expect(complaints).toEqual([]);
    expect(clusters[0]?.warnings).toEqual([]);
    expect(clusters[0] === undefined ? undefined : countMachines(clusters[0].document.spec)).toEqual({controlPlanes: 3, workers: 3});
  });

  it.each(['v1.28.9', 'v1.41.0', 'v1.33.4+rke2r1', 'v1.37.0-rc.1'])('leaves it to the class whether there is Kubernetes %s', async (version) => {
    expect((await check(base.replace('v1.36.3', version))).complaints).toEqual([]);
  });

  it.each<[string, (text: string) => string, string]>([
    ['an even number of control planes', (text) => text.replace('replicas: 3', 'replicas: 2'), '9:30 controller.even-control-planes'],
    ['two pools of one name', (text) => text.replace('name: pier', 'name: quay'), '12:16 controller.duplicate-pool'],
    ['neither class nor template', (text) => text.replace('    class: in-memory\n', ''), '7:3 controller.class'],
    ['class and template', (text) => text.replace('class: in-memory', 'class: in-memory\n    template: {provider: docker}'), '9:5 controller.class'],
    ['a flavor of a file', (text) => text.replace('class: in-memory', 'template: {file: /dev/null, flavor: x}'), '8:41 controller.template'],
    [
      'variables of a class beside a template',
      (text) => text.replace('class: in-memory', 'template: {provider: docker}\n    variables: {a: 1}'),
      '9:5 controller.template',
    ],
    ['replicas of an autoscaled pool', (text) => text.replace('autoscale: {min: 1', 'replicas: 2, autoscale: {min: 1'), '12:55 controller.autoscale'],
    ['a smallest size above the largest', (text) => text.replace('min: 1', 'min: 5'), '12:62 controller.autoscale'],
    [
      "the autoscaler's annotations by hand",
      (text) => text.replace('replicas: 2}', 'replicas: 2, annotations: {cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size: "3"}}'),
      '11:72 controller.autoscale',
    ],
    ["Cluster API's own labels", (text) => text.replace('replicas: 2}', 'replicas: 2, labels: {cluster.x-k8s.io/cluster-name: x}}'), '11:58 label.reserved'],
    [
      'a taint twice',
      (text) => text.replace('replicas: 2}', 'replicas: 2, taints: [{key: a, effect: NoSchedule}, {key: a, effect: NoSchedule}]}'),
      '11:97 taint.duplicate',
    ],
    ['settings of components', (text) => text.replace('  controller:', '  configuration: {kubelet: {}}\n  controller:'), '7:3 mode.section'],
    ['an endpoint', (text) => text.replace('  controller:', '  endpoint: {host: a.example}\n  controller:'), '7:3 mode.section'],
    ['a roll-out of hosts', (text) => text.replace('  controller:', '  rollout: {maxUnavailable: 2}\n  controller:'), '7:3 mode.section'],
    ['Trusted Boot', (text) => text.replace('  controller:', '  trustedBoot: true\n  controller:'), '7:3 mode.trusted-boot'],
    ['a version that is none', (text) => text.replace('v1.36.3', 'latest'), '6:25 schema.format'],
    ['a namespace that is none', (text) => text.replace('class: in-memory', 'class: in-memory\n    namespace: My_Fleet'), '9:16 schema.format'],
    ['a template that is not there', (text) => text.replace('class: in-memory', 'template: {file: /nonexistent.yaml}'), '8:22 files.missing'],
  ])('is refused for %s, at its place', async (_what, change, place) => {
    const {complaints} = await check(change(base));
    expect(complaints.map(({line, column, rule}) => `${line}:${column} ${rule}`)).toContain(place);
  });

  it('still refuses in agent mode what only other distributions call a version', async () => {
    const agent = base
      .replace('mode: controller', 'mode: agent\n  endpoint: {host: a.example}')
      .replace(/ {2}controller:[\s\S]*/, '  agent: {hosts: [{name: h1, address: 10.0.0.1, role: control-plane}]}\n');
    expect((await check(agent)).complaints).toEqual([]);
    expect((await check(agent.replace('v1.36.3', 'v1.36.3-rc.1'))).complaints.map(({rule}) => rule)).toEqual(['schema.format']);
  });
});

describe('places in a file that was read long ago', () => {
  it('are found in a saved plan too, among several documents', async () => {
    const {clusters} = await check(`${base.replace('berth', 'other')}---\n${base}`);
    const cluster = JSON.parse(JSON.stringify(clusters[1])) as (typeof clusters)[number];
    const complaint = new Places(cluster).complain({path: ['spec', 'controller', 'pools', 1, 'autoscale', 'min'], rule: 'r', message: 'm'});
    expect(complaint).toMatchObject({file: '<stdin>', line: 25, column: 62});
    expect(complaint.excerpt?.lines.at(-1)).toContain('min: 1');
  });

  it('are those of the nearest thing above where nothing is written', async () => {
    const {clusters} = await check(base);
    const places = new Places(
      clusters[0] ??
        (() => {
          throw new Error('no cluster');
        })(),
    );
    expect(places.complain({path: ['spec', 'controller', 'variables', 'size'], rule: 'r', message: 'm'})).toMatchObject({line: 7});
    expect(places.line(['spec', 'controller', 'class'])).toBe('<stdin>:8');
  });
});

describe('a new file from answers', () => {
  it('is valid and says what was answered', async () => {
    const {text} = textOfAnswers({
      mode: 'controller',
      name: 'berth',
      class: 'in-memory',
      controlPlanes: 3,
      pool: ['quay=default-worker:2', 'pier=default-worker:1-4'],
      variable: ['size=small', 'limits={cpu: 3}'],
    });
    const {complaints, clusters} = await check(text);
    expect(complaints).toEqual([]);
    expect(clusters[0]?.document.spec.controller).toMatchObject({
      class: 'in-memory',
      variables: {size: 'small', limits: {cpu: 3}},
      controlPlane: {replicas: 3},
      pools: [
        {name: 'quay', class: 'default-worker', replicas: 2},
        {name: 'pier', class: 'default-worker', autoscale: {min: 1, max: 4}},
      ],
    });
  });

  it('names every missing answer with its flag', () => {
    expect(() => textOfAnswers({mode: 'controller'})).toThrow(/2 answers are missing: --name, --class/);
  });

  it('refuses hosts', () => {
    expect(() => textOfAnswers({mode: 'controller', name: 'a', class: 'b', worker: ['h1=10.0.0.1']})).toThrow(/agent mode/);
  });

  it('keeps hostile text in its place', async () => {
    const text = renderControllerFile({name: 'berth', version: 'v1.36.3', controller: {class: 'x: "y" # z\n- a', pools: []}, notes: ['one\ntwo: [']});
    const {complaints, clusters} = await check(text);
    expect(complaints).toEqual([]);
    expect(clusters[0]?.document.spec.controller?.class).toBe('x: "y" # z\n- a');
  });
});
