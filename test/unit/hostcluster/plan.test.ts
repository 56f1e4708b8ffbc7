import {describe, expect, it} from 'vitest';
import {isReached, type HostClusterFacts, type MemberObservation} from '../../../src/hostcluster/facts.ts';
import {imagesOfCluster} from '../../../src/hostcluster/manifest-images.ts';
import {planConverge} from '../../../src/hostcluster/plan.ts';
import {hostsOf, wantedOf} from '../../../src/hostcluster/wanted.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {compareBases} from '../../../src/plan/saved-plan.ts';
import type {DesiredCluster} from '../../../src/spec/desired.ts';
import {desiredCluster, digest, factsOf, freshFacts, memberFacts, settledFacts, threeAndOne, type FixtureCluster} from './fixtures.ts';

const plan = (cluster: DesiredCluster, facts: HostClusterFacts, hosts?: readonly string[]) =>
  planConverge(cluster, facts, {mode: 'agent', ...(hosts === undefined ? {} : {hosts})});
const stepsOf = (made: ReturnType<typeof plan>) => made.phases.map((phase) => `${phase.title}: ${phase.steps.map((step) => step.id).join(' ')}`);
const gone = (host: string): MemberObservation => ({host, problem: problemOf(new TriremeError('host.port-closed', `Can't reach ${host}.`, {host}))});
const without = (facts: HostClusterFacts, host: string) => ({...facts, hosts: facts.hosts.map((one) => (one.host === host ? gone(host) : one))});
const withWorker = (over: object): FixtureCluster => ({hosts: [...threeAndOne.slice(0, 3), {...threeAndOne[3], ...over}]});
const worker5 = {name: 'h5', address: '10.77.0.15', role: 'worker' as const};

function changeSeen(facts: HostClusterFacts, host: string, over: object): HostClusterFacts {
  return {
    ...facts,
    hosts: facts.hosts.map((one) => (one.host === host && isReached(one) && one.seen !== undefined ? {...one, seen: {...one.seen, ...over}} : one)),
  };
}

describe('a host that is enrolled by a file', () => {
  const cluster = desiredCluster({hosts: [...threeAndOne, {...worker5, enrol: 'file'}]});
  const others = desiredCluster();

  it('is not touched and not missed; until it is a node that is said, with how it is made one', () => {
    const made = plan(cluster, settledFacts(others));
    expect(made.hosts.find((host) => host.host === 'h5')).toMatchObject({state: 'unchanged', changes: []});
    expect(stepsOf(made).join()).not.toContain('h5');
    expect(made.warnings).toMatchObject([{code: 'host.enrolled-by-file', host: 'h5', hints: [expect.stringContaining('agent package --host h5')]}]);
  });

  it('never starts the cluster', () => {
    const [first, ...rest] = threeAndOne;
    const led = desiredCluster({hosts: [{...first, enrol: 'file'}, ...rest]});
    expect(
      stepsOf(
        plan(
          led,
          factsOf(
            hostsOf(led)
              .slice(1)
              .map((host) => memberFacts(host.name)),
          ),
        ),
      ).find((line) => line.startsWith('Converge')),
    ).toMatch(/^Converge: converge:h2 /);
  });
});

describe('a plan for untouched hosts', () => {
  const cluster = desiredCluster();
  const made = plan(cluster, freshFacts(cluster));

  it('makes the secrets after the lease and before any host gets anything, and ends with a look at the cluster', () => {
    expect(stepsOf(made)).toEqual([
      'Get content: fetch',
      'Check: lease',
      "Make the cluster's secrets: secrets",
      'Push content to h1: push:h1',
      'Push content: push:h2 push:h3 push:h4',
      'Start agents: agent:h1 agent:h2 agent:h3 agent:h4',
      'Hand over what is wanted: wanted:h1 wanted:h2 wanted:h3 wanted:h4',
      'Converge: converge:h1 converge:h2 converge:h3 converge:h4',
      'Check the cluster: health',
    ]);
  });

  it('says of each host what it gets', () => {
    expect(made.hosts.map((host) => [host.host, host.role, host.state, host.effect])).toEqual([
      ['h1', 'control-plane', 'new', 'none'],
      ['h2', 'control-plane', 'new', 'none'],
      ['h3', 'control-plane', 'new', 'none'],
      ['h4', 'worker', 'new', 'none'],
    ]);
    expect(made.hosts[3]?.changes.map((change) => `${change.path}=${String(change.to)}`)).toEqual([
      'agent.program=0.1.0 (eeeeeeeeeeee)',
      'role=worker',
      'kubernetesVersion=v1.36.3',
    ]);
  });

  it('lets no more than four hosts take uploads at once', () => {
    expect(made.phases.find((phase) => phase.title === 'Push content')?.concurrency).toBe(4);
  });

  it('is the same for the same input', () => {
    const again = plan(cluster, freshFacts(cluster));
    expect(JSON.stringify([again.hosts, stepsOf(again), again.basis])).toBe(JSON.stringify([made.hosts, stepsOf(made), made.basis]));
  });
});

describe('a plan for a cluster that is as wanted', () => {
  const cluster = desiredCluster();

  it('has no steps', () => {
    const made = plan(cluster, settledFacts(cluster));
    expect(made.hosts.map((host) => host.state)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    expect(made.phases).toEqual([]);
  });

  it('works on an added worker only', () => {
    const bigger = desiredCluster({hosts: [...threeAndOne, worker5]});
    const made = plan(bigger, {...settledFacts(cluster), hosts: [...settledFacts(cluster).hosts, memberFacts('h5')]});
    expect(made.hosts.map((host) => host.state)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged', 'new']);
    expect(stepsOf(made)).toEqual([
      'Get content: fetch',
      'Check: lease',
      "Make the cluster's secrets: secrets",
      'Push content: push:h5',
      'Start agents: agent:h5',
      'Hand over what is wanted: wanted:h5',
      'Converge: converge:h5',
      'Check the cluster: health',
    ]);
  });

  it.each([
    ['a label', {labels: {zone: 'a'}}, 'node.labels.zone', 'none', ['Check: lease', 'Set labels and taints: node:h4', 'Hand over what is wanted: wanted:h4']],
    [
      'a taint',
      {taints: [{key: 'gpu', effect: 'NoSchedule'}]},
      'node.taints.gpu',
      'none',
      ['Check: lease', 'Set labels and taints: node:h4', 'Hand over what is wanted: wanted:h4'],
    ],
    [
      'a sysctl',
      {configuration: {sysctls: {'net.core.somaxconn': 4096}}},
      'configuration.sysctls.net.core.somaxconn',
      'reload',
      ['Check: lease', 'Hand over what is wanted: wanted:h4'],
    ],
    [
      'a kubelet setting',
      {configuration: {kubelet: {maxPods: 60}}},
      'configuration.kubelet.maxPods',
      'restart',
      ['Check: lease', 'Hand over what is wanted: wanted:h4'],
    ],
  ])('changes exactly %s on exactly that host, with what it costs', (_what, over, path, effect, first) => {
    const made = plan(desiredCluster(withWorker(over)), settledFacts(cluster));
    expect(made.hosts.map((host) => [host.host, host.state, host.effect, host.changes.map((change) => change.path)])).toEqual([
      ['h1', 'unchanged', 'none', []],
      ['h2', 'unchanged', 'none', []],
      ['h3', 'unchanged', 'none', []],
      ['h4', 'changed', effect, [path]],
    ]);
    expect(stepsOf(made)).toEqual([...first, 'Converge: converge:h4', 'Check the cluster: health']);
  });

  it('goes on with a host whose agent had not finished, and says what is open', () => {
    const facts = changeSeen(settledFacts(cluster), 'h2', {
      converged: false,
      reconcilers: [{name: 'kubelet', status: 'failed', message: 'no such file', since: '', attempts: 2}],
    });
    const made = plan(cluster, facts);
    expect(made.hosts[1]).toMatchObject({state: 'changed', changes: [{path: 'agent.converged', why: 'kubelet is failed (no such file)'}]});
    expect(stepsOf(made)).toEqual(['Check: lease', 'Converge: converge:h2', 'Check the cluster: health']);
  });

  it('starts an agent that does not run, and brings back content that is gone', () => {
    const made = plan(
      cluster,
      settledFacts(cluster, (host) => (host === 'h4' ? {agentActive: false, content: [digest('1'), digest('4')]} : {})),
    );
    expect(made.hosts[3]?.changes).toMatchObject([{path: 'agent.running'}, {path: 'agent.content', from: '1 blobs missing'}]);
    expect(stepsOf(made)).toEqual([
      'Get content: fetch',
      'Check: lease',
      'Push content: push:h4',
      'Start agents: agent:h4',
      'Converge: converge:h4',
      'Check the cluster: health',
    ]);
  });

  it("replaces an older agent, and leaves the runtime of another operator's Node in place while the program is the same", () => {
    const other = settledFacts(cluster, () => ({runtimeDigest: digest('9')}));
    expect(plan(cluster, other).phases).toEqual([]);
    const older = settledFacts(cluster, (host) => (host === 'h3' ? {programDigest: digest('8')} : {}));
    const made = plan(cluster, older);
    expect(made.hosts[2]).toMatchObject({
      state: 'changed',
      effect: 'none',
      changes: [{path: 'agent.program', from: '888888888888', to: '0.1.0 (eeeeeeeeeeee)'}],
    });
    expect(stepsOf(made)).toEqual(['Check: lease', 'Push content: push:h3', 'Start agents: agent:h3', 'Converge: converge:h3', 'Check the cluster: health']);
  });

  it('warns of a node that the file no longer names, and does nothing to it', () => {
    const facts = changeSeen(settledFacts(cluster), 'h1', {nodes: [{name: 'old', ready: true, roles: [], version: 'v1.36.3', conditions: []}]});
    expect(plan(cluster, facts)).toMatchObject({phases: [], warnings: [{code: 'host.not-in-file', host: 'old'}]});
  });

  it('runs hooks on hosts that have work, and shows them', () => {
    const hooked = desiredCluster({
      ...withWorker({labels: {zone: 'a'}, hooks: {beforeApply: './check.sh'}}),
      desired: {hostHooks: {h1: {afterApply: 'true'}, h4: {beforeApply: 'exit 0'}}},
    });
    const made = plan(hooked, settledFacts(cluster));
    expect(made.hosts[3]?.changes.map((change) => [change.path, change.to])).toEqual([
      ['node.labels.zone', 'a'],
      ['hooks.beforeApply', './check.sh'],
    ]);
    expect(stepsOf(made)).toContain('Run hooks: before:h4');
    expect(made.hosts[0]?.state).toBe('unchanged');
  });
});

describe('a plan when hosts do not answer', () => {
  const cluster = desiredCluster();

  it('leaves them out with the reason and goes on with the others', () => {
    const made = plan(desiredCluster({hosts: [...threeAndOne, worker5]}), factsOf([...without(settledFacts(cluster), 'h3').hosts, memberFacts('h5')]));
    expect(made.hosts[2]).toMatchObject({host: 'h3', state: 'unreachable', reason: "Can't reach h3.", problem: {code: 'host.port-closed'}});
    expect(stepsOf(made)).toContain('Converge: converge:h5');
    expect(stepsOf(made).join(' ')).not.toContain('h3');
  });

  it('prepares the others, and hands over nothing, while the host that starts the cluster is away', () => {
    const made = plan(cluster, without(freshFacts(cluster), 'h1'));
    expect(stepsOf(made)).toEqual(['Get content: fetch', 'Check: lease', 'Push content: push:h2 push:h3 push:h4', 'Start agents: agent:h2 agent:h3 agent:h4']);
    expect(made.warnings).toMatchObject([{code: 'cluster.waits', host: 'h1'}]);
  });

  it('counts a host without a runtime for its architecture as one that cannot be worked on', () => {
    const facts = freshFacts(cluster);
    const hosts = facts.hosts.map((one) => (one.host === 'h4' && isReached(one) ? {...one, architecture: 'arm64' as const} : one));
    const problem = problemOf(new TriremeError('agent.runtime-missing', 'There is no Node runtime for arm64 hosts.'));
    const made = plan(cluster, {
      ...facts,
      hosts,
      content: {...facts.content, arm64: []},
      program: {...facts.program, runtimes: {...facts.program.runtimes, arm64: {problem}}},
    });
    expect(made.hosts[3]).toMatchObject({state: 'unreachable', problem: {code: 'agent.runtime-missing', host: 'h4'}});
    expect(made.hosts[0]?.state).toBe('new');
  });
});

describe('a plan is refused', () => {
  const cluster = desiredCluster();
  const settled = settledFacts(cluster);

  it.each([
    ['another role of a member', withWorker({role: 'control-plane'}), 'plan.refused', /h4: the file wants a control-plane/],
    [
      'a skipped minor version',
      {spec: {kubernetes: {distribution: 'kubeadm', version: 'v1.38.0'}}},
      'plan.refused',
      /h1: From v1.36.3 to v1.38.0 a minor version is skipped/,
    ],
    ['an older version', {spec: {kubernetes: {distribution: 'kubeadm', version: 'v1.36.2'}}}, 'plan.refused', /v1.36.2 is older than the v1.36.3 that runs/],
    ['another pod network', {spec: {network: {pods: ['10.50.0.0/16']}}}, 'plan.refused', /spec.network.pods is 10.244.0.0\/16/],
  ])('for %s', (_what, options, code, message) => {
    const act = () => plan(desiredCluster(options as FixtureCluster), settled);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({code}));
  });

  it('for a host of another cluster, of whatever name', () => {
    const named = desiredCluster();
    const other = {...named, document: {...named.document, metadata: {name: 'quay'}}};
    expect(() => plan(other, settled)).toThrow(expect.objectContaining({code: 'cluster.foreign', host: 'h1'}));
    const h4 = settled.hosts[3];
    const wanted = h4 !== undefined && isReached(h4) ? h4.seen?.wanted : undefined;
    expect(() => plan(cluster, changeSeen(settled, 'h4', {wanted: {...wanted, cluster: {name: 'berth', id: 'id-2'}}}))).toThrow(
      expect.objectContaining({code: 'cluster.foreign', host: 'h4'}),
    );
  });

  it('for an agent that is newer than this program, by version or protocol', () => {
    expect(() => plan(cluster, changeSeen(settled, 'h2', {version: '0.2.0'}))).toThrow(expect.objectContaining({code: 'agent.incompatible', host: 'h2'}));
    expect(() => plan(cluster, changeSeen(settled, 'h2', {protocol: 2}))).toThrow(expect.objectContaining({code: 'agent.incompatible', host: 'h2'}));
  });

  it('for a limit that leaves out the host that starts the cluster', () => {
    expect(() => plan(cluster, freshFacts(cluster), ['h4'])).toThrow(/h1 starts the cluster/);
    expect(plan(cluster, settled, ['h4']).hosts.map((host) => host.host)).toEqual(['h4']);
  });

  it('for content that can be pinned nowhere, and not when the hosts themselves say what they have', () => {
    const contentProblem = problemOf(new TriremeError('bundle.source-failed', 'No network.'));
    expect(() => plan(cluster, {...freshFacts(cluster), content: {}, contentProblem})).toThrow(expect.objectContaining({code: 'bundle.source-failed'}));
    expect(plan(cluster, {...settled, content: {}, contentProblem}).phases).toEqual([]);
  });
});

describe('an endpoint that the control planes serve', () => {
  const image = 'ghcr.io/kube-vip/kube-vip:v1.0.0';
  const vip = (more: object = {}, desired: FixtureCluster['desired'] = {}) =>
    desiredCluster({spec: {endpoint: {host: '10.77.0.100', type: 'vip', ...more}}, desired});
  const withImage = (facts: HostClusterFacts): HostClusterFacts => ({
    ...facts,
    content: {amd64: [...(facts.content.amd64 ?? []), {name: `image:${image}`, kind: 'image', digest: digest('6'), size: 20, reference: image}]},
  });
  const servedBy = (made: ReturnType<typeof plan>, host: string) =>
    made.hosts
      .find((one) => one.host === host)
      ?.changes.filter((change) => change.path.startsWith('endpoint'))
      .map((change) => `${change.path}=${String(change.to)} (${change.why})`);

  it('is told of each new control plane: address, static pod and interface', () => {
    const made = plan(vip(), withImage(freshFacts(vip())));
    expect(servedBy(made, 'h1')).toEqual([
      "endpoint=10.77.0.100:6443 (kubeadm's controlPlaneEndpoint, and a name in the API server's certificate)",
      `endpoint.vip=static pod ${image} (on the interface of the node's address; one control plane at a time serves the address)`,
    ]);
    expect(servedBy(plan(vip({interface: 'bond0'}), withImage(freshFacts(vip()))), 'h3')?.[1]).toContain('(on bond0;');
    expect(servedBy(made, 'h4')).toEqual([]);
  });

  it('brings the image to control planes only, unless a layer names it, too', () => {
    const contentOf = (cluster: DesiredCluster, name: string) => {
      const host = hostsOf(cluster).find((one) => one.name === name);
      if (host === undefined) throw new Error(`no host ${name}`);
      return wantedOf(cluster, withImage(freshFacts(cluster)), host, memberFacts(name)).content.some((item) => item.reference === image);
    };
    expect([contentOf(vip(), 'h1'), contentOf(vip(), 'h4')]).toEqual([true, false]);
    const layers = [{name: 'balancer', kind: 'addon', manifest: `spec: {containers: [{image: "${image}"}]}`}] as const;
    expect(contentOf(vip({}, {layers}), 'h4')).toBe(true);
    expect([imagesOfCluster(vip()), imagesOfCluster(desiredCluster()), imagesOfCluster(vip({}, {layers}))]).toEqual([[image], [], [image]]);
  });

  it("doesn't take the address for a node's, on whichever host it is", () => {
    const cluster = desiredCluster({
      hosts: [{name: 'h1', address: 'h1.example', role: 'control-plane'}],
      spec: {endpoint: {host: '10.77.0.100', type: 'vip'}},
    });
    const [host] = hostsOf(cluster);
    if (host === undefined) throw new Error('no host');
    const member = memberFacts('h1', {networks: ['10.77.0.100/32', '10.77.0.11/24']});
    expect(wantedOf(cluster, freshFacts(cluster), host, member).node.addresses).toEqual(['10.77.0.11']);
  });

  it('changes nothing where all is so, and its interface is one line of each control plane', () => {
    const settled = settledFacts(vip());
    expect(plan(vip(), settled).phases).toEqual([]);
    const made = plan(vip({interface: 'bond0'}), settled);
    expect(made.hosts.map((host) => host.changes.map((change) => change.path))).toEqual([
      ['endpoint.vip.interface'],
      ['endpoint.vip.interface'],
      ['endpoint.vip.interface'],
      [],
    ]);
  });

  it('is told to all at once when it moves, and not together with what restarts one host after the other', () => {
    const settled = withImage(settledFacts(desiredCluster()));
    const moved = plan(vip(), settled);
    expect(stepsOf(moved).filter((step) => /^(Hand over|Converge)/.test(step))).toEqual([
      'Hand over what is wanted: wanted:h1 wanted:h2 wanted:h3 wanted:h4',
      'Converge: converge:h1 converge:h2 converge:h3 converge:h4',
    ]);
    const both = desiredCluster({spec: {endpoint: {host: '10.77.0.100', type: 'vip'}, configuration: {apiServer: {timeoutForControlPlane: '5m'}}}});
    expect(() => plan(both, settled)).toThrow(/The endpoint moves, which all hosts are told at once, and configuration\.apiServer/);
    // its interface is no move: one control plane after the other
    expect(stepsOf(plan(vip({interface: 'bond0'}), settledFacts(vip())))).toContain(
      'Roll out to control planes: wanted:h1 converge:h1 wanted:h2 converge:h2 wanted:h3 converge:h3',
    );
  });

  it('is not known from hosts that have no image for it', () => {
    const contentProblem = problemOf(new TriremeError('bundle.source-failed', 'No network.'));
    const settled = settledFacts(desiredCluster());
    expect(() => plan(vip(), {...settled, content: {}, contentProblem})).toThrow(expect.objectContaining({code: 'bundle.source-failed'}));
    expect(plan(vip(), {...settledFacts(vip()), content: {}, contentProblem}).phases).toEqual([]);
  });
});

describe('the basis of a plan', () => {
  const cluster = desiredCluster();
  const basis = (facts: HostClusterFacts) => plan(cluster, facts).basis;

  it('moves with what the plan reads, and names it', () => {
    const planned = basis(settledFacts(cluster));
    expect(compareBases(planned, basis(settledFacts(cluster, (host) => (host === 'h2' ? {programDigest: digest('8')} : {})))).map((one) => one.path)).toContain(
      'hosts.h2.agent.program',
    );
    expect(compareBases(planned, basis(without(settledFacts(cluster), 'h3'))).map((one) => one.path)).toContain('hosts.h3.reachable');
    expect(compareBases(planned, basis(settledFacts(cluster, (host) => (host === 'h4' ? {content: []} : {})))).map((one) => one.path)).toContain(
      'hosts.h4.missing',
    );
  });

  it('does not move with what an agent says of the moment', () => {
    const facts = settledFacts(cluster);
    const later = changeSeen(
      changeSeen(facts, 'h1', {lastSeq: 99, startedAt: 'later', nodes: [{name: 'h1', ready: false, roles: [], version: 'v1.36.3', conditions: []}]}),
      'h2',
      {drift: [{area: 'kubelet', subject: 's', found: 'f', at: '', outcome: 'repaired'}]},
    );
    expect(basis(later)).toEqual(basis(facts));
  });
});
