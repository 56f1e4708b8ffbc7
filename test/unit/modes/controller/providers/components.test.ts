import {describe, expect, it} from 'vitest';
import {readComponents} from '../../../../../src/modes/controller/providers/components.ts';
import {overrideImage} from '../../../../../src/modes/controller/providers/images.ts';
import {inventoryObjectOf} from '../../../../../src/modes/controller/providers/inventory.ts';
import {contractOf, parseMetadata} from '../../../../../src/modes/controller/providers/metadata.ts';
import {requireCompatible, requireFree} from '../../../../../src/modes/controller/providers/check-target.ts';
import {requestsOf} from '../../../../../src/modes/controller/providers/plan-init.ts';
import {sampleOf} from '../../../../../src/modes/controller/providers/sample-object.ts';

const provider = {name: 'lab', type: 'InfrastructureProvider'} as const;
const text = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: boats.lab.example
  annotations: {cert-manager.io/inject-ca-from: lab-system/serving-cert}
spec:
  group: lab.example
  names: {kind: Boat, plural: boats}
  conversion: {strategy: Webhook, webhook: {clientConfig: {service: {name: hook, namespace: lab-system}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager, namespace: lab-system}
spec:
  template:
    spec:
      containers:
        - {name: manager, image: "registry.example/team/lab:\${TAG:=v1}", args: ["--x=\${LEVEL:=2}", "$\${KEPT}"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: lab}
subjects: [{kind: ServiceAccount, name: lab, namespace: lab-system}, {kind: Group, name: everybody}]
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: serving-cert, namespace: lab-system}
spec: {dnsNames: [hook.lab-system.svc, hook.lab-system.svc.cluster.local], secretName: s}
---
apiVersion: v1
kind: Namespace
metadata: {name: lab-system}
`;
const read = (yaml: string, values: Readonly<Record<string, string>> = {}, namespace?: string) =>
  readComponents(Buffer.from(yaml), provider, {
    version: 'v0.1.0',
    contract: 'v1beta2',
    place: '/r',
    configuration: {lookup: (name) => values[name], images: {all: {repository: 'mirror.example'}, 'infrastructure-lab': {tag: 'v9'}}},
    ...(namespace === undefined ? {} : {namespace}),
  });

describe('components', () => {
  it('go into another namespace with everything that refers to it, labelled, namespace and certificates first', () => {
    const {objects, namespace, images, remarks} = read(text, {TAG: 'v7'}, 'elsewhere');
    expect(namespace).toBe('elsewhere');
    expect(objects.map(({kind}) => kind)).toEqual(['Namespace', 'Certificate', 'CustomResourceDefinition', 'Deployment', 'ClusterRoleBinding']);
    const [place, certificate, crd, deployment, binding] = objects;
    expect(place?.metadata).toMatchObject({name: 'elsewhere', labels: {'clusterctl.cluster.x-k8s.io': '', 'cluster.x-k8s.io/provider': 'infrastructure-lab'}});
    expect(certificate).toMatchObject({metadata: {namespace: 'elsewhere'}, spec: {dnsNames: ['hook.elsewhere.svc', 'hook.elsewhere.svc.cluster.local']}});
    expect(crd).toMatchObject({
      metadata: {annotations: {'cert-manager.io/inject-ca-from': 'elsewhere/serving-cert'}},
      spec: {conversion: {webhook: {clientConfig: {service: {name: 'hook', namespace: 'elsewhere'}}}}},
    });
    expect(crd?.metadata.namespace).toBeUndefined();
    expect(deployment).toMatchObject({spec: {template: {spec: {containers: [{args: ['--x=2', '${KEPT}']}]}}}});
    expect(images).toEqual(['mirror.example/lab:v9']);
    expect(binding).toMatchObject({subjects: [{namespace: 'elsewhere'}, {kind: 'Group', name: 'everybody'}]});
    expect(remarks).toEqual([]);
  });

  it('have all missing variables named at once, with the defaults of the others', () => {
    const wrong = text.replace('v1}', 'v1}').replace('LEVEL:=2', 'LEVEL').replace('$${KEPT}', '${TOKEN}');
    expect(() => read(wrong)).toThrow('LEVEL, TOKEN');
    try {
      read(wrong);
    } catch (error) {
      expect(error).toMatchObject({
        code: 'provider.variable-missing',
        details: {missing: ['LEVEL', 'TOKEN']},
        hints: [expect.anything(), 'These have defaults: TAG=v1'],
      });
    }
  });

  it('are entered into the inventory as clusterctl does', () => {
    expect(inventoryObjectOf(read(text))).toEqual({
      apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3',
      kind: 'Provider',
      metadata: {
        name: 'infrastructure-lab',
        namespace: 'lab-system',
        labels: {'clusterctl.cluster.x-k8s.io': '', 'clusterctl.cluster.x-k8s.io/core': 'inventory', 'cluster.x-k8s.io/provider': 'infrastructure-lab'},
      },
      providerName: 'lab',
      type: 'InfrastructureProvider',
      version: 'v0.1.0',
    });
  });

  it('without a namespace need one, and with two are refused', () => {
    const bare = text.slice(0, text.lastIndexOf('---'));
    expect(() => read(bare)).toThrow('name no namespace');
    expect(read(bare, {}, 'given').objects[0]).toMatchObject({kind: 'Namespace', metadata: {name: 'given'}});
    expect(() => read(`${text}---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n`)).toThrow('there are 2 Namespaces');
  });

  it.each([
    ['registry.example/a/b:v1', 'mirror/b:v1', {all: {repository: 'mirror/'}}],
    ['registry.example/a/b:v1@sha256:0', 'registry.example/a/b:v2@sha256:0', {c: {tag: 'v2'}}],
    ['registry.example/a/b:v1', 'm/x:v3', {all: {repository: 'm', tag: 'v2'}, 'c/b': {name: 'x', tag: 'v3'}}],
    ['registry.example/a/b', 'registry.example/a/b', {d: {tag: 'v2'}}],
    ['host:5000/b:v1', 'm/b:v1', {all: {repository: 'm'}}],
  ])('override the image %s to %s', (image, wanted, overrides) => {
    expect(overrideImage(image, 'c', overrides)).toBe(wanted);
  });
});

describe('metadata.yaml', () => {
  const head = 'apiVersion: clusterctl.cluster.x-k8s.io/v1alpha3\n';
  it('says which contract a version follows, pre-releases too', () => {
    const series = parseMetadata(Buffer.from(`${head}releaseSeries:\n- {major: 1, minor: 2, contract: v1beta2}\n- {minor: 9, contract: v1alpha4}\n`), 'm');
    expect(['v1.2.7', 'v1.2.0-rc.1', 'v0.9.0', 'v1.3.0'].map((version) => contractOf(series, version))).toEqual(['v1beta2', 'v1beta2', 'v1alpha4', undefined]);
  });

  it.each([
    ['', 'holds no metadata'],
    ['apiVersion: v1\nreleaseSeries: [{major: 1, contract: v1beta2}]', 'apiVersion is v1'],
    [`${head}kind: Other\nreleaseSeries: [{major: 1, contract: v1beta2}]`, 'kind is Other'],
    [`${head}releaseSeries: []`, 'releaseSeries is empty'],
    [`${head}releaseSeries: [{major: 1, minor: 2}]`, 'names no contract'],
    [`${head}releaseSeries: [{major: one, contract: v1beta2}]`, 'major is a whole number'],
    [`${head}releaseSeries: [{major: 1, contract: v1beta2}, {major: 1, contract: v1beta1}]`, 'there twice'],
  ])('is refused: %s', (yaml, message) => {
    expect(() => parseMetadata(Buffer.from(yaml), 'm')).toThrow(message);
  });
});

describe('a set of providers', () => {
  const core = {name: 'cluster-api', type: 'CoreProvider', version: 'v1.14.2', namespace: 'capi-system', contract: 'v1beta2'} as const;
  const lab = {...provider, version: 'v0.1.0', namespace: 'lab-system', contract: 'v1beta1'};

  it('may follow v1beta1 under a core of v1beta2, and nothing older', () => {
    expect(() => requireCompatible([core, lab])).not.toThrow();
    expect(() => requireCompatible([core, {...lab, contract: 'v1alpha4'}])).toThrow('infrastructure-lab v0.1.0 follows v1alpha4');
    expect(() => requireCompatible([lab])).toThrow('there is none');
    expect(() => requireCompatible([core, {...core, namespace: 'other'}])).toThrow('there are 2');
    expect(() => requireCompatible([{...core, contract: 'v2'}])).toThrow("doesn't know");
  });

  it('has one of each', () => {
    expect(() => requireFree([lab], [{...provider, version: 'v0.1.0', namespace: 'lab-system'}])).not.toThrow();
    expect(() => requireFree([lab], [{...provider, version: 'v0.0.9', namespace: 'lab-system'}])).toThrow('installed already: v0.0.9');
    expect(() => requireFree([lab], [{...provider, version: 'v0.1.0', namespace: 'x'}])).toThrow('in namespace x');
  });

  it('has core, bootstrap and control plane by default, also after a run that broke off behind the core', () => {
    const names = (asked: Parameters<typeof requestsOf>[0], installed: Parameters<typeof requestsOf>[1] = []) =>
      requestsOf(asked, installed).map(({name, type, version}) => `${type} ${name}${version === undefined ? '' : ` ${version}`}`);
    const all = ['CoreProvider cluster-api', 'BootstrapProvider kubeadm', 'ControlPlaneProvider kubeadm'];
    expect(names({InfrastructureProvider: ['lab:v0.1.0']})).toEqual([...all, 'InfrastructureProvider lab v0.1.0']);
    expect(names({}, [core])).toEqual(all.slice(1));
    expect(names({BootstrapProvider: ['-'], ControlPlaneProvider: ['rke2']}, [core])).toEqual(['ControlPlaneProvider rke2']);
    expect(() => names({CoreProvider: ['-']})).toThrow('has no meaning');
    expect(() => names({InfrastructureProvider: ['lab', 'lab:v1.0.0']})).toThrow('twice');
    expect(() => names({InfrastructureProvider: ['lab:1.0']})).toThrow('NAME:VERSION');
  });
});

describe('a sample object', () => {
  it('has what the schema requires, and no more', () => {
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: ['count', 'mode', 'list', 'nested', 'any'],
          properties: {
            count: {type: 'integer', minimum: 3},
            mode: {type: 'string', enum: ['a', 'b']},
            list: {type: 'array', minItems: 1, items: {type: 'string', minLength: 4}},
            nested: {type: 'object', minProperties: 1, properties: {x: {type: 'boolean'}, y: {type: 'string'}}},
            any: {'x-kubernetes-int-or-string': true},
            left: {type: 'string'},
          },
        },
        status: {type: 'object'},
      },
    };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {name: 'x'},
      spec: {group: 'g', names: {kind: 'K'}, scope: 'Namespaced'},
    };
    expect(sampleOf(crd, {name: 'v1', schema: {openAPIV3Schema: schema}}, 'n')).toEqual({
      apiVersion: 'g/v1',
      kind: 'K',
      metadata: {name: 'trireme-probe', namespace: 'n'},
      spec: {count: 3, mode: 'a', list: ['xxxx'], nested: {x: false}, any: 0},
    });
  });
});
