// Manifests for docker and AWS against a real API server: the providers' own templates, filled in by us, pass its dry run. The kinds of the provider for AWS
// come from its module; its webhooks aren't there, those of Cluster API are.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments} from 'yaml';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {substitute} from '../../src/modes/controller/templates/substitute.ts';
import {Source} from '../../src/spec/source.ts';
import {missingManagementCluster, startManagementCluster, type ManagementCluster} from '../support/management-cluster.ts';
import {moduleFolder} from '../testbed/parts.mjs';

const reason = await missingManagementCluster();

const variables: Readonly<Record<string, string>> = {
  CLUSTER_NAME: 'skiff',
  NAMESPACE: 'default',
  KUBERNETES_VERSION: 'v1.35.4',
  CONTROL_PLANE_MACHINE_COUNT: '3',
  WORKER_MACHINE_COUNT: '2',
  CLUSTER_CLASS_NAME: 'quick-start',
  AWS_REGION: 'eu-central-1',
  AWS_SSH_KEY_NAME: 'deck',
  AWS_CONTROL_PLANE_MACHINE_TYPE: 't3.large',
  AWS_NODE_MACHINE_TYPE: 't3.large',
  AWS_AVAILABILITY_ZONE: 'eu-central-1a',
  AWS_ACCOUNT_ID: '123456789012',
  AWS_S3_BUCKET_NAME: 'skiff-ignition',
  MULTI_TENANCY_JUMP_IDENTITY_NAME: 'jump',
  MULTI_TENANCY_JUMP_ROLE_ARN: 'arn:aws:iam::123456789012:role/jump',
  MULTI_TENANCY_NESTED_IDENTITY_NAME: 'nested',
  MULTI_TENANCY_NESTED_ROLE_ARN: 'arn:aws:iam::123456789012:role/nested',
  // filled by the templates' users with the manifest of a CNI, indented
  CNI_RESOURCES: '',
  // not ours: a variable of the machine's own shell, in a systemd unit
  COREOS_EC2_HOSTNAME: '${COREOS_EC2_HOSTNAME}',
};

const templatesIn = (folder: string, skip = /^$/) =>
  readdirSync(folder).filter((name) => /^(cluster-template|clusterclass-).*\.yaml$/.test(name) && !skip.test(name));
const docker = reason === undefined ? join(moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test'), 'infrastructure/docker/templates') : '';
const aws = reason === undefined ? join(moduleFolder('capa', 'sigs.k8s.io/cluster-api-provider-aws/v2'), 'templates') : '';

describe.skipIf(reason !== undefined)(`manifests on a real API server${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cluster: ManagementCluster;

  beforeAll(async () => {
    cluster = await startManagementCluster();
    await cluster.installKinds('aws');
  });
  afterAll(() => cluster?.stop());

  const dryRun = (text: string) => cluster.kubectl(['apply', '--dry-run=server', '-n', 'default', '-f', '-'], {input: text});
  const fill = (folder: string, name: string) => {
    const filled = substitute(new Source(name, folder, readFileSync(join(folder, name), 'utf8')), (variable) => variables[variable]);
    expect(filled.complaints).toEqual([]);
    return filled.text;
  };
  const countOf = (text: string) => parseAllDocuments(text).filter((document) => 'toJS' in document && document.toJS() !== null).length;

  // OpenShift's need an account there, and have no machines of ours
  for (const [folder, names] of [
    [docker, docker === '' ? [] : templatesIn(docker)],
    [aws, aws === '' ? [] : templatesIn(aws, /rosa/)],
  ] as const) {
    for (const name of names) {
      test(`${folder === aws ? 'AWS' : 'docker'}: ${name} passes the dry run`, async () => {
        const text = fill(folder, name);
        const answer = await dryRun(text);
        expect(
          answer
            .trim()
            .split('\n')
            .filter((line) => line.endsWith('(server dry run)')),
        ).toHaveLength(countOf(text));
      });
    }
  }

  test('a manifest that is wrong is refused by the kinds themselves, naming the field', async () => {
    const text = fill(aws, 'cluster-template.yaml').replace(/^( +)instanceType: .*$/m, '$1instanceTypo: t3.large');
    await expect(dryRun(text)).rejects.toThrow(/spec\.template\.spec\.instanceTyp/);
  });
});
