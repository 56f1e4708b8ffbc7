import {describe, expect, it} from 'vitest';
import {refuseRestoration} from '../../../src/hostcluster/backup/restore-steps.ts';
import type {OpenedBackup} from '../../../src/hostcluster/backup/file.ts';
import {certificatesOf} from '../../../src/hostcluster/certificate-rows.ts';
import {reachedHosts, isReached, type HostClusterFacts} from '../../../src/hostcluster/facts.ts';
import {viewOf} from '../../../src/hostcluster/observe.ts';
import {planConverge} from '../../../src/hostcluster/plan.ts';
import type {AgentState, CertificateState} from '../../../src/hostcluster/protocol.ts';
import {planRenewal} from '../../../src/hostcluster/renew.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {problemOf} from '../../../src/kernel/problem.ts';
import {desiredCluster, freshFacts, settledFacts} from './fixtures.ts';

const cluster = desiredCluster();
const at = '2026-11-25T12:00:00.000Z';

function certificate(name: string, over: Partial<CertificateState> = {}): CertificateState {
  return {
    name,
    path: `/etc/kubernetes/pki/${name}.crt`,
    kind: 'certificate',
    subject: name,
    issuer: 'kubernetes',
    notBefore: '2026-01-01T00:00:00Z',
    notAfter: '2027-01-01T00:00:00Z',
    fingerprint: 'AA',
    renewedBy: 'agent',
    renewsAt: '2026-12-02T00:00:00Z',
    ...over,
  };
}
const due = certificate('apiserver', {notAfter: '2026-12-15T00:00:00Z', renewsAt: '2026-11-15T00:00:00Z'});
const expired = certificate('etcd-server', {notAfter: '2026-11-20T00:00:00Z', renewsAt: '2026-10-20T00:00:00Z'});
const ca = certificate('ca', {kind: 'authority', renewedBy: 'nobody', notAfter: '2036-01-01T00:00:00Z'});

function facts(
  certificates: Readonly<Record<string, readonly CertificateState[]>>,
  over: (host: string) => {agentActive?: boolean; seen?: Partial<AgentState>} = () => ({}),
): HostClusterFacts {
  const settled = settledFacts(cluster);
  return {
    ...settled,
    hosts: settled.hosts.map((one) => {
      if (!isReached(one) || one.seen === undefined) return one;
      const {agentActive, seen} = over(one.host);
      return {
        ...one,
        ...(agentActive === undefined ? {} : {agentActive}),
        seen: {...one.seen, certificates: certificates[one.host] ?? [certificate('apiserver')], ...seen},
      };
    }),
  };
}
const renew = (given: HostClusterFacts, everything = false) => planRenewal(cluster, given, {mode: 'agent', at, everything});
const stepIds = (plan: ReturnType<typeof renew>) => plan.phases.flatMap((phase) => phase.steps.map((step) => step.id));

describe('the plan that renews certificates', () => {
  it('has nothing to do where nothing is due', () => {
    const plan = renew(facts({}));
    expect(plan.hosts.map((host) => host.state)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged']);
    expect(plan.phases).toEqual([]);
  });

  it('names what is due and what has expired, on its host alone, and takes the lease first', () => {
    const plan = renew(facts({h2: [ca, due, expired, certificate('admin.conf')]}));
    expect(plan.hosts.find((host) => host.host === 'h2')?.changes).toEqual([
      {path: 'certificates.apiserver', from: 'until 2026-12-15T00:00:00Z', to: 'a new one', effect: 'restart', why: 'it is due'},
      {path: 'certificates.etcd-server', from: 'until 2026-11-20T00:00:00Z', to: 'a new one', effect: 'restart', why: 'it has expired'},
    ]);
    expect(stepIds(plan)).toEqual(['lease', 'renew:h2']);
  });

  it('starts an agent that does not run, whatever it saw last', () => {
    expect(stepIds(renew(facts({}, (host) => (host === 'h3' ? {agentActive: false} : {}))))).toEqual(['lease', 'agent:h3', 'renew:h3']);
  });

  it('with everything takes what agents renew, and leaves authorities alone', () => {
    const plan = renew(facts({h1: [ca, certificate('apiserver')], h4: [ca, certificate('kubelet', {renewedBy: 'kubelet'})]}), true);
    expect(plan.hosts.find((host) => host.host === 'h1')?.changes.map((change) => change.path)).toEqual(['certificates.apiserver']);
    expect(plan.hosts.find((host) => host.host === 'h4')?.state).toBe('unchanged');
  });

  it("says who can't be reached", () => {
    const given = facts({});
    const problem = problemOf(new TriremeError('host.unreachable', 'h1 is away.', {host: 'h1'}));
    const plan = renew({...given, hosts: given.hosts.map((one) => (one.host === 'h1' ? {host: 'h1', problem} : one))});
    expect(plan.hosts.find((host) => host.host === 'h1')).toMatchObject({state: 'unreachable', reason: 'h1 is away.'});
  });
});

describe('certificates in the view', () => {
  it('come with what ends first, and an authority once with all who know it', () => {
    const given = facts({h1: [ca, due], h2: [ca, expired]});
    expect(certificatesOf(reachedHosts(given), at).authorities).toEqual([{name: 'ca', fingerprint: 'AA', notAfter: ca.notAfter, hosts: ['h1', 'h2']}]);
    expect(viewOf(cluster, given, undefined, 'agent', at).certificates).toEqual({
      expired: 1,
      due: 1,
      next: {host: 'h2', name: 'etcd-server', notAfter: '2026-11-20T00:00:00Z'},
    });
  });

  it('are a reason once they have expired, or are due for longer than an agent takes', () => {
    const reasons = (one: CertificateState) =>
      viewOf(cluster, facts({h1: [one]}), undefined, 'agent', at).machines[0]?.reasons.filter((reason) => reason.includes('certificate'));
    expect(reasons(expired)).toEqual([expect.stringContaining('etcd-server has expired')]);
    expect(reasons(due)).toEqual([expect.stringContaining("isn't renewed")]);
    expect(reasons({...due, renewsAt: '2026-11-25T11:59:00Z'})).toEqual([]);
    expect(reasons(certificate('apiserver'))).toEqual([]);
  });
});

describe('a restoration', () => {
  const backup = (over: Partial<OpenedBackup['manifest']> = {}): OpenedBackup => ({
    path: 'berth.backup',
    manifest: {
      format: 'trireme.dev/backup',
      version: 1,
      simulated: false,
      cluster: {name: 'berth', id: 'id-1'},
      distribution: 'kubeadm',
      kubernetesVersion: 'v1.36.1',
      dataVersion: '3.6.8',
      takenAt: at,
      takenFrom: 'h1',
      program: '0.1.0',
      hosts: [],
      parts: [],
      ...over,
    },
    secrets: {ca: {certificate: 'CA'}},
    dataDigest: 'sha256:00',
    dataSize: 1,
    data: async function* () {},
  });

  it('brings keys and data to the host that starts, before it hears what it shall be', () => {
    const plan = planConverge(cluster, freshFacts(cluster), {mode: 'agent', backup: backup()});
    expect(plan.operation).toBe('restore');
    const ids = plan.phases.flatMap((phase) => phase.steps.map((step) => step.id));
    const order = ['restore:secrets', 'secrets', 'agent:h1', 'restore:h1', 'wanted:h1', 'converge:h1'].map((id) => ids.indexOf(id));
    expect(order.every((place) => place >= 0)).toBe(true);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('goes on with hosts of its own that are no members yet, and refuses those of a cluster', () => {
    const half = facts({}, () => ({seen: {member: false}}));
    expect(() => refuseRestoration(cluster, half, backup())).not.toThrow();
    expect(() => refuseRestoration(cluster, half, backup({cluster: {name: 'berth', id: 'id-2'}}))).toThrow(/belongs to the cluster berth \(id-1\)/);
    expect(() => refuseRestoration(cluster, facts({}), backup())).toThrow(/restored onto hosts that belong to none/);
  });

  it('stays with the minor version of the data, and with its distribution', () => {
    expect(() => refuseRestoration(cluster, freshFacts(cluster), backup({kubernetesVersion: 'v1.35.4'}))).toThrow(/minor version/);
    expect(() => refuseRestoration(cluster, freshFacts(cluster), backup({distribution: 'simulated'}))).toThrow(/simulated cluster/);
  });
});
