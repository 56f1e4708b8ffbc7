// Makes src/sandbox/management/kinds.json: names, scopes and structural schemas of the kinds that the sandbox's management API serves, as they stand in
// the custom resource definitions of Cluster API's Go modules. Only structure is kept (no descriptions), and only the version v1beta2.
// Usage: node test/testbed/management-kinds.mjs (needs Go; the modules come from the module proxy)
import {execFileSync} from 'node:child_process';
import {readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parse} from 'yaml';

const version = 'v1.14.2';
const module = (name) => JSON.parse(execFileSync('go', ['mod', 'download', '-json', `${name}@${version}`], {encoding: 'utf8'})).Dir;
const main = module('sigs.k8s.io/cluster-api');
const test = module('sigs.k8s.io/cluster-api/test');
const sources = [
  ['cluster-api', join(main, 'core/config/crd/bases')],
  ['bootstrap-kubeadm', join(main, 'bootstrap/kubeadm/config/crd/bases')],
  ['control-plane-kubeadm', join(main, 'controlplane/kubeadm/config/crd/bases')],
  ['infrastructure-docker', join(test, 'infrastructure/docker/config/crd/bases')],
  // no provider of its own: clusterctl installs its inventory's kind by itself
  ['', join(main, 'cmd/clusterctl/config/crd/bases')],
];
const left = /^(Docker|ExtensionConfig$)/;
const kept = new Set(['type', 'properties', 'items', 'additionalProperties', 'required', 'enum', 'default', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties', 'nullable']);
const extension = /^x-kubernetes-(?!validations)/;

function compact(schema) {
  if (Array.isArray(schema)) return schema;
  const result = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') result[key] = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, compact(one)]));
    else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object')) result[key] = compact(value);
    else if (kept.has(key) || extension.test(key)) result[key] = value;
    else if (key === 'format' && ['int32', 'int64', 'date-time'].includes(value)) result[key] = value;
  }
  return result;
}

const kinds = [];
for (const [provider, folder] of sources)
  for (const file of readdirSync(folder).toSorted()) {
    const {spec} = parse(readFileSync(join(folder, file), 'utf8'));
    if (left.test(spec.names.kind)) continue;
    const served = spec.versions.find((one) => one.storage);
    const {properties, ...rest} = compact(served.schema.openAPIV3Schema);
    const {apiVersion: _a, kind: _k, metadata: _m, ...fields} = properties;
    kinds.push({
      provider,
      group: spec.group,
      version: served.name,
      names: spec.names,
      scope: spec.scope,
      ...(served.subresources === undefined ? {} : {subresources: served.subresources}),
      columns: (served.additionalPrinterColumns ?? []).map(({name, type, jsonPath, priority}) => ({name, type, jsonPath, ...(priority === undefined ? {} : {priority})})),
      schema: {...rest, properties: fields},
    });
  }
const path = fileURLToPath(new URL('../../src/sandbox/management/kinds.json', import.meta.url));
writeFileSync(path, `[\n${kinds.map((kind) => JSON.stringify(kind)).join(',\n')}\n]\n`);
console.log(`${kinds.length} kinds: ${path}`);
