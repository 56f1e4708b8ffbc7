import {describe, expect, it} from 'vitest';
import {TriremeError} from '../../../../../src/kernel/errors.ts';
import {planTopology} from '../../../../../src/modes/controller/topology/plan-topology.ts';
import {renderPlan} from '../../../../../src/output/plan-text.ts';
import {createStyle} from '../../../../../src/output/style.ts';
import {factsFor, type FactsChange, fileText, harbour, readText} from '../../../../support/topology-facts.ts';
import type {KubeObject} from '../../../../../src/kube/object.ts';

interface Case {
  readonly live?: string;
  readonly change?: FactsChange;
  readonly takeOver?: boolean;
  readonly edit?: (live: KubeObject) => KubeObject;
}

async function planOf(text: string, {takeOver = false, ...of}: Case = {}) {
  const cluster = await readText(text);
  return planTopology(cluster, await factsFor(cluster, of), {verb: 'converge', takeOver});
}

async function refusalOf(text: string, of: Case = {}): Promise<TriremeError> {
  try {
    await planOf(text, of);
  } catch (error) {
    if (error instanceof TriremeError) return error;
    throw error;
  }
  throw new Error('the plan is not refused');
}

const style = createStyle({color: false, ascii: true});
const show = (plan: Awaited<ReturnType<typeof planOf>>) =>
  `${renderPlan(plan, {style})}\n${plan.warnings.map(({code, message}) => `${code}: ${message}\n`).join('')}`;
const upgraded = fileText.replace('v1.35.4', 'v1.36.3');

describe('the plan of a cluster with a class', () => {
  it('is all new for a new cluster', async () => {
    await expect(show(await planOf(fileText))).toMatchFileSnapshot('goldens/new.txt');
  });

  it('is nothing for a cluster that is so, and has no steps', async () => {
    const plan = await planOf(fileText, {live: fileText});
    expect(plan.hosts.map(({state}) => state)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    expect(plan.phases).toEqual([]);
  });

  it('only waits when an earlier run was stopped before the end', async () => {
    const edit = (live: KubeObject) => ({...live, status: {}});
    const plan = await planOf(fileText, {live: fileText, edit});
    expect(plan.phases.flatMap(({steps}) => steps.map(({id}) => id))).toEqual([
      'wait:infrastructure',
      'wait:initialized',
      'wait:control-plane',
      'wait:pool:quay',
      'wait:pool:pier',
      'wait:available',
    ]);
  });

  it('says for each part what a change of everything costs', async () => {
    const text = upgraded
      .replace('startup: 3s', 'startup: 4s\n      certSANs: [a.example]')
      .replace('replicas: 2}', 'replicas: 1}')
      .replace('zone: a', 'zone: b')
      .replace('- {name: quay', '- {name: mole, class: default-worker, autoscale: {min: 1, max: 3}}\n      - {name: quay');
    await expect(show(await planOf(text, {live: fileText, change: {controlPlane: controlPlane('v1.35.4')}}))).toMatchFileSnapshot('goldens/change.txt');
  });

  it('drains a pool that is taken out', async () => {
    const text = fileText.replace(/ {6}- \{name: pier.*\n/, '');
    const plan = await planOf(text, {
      live: fileText,
      change: {pools: [{kind: 'MachineDeployment', object: 'bireme-pier-x', pool: 'pier', version: 'v1.35.4', replicas: 4, behind: []}]},
    });
    expect(plan.hosts.find(({host}) => host === 'pier')).toMatchObject({state: 'changed', effect: 'drain', changes: [{from: 'default-worker, 4 machines'}]});
  });

  it('shows the minors of a chained upgrade', async () => {
    const chained = {...harbour, kubernetesVersions: ['v1.35.4', 'v1.36.1', 'v1.36.3', 'v1.37.0']};
    const plan = await planOf(fileText.replace('v1.35.4', 'v1.37.0'), {live: fileText, change: {class: chained, controlPlane: controlPlane('v1.35.4')}});
    expect(plan.hosts[0]?.changes.find(({path}) => path === 'version')?.why).toBe('one minor after the other: v1.36.3, v1.37.0');
  });

  it('stands on the objects that it reads, and on nothing that moves by itself', async () => {
    const one = await planOf(upgraded, {live: fileText, change: {controlPlane: controlPlane('v1.35.4')}});
    const status = await planOf(upgraded, {
      live: fileText,
      change: {controlPlane: controlPlane('v1.35.4')},
      edit: (live) => ({...live, status: {...(live['status'] as object), phase: 'Provisioned'}}),
    });
    expect(status.basis).toEqual(one.basis);
    const otherClass = await planOf(upgraded, {live: fileText, change: {controlPlane: controlPlane('v1.35.4'), class: {...harbour, digest: 'other'}}});
    expect(otherClass.basis).not.toEqual(one.basis);
    const moved = await planOf(upgraded, {live: fileText.replace('replicas: 2', 'replicas: 5'), change: {controlPlane: controlPlane('v1.35.4')}});
    expect(moved.basis).not.toEqual(one.basis);
  });

  it('needs nothing but JSON facts', async () => {
    const cluster = JSON.parse(JSON.stringify(await readText(upgraded))) as Awaited<ReturnType<typeof readText>>;
    const facts = JSON.parse(JSON.stringify(await factsFor(cluster, {live: fileText, change: {controlPlane: controlPlane('v1.35.4')}}))) as Awaited<
      ReturnType<typeof factsFor>
    >;
    const plan = planTopology(cluster, facts, {verb: 'converge'});
    expect(plan.basis).toEqual((await planOf(upgraded, {live: fileText, change: {controlPlane: controlPlane('v1.35.4')}})).basis);
  });
});

const controlPlane = (version: string, statusVersions: readonly string[] = [version]) => ({
  kind: 'KubeadmControlPlane',
  name: 'bireme-x',
  version,
  statusVersions,
  replicas: 1,
});
const pool = (version: string, behind: readonly string[] = []) =>
  ({kind: 'MachineDeployment', object: 'bireme-quay-x', pool: 'quay', version, replicas: 2, behind}) as const;

describe('a plan is refused at the line of the file, before anything is written', () => {
  it.each<[string, string, Case, string]>([
    ['a downgrade', fileText.replace('v1.35.4', 'v1.34.1'), {live: fileText}, '6:25 version.downgrade'],
    ['a skipped minor', fileText.replace('v1.35.4', 'v1.37.0'), {live: fileText}, '6:25 version.minor-skipped'],
    [
      'an upgrade while the control plane is upgraded',
      upgraded,
      {live: fileText, change: {controlPlane: controlPlane('v1.35.4', ['v1.34.2', 'v1.35.4'])}},
      '6:25 version.busy',
    ],
    [
      'an upgrade while workers are upgraded',
      upgraded,
      {live: fileText, change: {controlPlane: controlPlane('v1.35.4'), pools: [pool('v1.35.4', ['m1'])]}},
      '6:25 version.busy',
    ],
    [
      'an upgrade before the last one came to the workers',
      upgraded,
      {live: fileText, change: {controlPlane: controlPlane('v1.35.4'), pools: [pool('v1.34.2')]}},
      '6:25 version.busy',
    ],
    [
      'an upgrade while a hook still blocks',
      upgraded,
      {
        live: fileText,
        change: {controlPlane: controlPlane('v1.35.4')},
        edit: (live) => ({...live, metadata: {...live.metadata, annotations: {'runtime.cluster.x-k8s.io/pending-hooks': 'AfterClusterUpgrade'}}}),
      },
      '6:25 version.busy',
    ],
    [
      'a version that the class does not have',
      upgraded,
      {live: fileText, change: {class: {...harbour, kubernetesVersions: ['v1.35.4']}}},
      '6:25 version.not-offered',
    ],
    ['a wrong variable', fileText.replace('3s', '3m'), {}, '11:16 variable.format'],
    ['an unknown variable', fileText.replace('startup', 'startop'), {}, '11:7 variable.unknown'],
    ['a missing variable', fileText.replace('      size: small\n', ''), {}, '9:5 variable.required'],
    ["a pool's wrong variable", fileText.replace('replicas: 2}', 'replicas: 2, variables: {limits: {cpu: 65}}}'), {}, '14:84 variable.range'],
    [
      'an unknown class of workers',
      fileText.replace('class: default-worker, replicas: 2', 'class: default-workers, replicas: 2'),
      {},
      '14:29 class.worker-not-found',
    ],
    ['a pool of the wrong kind', fileText.replace('replicas: 2}', 'replicas: 2, kind: MachinePool}'), {}, '14:29 class.worker-not-found'],
    [
      'a cluster that is being deleted',
      fileText,
      {live: fileText, edit: (live) => ({...live, metadata: {...live.metadata, deletionTimestamp: '2026-01-01T00:00:00Z'}})},
      '3:18 cluster.deleting',
    ],
    [
      'an incompatible class',
      fileText,
      {live: fileText, change: {oldClass: {...harbour, name: 'old', infrastructure: {group: 'x', kind: 'AWSClusterTemplate', name: 'y'}}}},
      '8:12 class.incompatible',
    ],
    [
      'what only the server knows',
      fileText.replace('startup: 3s', 'startup: 3s\n      limits: {cpu: 4, burst: 2}'),
      {
        change: {
          dryRun: {
            outcome: 'refused',
            message: 'no',
            causes: [{field: 'spec.topology.variables[limits].value.burst', message: 'Invalid value: "{\\"cpu\\":4}": burst must not be below cpu'}],
          },
        },
      },
      '12:31 server.refused',
    ],
  ])('%s', async (_what, text, of, place) => {
    const error = await refusalOf(text, of);
    expect(error.code).toBe('plan.refused');
    const complaints = (error.details as {complaints: {line: number; column: number; rule: string}[]}).complaints;
    expect(complaints.map(({line, column, rule}) => `${line}:${column} ${rule}`)).toEqual([place]);
  });

  it('tells a class that is not there with the nearest that is', async () => {
    const cluster = await readText(fileText.replace('harbour', 'harbor'));
    const {class: _none, ...facts} = await factsFor(cluster);
    const plan = () => planTopology(cluster, {...facts, dryRun: {outcome: 'skipped', why: 'the class is not there'}}, {verb: 'converge'});
    expect(plan).toThrow(/There is no ClusterClass harbor in the namespace default\.\n\s+Did you mean harbour\?/);
  });

  it('tells everything at once, and what we and the server both see only once', async () => {
    const text = fileText.replace('3s', '3m').replace('v1.35.4', 'v1.34.1').replace('default-worker, replicas: 2', 'gpu, replicas: 2');
    const causes = [
      {field: 'spec.topology.version', message: 'version cannot be decreased'},
      {field: 'spec.topology.variables[startup].value', message: 'should match'},
    ];
    const error = await refusalOf(text, {live: fileText, change: {dryRun: {outcome: 'refused', message: '', causes}}});
    const {complaints} = error.details as {complaints: {rule: string}[]};
    expect(complaints.map(({rule}) => rule)).toEqual(['version.downgrade', 'variable.format', 'class.worker-not-found']);
  });

  it('names manager, field and line of a field that another manager owns, and takes it over when told to', async () => {
    const managedFields = [
      {manager: 'kubectl-edit', operation: 'Update' as const, fieldsV1: {'f:spec': {'f:topology': {'f:controlPlane': {'f:replicas': {}}}}}},
    ];
    const of: Case = {live: fileText, edit: (live) => ({...live, metadata: {...live.metadata, managedFields}})};
    const text = fileText.replace('controlPlane: {replicas: 1}', 'controlPlane: {replicas: 3}');
    const error = await refusalOf(text, of);
    expect(error).toMatchObject({code: 'api.conflict', exit: 8});
    expect(error.message).toContain('<stdin>:12: spec.topology.controlPlane.replicas belongs to kubectl-edit: it is 1 there, and 3 in the file');
    expect((await planOf(text, {...of, takeOver: true})).hosts[1]?.changes).toMatchObject([{path: 'replicas', from: 1, to: 3}]);
  });

  it('leaves a GitOps tool its fields, even when told to take over, and says so', async () => {
    const managedFields = [{manager: 'argocd-controller', operation: 'Apply' as const, fieldsV1: {'f:spec': {'f:topology': {'f:version': {}}}}}];
    const of: Case = {
      live: fileText,
      takeOver: true,
      edit: (live) => ({...live, metadata: {...live.metadata, managedFields, labels: {'argocd.argoproj.io/instance': 'fleet'}}}),
      change: {controlPlane: controlPlane('v1.35.4')},
    };
    const plan = await planOf(fileText, of);
    expect(plan.warnings.map(({message}) => message)).toEqual(['1 field belongs to argocd-controller (Argo CD) and is left alone: spec.topology.version.']);
  });
});

describe('the plan of a paused cluster', () => {
  const pause = (live: KubeObject) => ({...live, spec: {...(live['spec'] as object), paused: true}});

  it('writes the change, says that nothing comes of it yet, and waits for nothing', async () => {
    const plan = await planOf(fileText.replace('replicas: 2', 'replicas: 4'), {live: fileText, edit: pause});
    expect(plan.phases.map(({title}) => title)).toEqual(['Apply']);
    expect(plan.warnings.map(({code}) => code)).toEqual(['cluster.paused']);
  });
});
