import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../../../src/kube/object.ts';
import {setImage} from '../../../../../src/modes/controller/template/image-field.ts';
import {planTemplate} from '../../../../../src/modes/controller/template/plan-template.ts';
import {objectKey, type TemplateFacts} from '../../../../../src/modes/controller/template/facts.ts';
import {renderTemplate} from '../../../../../src/modes/controller/template/render-template.ts';
import {rotateTemplates, templateDigestAnnotation} from '../../../../../src/modes/controller/template/rotate.ts';
import {readText} from '../../../../support/topology-facts.ts';

const path = new URL('../../../../fixtures/controller/cluster-template.yaml', import.meta.url);
const template = {file: 'cluster-template.yaml', text: readFileSync(path, 'utf8'), environment: {}};
const fileText = `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: sloop}
spec:
  mode: controller
  kubernetes: {version: v1.35.4}
  controller:
    namespace: fleet
    template:
      file: /dev/null
      variables: {STARTUP: 2s}
    pools: [{name: crew, class: md-0, replicas: 2}]
`;

const render = async (text = fileText, given: Partial<typeof template> = {}) =>
  renderTemplate((await readText(text)).document, {...template, ...given}, undefined);
const named = (objects: readonly KubeObject[], key: string) => objects.find((object) => objectKey(object) === key) as KubeObject;

describe("a provider's template", () => {
  it('is filled in from the file, and comes into its namespace', async () => {
    const {objects, complaints, findings} = await render();
    expect([complaints, findings]).toEqual([[], []]);
    expect(objects.map(objectKey)).toContain('KubeadmControlPlane/sloop-control-plane');
    expect(new Set(objects.map(({metadata}) => metadata.namespace))).toEqual(new Set(['fleet']));
    expect(named(objects, 'MachineDeployment/sloop-md-0')['spec']).toMatchObject({replicas: 2, template: {spec: {version: 'v1.35.4'}}});
  });

  it('tells every variable without a value at its place in the template', async () => {
    const {complaints} = await render(fileText.replace('{STARTUP: 2s}', '{}'));
    expect(complaints.map(({file, rule, message}) => `${file} ${rule} ${message}`)).toEqual([
      'cluster-template.yaml template.missing-variable The variable STARTUP has no value, and no default.',
    ]);
  });

  it('takes values of the environment below those of the file', async () => {
    const startup = ({objects}: Awaited<ReturnType<typeof render>>) => JSON.stringify(named(objects, 'DevMachineTemplate/sloop-md-0')['spec']);
    expect(startup(await render(fileText.replace('{STARTUP: 2s}', '{}'), {environment: {STARTUP: '9s'}} as never))).toContain('"9s"');
    expect(startup(await render(fileText, {environment: {STARTUP: '9s'}} as never))).toContain('"2s"');
  });

  it.each([
    ['STARTUP: 2s', 'STARTUP: 2s, STARTOP: 3s', 'variable.unknown'],
    ['STARTUP: 2s', 'STARTUP: 2s, CLUSTER_NAME: x', 'variable.built-in'],
    ['class: md-0', 'class: md-1', 'template.pool-not-found'],
  ])('%s as %s is refused at its line of the file', async (from, to, rule) => {
    const {findings} = await render(fileText.replace(from, to));
    expect(findings.map((finding) => finding.rule)).toEqual([rule]);
  });

  it('gets no number of machines for an autoscaled pool', async () => {
    const {objects} = await render(fileText.replace('replicas: 2', 'autoscale: {min: 1, max: 3}'));
    const pool = named(objects, 'MachineDeployment/sloop-md-0');
    expect(pool['spec']).not.toHaveProperty('replicas');
    expect(pool.metadata.annotations).toMatchObject({'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': '3'});
  });

  it("gets the profile's image into its machine templates", () => {
    const aws = {
      apiVersion: 'infrastructure.cluster.x-k8s.io/v1beta2',
      kind: 'AWSMachineTemplate',
      metadata: {name: 'a'},
      spec: {template: {spec: {instanceType: 'm'}}},
    };
    expect(setImage([aws], 'ami-1').objects[0]?.['spec']).toEqual({template: {spec: {instanceType: 'm', ami: {id: 'ami-1'}}}});
    expect(setImage([{...aws, kind: 'OtherMachineTemplate'}], 'ami-1').findings.map(({rule}) => rule)).toEqual(['image.no-field']);
  });
});

describe('a machine template that changes', () => {
  it('gets a name of its content, and references follow', async () => {
    const before = await render();
    const after = await render(fileText.replace('2s', '1s'));
    const live = rotateTemplates(before.objects, [], 'sloop').objects;
    const {objects, rotations} = rotateTemplates(after.objects, live, 'sloop');
    expect(rotations.map(({from}) => from)).toEqual(['sloop-control-plane', 'sloop-md-0']);
    const [, workers] = rotations;
    expect(named(objects, 'MachineDeployment/sloop-md-0')['spec']).toMatchObject({
      template: {spec: {infrastructureRef: {name: workers?.to}, bootstrap: {configRef: {name: 'sloop-md-0'}}}},
    });
    // the same file asks for the same names
    expect(rotateTemplates(after.objects, live, 'sloop').rotations).toEqual(rotations);
  });

  it('keeps its name while it is the same, also where the server filled in more', async () => {
    const {objects} = await render();
    const live = objects.map((object) => ({...object, spec: {...(object['spec'] as object), served: 'default'}}));
    expect(rotateTemplates(objects, live, 'sloop').rotations).toEqual([]);
    expect(named(rotateTemplates(objects, [], 'sloop').objects, 'DevMachineTemplate/sloop-md-0').metadata.annotations).toHaveProperty([
      templateDigestAnnotation,
    ]);
  });
});

describe('the plan of a cluster with a template', () => {
  const factsOf = (live: readonly KubeObject[], more: Partial<TemplateFacts> = {}): TemplateFacts => ({
    way: 'template',
    simulated: false,
    serverVersion: 'v1.36.3',
    coreVersion: 'v1beta2',
    namespace: {name: 'fleet', exists: true},
    template,
    live: Object.fromEntries(live.map((object) => [objectKey(object), object])),
    dryRuns: {},
    unknownKinds: [],
    foreignPools: [],
    missingRights: [],
    ...more,
  });

  it('replaces control planes before workers, and clears up after', async () => {
    const live = rotateTemplates((await render()).objects, [], 'sloop').objects;
    const plan = planTemplate(await readText(fileText.replace('2s', '1s').replace('v1.35.4', 'v1.36.3')), factsOf(live), {verb: 'converge'});
    expect(plan.hosts.map(({host, effect}) => `${host} ${effect}`)).toEqual(['cluster none', 'control-plane replace', 'crew replace']);
    const ids = plan.phases.flatMap(({steps}) => steps.map(({id}) => id));
    expect(ids.indexOf('wait:control-plane')).toBeLessThan(ids.indexOf('apply:MachineDeployment/sloop-md-0'));
    expect(ids.indexOf('apply:KubeadmControlPlane/sloop-control-plane')).toBeLessThan(ids.indexOf('wait:control-plane'));
    expect(ids.at(-1)).toBe('templates:prune');
  });

  it('refuses a downgrade at the line of the file, and what the server refuses at the line of the template', async () => {
    const live = rotateTemplates((await render()).objects, [], 'sloop').objects;
    const cluster = await readText(fileText.replace('v1.35.4', 'v1.34.1'));
    const dryRuns = {'DevCluster/sloop': {outcome: 'refused' as const, message: '', causes: [{field: 'spec.backend', message: 'is wrong'}]}};
    const refused = (() => {
      try {
        return planTemplate(cluster, factsOf(live, {dryRuns}), {verb: 'converge'});
      } catch (error) {
        return error as Error & {details: {complaints: {file: string; line: number; rule: string}[]}};
      }
    })();
    const line = template.text.split('\n').findIndex((text) => text.includes('spec: {backend: {inMemory: {}}}')) + 1;
    expect('details' in refused ? refused.details.complaints.map((one) => `${one.file}:${one.line} ${one.rule}`) : []).toEqual([
      '<stdin>:6 version.downgrade',
      `cluster-template.yaml:${line} server.refused`,
    ]);
  });
});
