#!/usr/bin/env node
// What Cluster API's providers consist of, from their modules' own kustomizations, for an API server whose webhooks are processes on loopback.
//   cluster-api.mjs KUBECTL CA_FILE FIRST_WEBHOOK_PORT OUT      cluster-api.mjs crds KUBECTL cluster-api|aws...
// Writes OUT/{crds,objects,webhooks,inventory,class}.yaml, prints a line per manager: its program, its namespace, its feature gates. Deployments and
// cert-manager's objects are left out; a webhook's `clientConfig.service` becomes a URL with the given CA. `crds` prints kinds alone, for a server where
// nothing converts them: `aws` are those of Cluster API's provider for AWS, of which no program is here.
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseAllDocuments, stringify} from 'yaml';
import {moduleFolder, versions} from './parts.mjs';

const gates = 'ClusterTopology=true,MachinePool=true';

/** The four providers of the bed: kustomization, program, and how clusterctl's inventory names them. */
export const providers = () => {
  const core = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api');
  const test = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test');
  return [
    {program: 'core-manager', label: 'cluster-api', name: 'cluster-api', type: 'CoreProvider', namespace: 'capi-system', config: join(core, 'core/config'), gates: `${gates},RuntimeSDK=true`},
    {program: 'bootstrap-manager', label: 'bootstrap-kubeadm', name: 'kubeadm', type: 'BootstrapProvider', namespace: 'capi-kubeadm-bootstrap-system', config: join(core, 'bootstrap/kubeadm/config'), gates: 'MachinePool=true,KubeadmBootstrapFormatIgnition=true'},
    {program: 'control-plane-manager', label: 'control-plane-kubeadm', name: 'kubeadm', type: 'ControlPlaneProvider', namespace: 'capi-kubeadm-control-plane-system', config: join(core, 'controlplane/kubeadm/config'), gates: `${gates},KubeadmBootstrapFormatIgnition=true`},
    {program: 'in-memory-manager', label: 'infrastructure-docker', name: 'docker', type: 'InfrastructureProvider', namespace: 'capd-system', config: join(test, 'infrastructure/docker/config'), gates},
  ];
};

export const read = text => parseAllDocuments(text).map(document => document.toJS()).filter(Boolean);
export const write = documents => documents.map(document => stringify(document, {lineWidth: 0})).join('---\n');
export const kustomize = (kubectl, folder) => read(execFileSync(kubectl, ['kustomize', '--load-restrictor=LoadRestrictionsNone', folder], {encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe']}));

/** What clusterctl puts on everything that it installs. */
export const label = (object, provider) => {
  object.metadata.labels = {...object.metadata.labels, 'clusterctl.cluster.x-k8s.io': '', 'cluster.x-k8s.io/provider': provider};
  return object;
};

const toLoopback = (clientConfig, port, caBundle) => {
  if (!clientConfig?.service) return;
  clientConfig.url = `https://127.0.0.1:${port}${clientConfig.service.path ?? ''}`;
  clientConfig.caBundle = caBundle;
  delete clientConfig.service;
};

/** The kinds of all four providers, or of the provider for AWS, without conversion between their versions. */
const kinds = (kubectl, name) => {
  const aws = {label: 'infrastructure-aws', config: () => join(moduleFolder('capa', 'sigs.k8s.io/cluster-api-provider-aws/v2'), 'config')};
  const from = {'cluster-api': () => providers(), aws: () => [{...aws, config: aws.config()}]}[name];
  if (!from) throw new Error(`no kinds of ${name}: cluster-api or aws`);
  return from().flatMap(provider => kustomize(kubectl, join(provider.config, 'crd')).map(crd => {
    crd.spec.conversion = {strategy: 'None'};
    return label(crd, provider.label);
  }));
};

if (process.argv[1] === import.meta.filename && process.argv[2] === 'crds') {
  const [kubectl, ...names] = process.argv.slice(3);
  console.log(write(names.flatMap(name => kinds(kubectl, name))));
} else if (process.argv[1] === import.meta.filename) {
  const [kubectl, caFile, firstPort, out] = process.argv.slice(2);
  const caBundle = readFileSync(caFile).toString('base64');
  const files = {crds: [], objects: [], webhooks: [], inventory: [], class: []};
  for (const [at, provider] of providers().entries()) {
    const port = Number(firstPort) + at;
    for (const object of kustomize(kubectl, join(provider.config, 'default'))) {
      if (object.kind === 'Deployment' || object.apiVersion.startsWith('cert-manager.io/')) continue;
      label(object, provider.label);
      if (object.metadata.annotations) delete object.metadata.annotations['cert-manager.io/inject-ca-from'];
      if (object.kind === 'CustomResourceDefinition') {
        toLoopback(object.spec.conversion?.webhook?.clientConfig, port, caBundle);
        files.crds.push(object);
      } else if (object.kind.endsWith('WebhookConfiguration')) {
        for (const webhook of object.webhooks) toLoopback(webhook.clientConfig, port, caBundle);
        files.webhooks.push(object);
      } else files.objects.push(object);
    }
    const inventory = {apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Provider', metadata: {name: provider.label, namespace: provider.namespace, labels: {'clusterctl.cluster.x-k8s.io/core': 'inventory'}}, providerName: provider.name, type: provider.type, version: versions.clusterApi};
    files.inventory.push(label(inventory, provider.label));
    console.log(provider.program, provider.namespace, provider.gates);
  }
  const core = moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api');
  for (const object of read(readFileSync(join(core, 'cmd/clusterctl/config/manifest/clusterctl-api.yaml'), 'utf8'))) {
    object.metadata.labels = {...object.metadata.labels, 'clusterctl.cluster.x-k8s.io': '', 'clusterctl.cluster.x-k8s.io/core': 'inventory'};
    files.crds.push(object);
  }
  files.class = read(readFileSync(join(moduleFolder('cluster-api', 'sigs.k8s.io/cluster-api/test'), 'infrastructure/docker/templates/clusterclass-in-memory.yaml'), 'utf8'));
  for (const [name, documents] of Object.entries(files)) writeFileSync(join(out, `${name}.yaml`), write(documents));
}
