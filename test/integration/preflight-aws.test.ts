import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {stringify} from 'yaml';
import {observeAws} from '../../src/modes/controller/preflight/aws/observe.ts';
import {runControllerPreflight} from '../../src/modes/controller/preflight/run.ts';
import type {AwsSettings, ClusterDocument} from '../../src/spec/schema.ts';
import {type AwsAccount, type AwsDouble, startAwsDouble} from '../support/aws-double.ts';
import {trireme} from '../support/trireme.ts';

const arn = 'arn:aws:sts::123456789012:assumed-role/deployer/ana';

describe('preflight of an AWS account', () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  async function preflight(account: AwsAccount, more: Readonly<Record<string, unknown>> = {}) {
    const double: AwsDouble = await startAwsDouble(account);
    const folder = await mkdtemp(join(tmpdir(), 'trireme-aws-'));
    ends.push(double.close, () => rm(folder, {recursive: true, force: true}));
    // nobody listens there: the account is looked at all the same
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: 'm', cluster: {server: 'http://127.0.0.1:9'}}],
      users: [{name: 'm', user: {}}],
      contexts: [{name: 'm', context: {cluster: 'm', user: 'm'}}],
      'current-context': 'm',
    };
    await writeFile(join(folder, 'kubeconfig'), stringify(kubeconfig));
    const controller = {
      kubeconfig: 'kubeconfig',
      class: 'aws',
      pools: [{name: 'md', class: 'worker', replicas: 3}],
      preflight: {ignore: ['api']},
      cloud: {aws: {region: 'eu-central-1', endpoints: double.endpoints, ...more}},
    };
    const file = {
      apiVersion: 'trireme.dev/v1alpha1',
      kind: 'Cluster',
      metadata: {name: 'web'},
      spec: {mode: 'controller', kubernetes: {distribution: 'kubeadm', version: 'v1.36.3'}, controller},
    };
    await writeFile(join(folder, 'trireme.yaml'), stringify(file));
    const env = {HOME: folder, AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'example-canary-key', AWS_EC2_METADATA_DISABLED: 'true'};
    const ran = await trireme(['preflight', '-o', 'json'], {cwd: folder, env});
    const envelope = JSON.parse(ran.stdout) as {
      result: {simulated: boolean; results: {id: string; status: string; observed: string}[]};
      problem?: {code: string};
    };
    const found = (id: string) => envelope.result.results.find((one) => one.id === id);
    return {ran, double, envelope, found};
  }

  it('says that it is simulated, and is content with an account that may do everything', async () => {
    const {ran, envelope, found, double} = await preflight({arn, keyPairs: ['ops'], quotas: {'L-1216C47A': 64, 'L-0263D0A3': 5}}, {sshKeyName: 'ops'});
    expect(envelope.result.simulated).toBe(true);
    for (const id of ['aws-identity', 'aws-region', 'aws-permissions', 'aws-key-pair', 'aws-quotas']) expect(found(id), id).toMatchObject({status: 'ok'});
    const simulated = double.asked.filter(({Action}) => Action === 'SimulatePrincipalPolicy');
    expect(new Set(simulated.map((form) => form['PolicySourceArn']))).toEqual(new Set(['arn:aws:iam::123456789012:role/deployer']));
    expect(simulated.map((form) => form['ResourceArns.member.1'])).toContain('arn:aws:iam::123456789012:role/trireme.cluster-api-provider-aws.sigs.k8s.io');
    expect(ran.stdout + ran.stderr).not.toContain('example-canary-key');
    expect(ran.code, ran.stderr).toBe(0);
  }, 60_000);

  describe('within this process', () => {
    beforeEach(() => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAEXAMPLE');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'example-canary-key');
      vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    });
    afterEach(() => vi.unstubAllEnvs());

    async function look(account: AwsAccount, more: Partial<AwsSettings> = {}) {
      const double = await startAwsDouble(account);
      ends.push(double.close);
      const settings = {region: 'eu-central-1', endpoints: double.endpoints, ...more};
      const aws = await observeAws(settings, {machines: 4}, new AbortController().signal);
      const cluster = {metadata: {name: 'web'}, spec: {controller: {}}} as unknown as ClusterDocument;
      const report = runControllerPreflight({cluster, problem: undefined, management: undefined, aws});
      return {report, aws, double, of: (id: string) => report.results.filter((one) => one.id === id)};
    }

    it('names the missing actions, by a statement that denies them or by none that allows them', async () => {
      const {report, of} = await look({arn, denied: {'ec2:RunInstances': 'implicitDeny', 'ec2:CreateVpc': 'explicitDeny', 'iam:PassRole': 'implicitDeny'}});
      expect(report).toMatchObject({errors: 1, simulated: true});
      expect(of('aws-permissions')).toMatchObject([
        {
          status: 'error',
          observed:
            'arn:aws:iam::123456789012:role/deployer may not ec2:CreateVpc, ec2:RunInstances, iam:PassRole; denied by a statement of their own: ec2:CreateVpc',
        },
      ]);
    });

    it("simulates the controllers' own role where the file names it", async () => {
      const {double} = await look({arn}, {role: 'arn:aws:iam::123456789012:role/controllers'});
      const asked = double.asked.filter(({Action}) => Action === 'SimulatePrincipalPolicy');
      expect(new Set(asked.map((form) => form['PolicySourceArn']))).toEqual(new Set(['arn:aws:iam::123456789012:role/controllers']));
      expect(asked.some((form) => form['ContextEntries.member.1.ContextKeyName'] === 'iam:AWSServiceName')).toBe(true);
    });

    it('finds a missing key pair and full quotas; GPU instances count on another quota', async () => {
      const {of} = await look({arn, vpcs: 5, addresses: 4, instances: ['t3.large', 'p4d.24xlarge'], quotas: {'L-1216C47A': 9}}, {sshKeyName: 'ops'});
      expect(of('aws-key-pair')).toMatchObject([{status: 'error', observed: 'eu-central-1 has no key pair ops'}]);
      expect(of('aws-quotas').map(({status, observed}) => `${status}: ${observed}`)).toEqual([
        'error: VPCs: 5 of 5 are used',
        'warning: Elastic IP addresses: 4 of 5 are used',
        'warning: vCPUs of On-Demand Standard instances: 2 of 9 are used',
      ]);
    });

    it('finds a region that the account has not opted in to, and one that does not exist', async () => {
      expect((await look({arn}, {region: 'af-south-1'})).of('aws-region')).toMatchObject([{observed: 'the account has not opted in to af-south-1'}]);
      expect((await look({arn}, {region: 'eu-central-9'})).of('aws-region')).toMatchObject([{observed: 'AWS has no region eu-central-9'}]);
    });

    it('goes on where it may not simulate, and stops where AWS refuses the credentials', async () => {
      const {of} = await look({arn, forbidden: ['iam:SimulatePrincipalPolicy']});
      expect(of('aws-permissions')).toMatchObject([{status: 'warning'}]);
      expect(of('aws-permissions')[0]?.observed).toContain('not authorized to perform: iam:SimulatePrincipalPolicy');
      const {report} = await look({arn, forbidden: ['sts:GetCallerIdentity']});
      expect(report.results.filter(({id}) => id.startsWith('aws-')).map(({id, status}) => [id, status])).toEqual([['aws-identity', 'error']]);
    });

    it('passes over an error that was chosen to be ignored, and refuses an id that no check has', async () => {
      const {aws} = await look({arn, denied: {'ec2:RunInstances': 'implicitDeny'}, quotas: {'L-1216C47A': 64}});
      const cluster = {metadata: {name: 'web'}, spec: {controller: {preflight: {ignore: ['aws-permissions']}}}} as unknown as ClusterDocument;
      expect(runControllerPreflight({cluster, problem: undefined, management: undefined, aws})).toMatchObject({errors: 0, ignored: 1, warnings: 1});
      expect(() => runControllerPreflight({cluster, problem: undefined, management: undefined, aws}, {only: ['aws-permission']})).toThrow(
        '--only names aws-permission',
      );
    });
  });
});
