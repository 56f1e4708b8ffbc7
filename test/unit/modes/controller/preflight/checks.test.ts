import {describe, expect, it} from 'vitest';
import {apiVersion} from '../../../../../src/modes/controller/preflight/checks/api-version.ts';
import {webhookCertificatesAt} from '../../../../../src/modes/controller/preflight/checks/webhook-certificates.ts';
import type {ManagementSeen} from '../../../../../src/modes/controller/preflight/observe.ts';
import {problemOfReport, runControllerPreflight, summaryOf} from '../../../../../src/modes/controller/preflight/run.ts';
import type {ClusterDocument} from '../../../../../src/spec/schema.ts';
import type {ProviderView} from '../../../../../src/modes/controller/providers/list-providers.ts';

const provider = (more: Partial<ProviderView> = {}): ProviderView => ({
  provider: 'cluster-api',
  name: 'cluster-api',
  type: 'core',
  version: 'v1.14.2',
  namespace: 'capi-system',
  contract: 'v1beta2',
  newest: null,
  health: 'healthy',
  reasons: [],
  deployments: [],
  ...more,
});
const infrastructure = provider({provider: 'infrastructure-docker', name: 'docker', type: 'infrastructure', namespace: 'capd-system'});

const well: ManagementSeen = {
  server: 'https://m',
  context: 'm',
  simulated: false,
  kubernetes: 'v1.36.3',
  contract: 'v1beta2',
  providers: [provider(), infrastructure],
  certManager: {state: 'ours', version: 'v1.21.2'},
  clockSkew: 400,
  access: [{verb: 'create', group: 'cluster.x-k8s.io', resource: 'clusters', namespace: 'fleet', allowed: true}],
  hasNamespace: true,
  clusterClass: {
    name: 'quick',
    namespace: 'fleet',
    missing: false,
    conditions: [
      {type: 'VariablesReady', status: 'True'},
      {type: 'RefVersionsUpToDate', status: 'True'},
    ],
  },
  nodes: {ready: 3, all: 3},
  certManagerRuns: [{name: 'cert-manager', available: true}],
  ownCertificates: [],
  unservedStorage: [],
};

const cluster = {metadata: {name: 'web'}, spec: {controller: {namespace: 'fleet', class: 'quick'}}} as unknown as ClusterDocument;
const run = (management: Partial<ManagementSeen>) => {
  const facts = {cluster, problem: undefined, management: {...well, ...management}, aws: undefined};
  const report = runControllerPreflight(facts);
  const found = report.results.filter(({status}) => status !== 'ok').map(({id, status, observed}) => `${status} ${id}: ${observed}`);
  return {facts, report, found};
};

describe('preflight of a management cluster', () => {
  it('finds nothing where all is well, and counts what it looked at', () => {
    const {found, report, facts} = run({});
    expect(found).toEqual([]);
    expect(summaryOf(report)).toBe('13 checks: 0 errors, 0 warnings');
    expect(problemOfReport(report, facts)).toBeUndefined();
  });

  it.each<[string, Partial<ManagementSeen>, string]>([
    ['an old Kubernetes', {kubernetes: 'v1.30.1'}, 'error api-version: Kubernetes v1.30.1 under Cluster API v1.14.2'],
    ['a newer Kubernetes', {kubernetes: 'v1.37.0'}, 'warning api-version: Kubernetes v1.37.0 under Cluster API v1.14.2'],
    ['no core provider', {providers: [infrastructure]}, 'error core-provider: no core provider is in the inventory'],
    ['no infrastructure provider', {providers: [provider()]}, 'warning core-provider: no infrastructure provider is in the inventory'],
    [
      'a provider that does not run',
      {providers: [provider(), {...infrastructure, health: 'degraded', reasons: ['no nodes.']}]},
      'error providers-healthy: infrastructure-docker: no nodes.',
    ],
    [
      'a contract too old',
      {providers: [provider(), {...infrastructure, contract: 'v1alpha4'}]},
      'error provider-contracts: infrastructure-docker v1.14.2 follows v1alpha4',
    ],
    [
      'a missing right',
      {access: [{verb: 'create', group: 'cluster.x-k8s.io', resource: 'clusters', namespace: 'fleet', allowed: false}]},
      'error access-rights: the user of m may not create clusters.cluster.x-k8s.io in namespace fleet',
    ],
    [
      'a missing class',
      {clusterClass: {name: 'quick', namespace: 'fleet', missing: true, conditions: []}},
      'error cluster-class: there is no ClusterClass fleet/quick',
    ],
    [
      'a class whose variables are not read',
      {clusterClass: {name: 'quick', namespace: 'fleet', missing: false, conditions: [{type: 'VariablesReady', status: 'False', message: 'hook failed'}]}},
      'error cluster-class: ClusterClass fleet/quick: VariablesReady is False: hook failed',
    ],
    ['a missing namespace', {hasNamespace: false}, 'error namespace: there is no namespace fleet'],
    ['no nodes', {nodes: {ready: 0, all: 0}}, 'warning management-nodes: the management cluster has no nodes'],
    ['nodes that are all down', {nodes: {ready: 0, all: 2}}, 'error management-nodes: 0 of 2 nodes are ready'],
    ['no cert-manager', {certManager: {state: 'absent'}}, 'warning cert-manager: cert-manager is not installed'],
    [
      'a cert-manager that does not run',
      {certManagerRuns: [{name: 'webhook', available: false}]},
      'warning cert-manager: Deployment cert-manager/webhook is not available',
    ],
    ['a clock that is ahead', {clockSkew: 95_000}, "warning clock-skew: its clock is 95 s ahead of this computer's"],
    [
      'a stored version that is not served',
      {unservedStorage: [{crd: 'clusters.cluster.x-k8s.io', versions: ['v1alpha4']}]},
      "warning stored-versions: clusters.cluster.x-k8s.io still lists objects kept in v1alpha4, which isn't served",
    ],
  ])('finds %s', (_, management, wanted) => {
    expect(run(management).found).toEqual([wanted]);
  });

  it('warns of certificates of our own that run out, and calls an expired one an error; cert-manager is not missed then', () => {
    const check = webhookCertificatesAt(() => Date.parse('2026-11-25T00:00:00Z'));
    const expires = (date: string) =>
      check.run({...well, ownCertificates: [{secret: 'a/b', expires: date}]}, cluster).map(({severity}) => severity ?? 'warning');
    expect(['2028-01-01T00:00:00Z', '2027-01-01T00:00:00Z', '2026-11-01T00:00:00Z', ''].map(expires)).toEqual([[], ['warning'], ['error'], ['warning']]);
    expect(run({certManager: {state: 'absent'}, ownCertificates: [{secret: 'a/b', expires: '2999-01-01T00:00:00Z'}]}).found).toEqual([]);
  });

  it('does not judge a Cluster API that it does not know', () => {
    expect(apiVersion.run({...well, kubernetes: 'v1.20.0', providers: [provider({version: 'v1.99.0'})]}, cluster)).toEqual([]);
  });

  it('of a management cluster that does not answer finds just that, and ends as its error does', () => {
    const problem = {code: 'api.unreachable', message: 'Nobody answers.', hints: ['Look.'], exit: 4} as const;
    const facts = {cluster, problem, management: undefined, aws: undefined};
    const report = runControllerPreflight(facts, {only: ['namespace']});
    expect(report.results.map(({id, status}) => [id, status])).toEqual([['api', 'error']]);
    expect(problemOfReport(report, facts)).toBe(problem);
    const ignored = runControllerPreflight(facts, {ignore: ['api']});
    expect(problemOfReport(ignored, facts)).toBeUndefined();
  });
});
