import {describe, expect, test} from 'vitest';
import {applyWaves, objectId, orderObjects, parseManifest} from '../../../src/layers/manifest.ts';

const object = (kind: string, name: string, apiVersion = 'v1') => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const parsed = (...texts: string[]) => parseManifest(texts.join('---\n'));
const ids = (objects: readonly Parameters<typeof objectId>[0][]) => objects.map(objectId);

describe('a manifest', () => {
  test('is read with empty documents, comments and lists', () => {
    const text = `# nothing\n---\n---\n${object('Namespace', 'a')}---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: a}}\n- {apiVersion: apps/v1, kind: Deployment, metadata: {name: c}}\n---\n`;
    expect(ids(parseManifest(text))).toEqual(['Namespace a', 'Secret a/b', 'apps/Deployment c']);
  });

  test('is read as kubectl reads it: octal modes, yes and no, dates as text', () => {
    const [volume] = parseManifest(`${object('ConfigMap', 'x')}mode: 0644\nflag: yes\nday: 2026-01-02\ntime: 12:30:45\nnumber: 1e3\ntext: "yes"\n`);
    expect(volume).toMatchObject({mode: 0o644, flag: true, day: '2026-01-02', time: '12:30:45', number: 1000, text: 'yes'});
  });

  test.each([
    ['an object without a kind', 'apiVersion: v1\nmetadata: {name: x}\n', 'manifest:1:1  manifest.object'],
    ['an object without a name', 'apiVersion: v1\nkind: Pod\nmetadata: {}\n', 'manifest:3:11  manifest.object'],
    ['an item of a list that is none', 'apiVersion: v1\nkind: List\nitems: [3]\n', 'manifest:3:9  manifest.object'],
    ['a name that is read as false', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n', 'manifest:3:18  manifest.object'],
    ['no YAML', 'a: [', 'manifest:1:4  yaml.'],
  ])('with %s is refused at its place', (_what, text, expected) => {
    expect(() => parseManifest(text)).toThrow(expect.objectContaining({exit: 3, message: expect.stringContaining(expected)}));
  });

  test('with the same object twice is refused, whatever version it is written in', () => {
    expect(() => parsed(object('Deployment', 'x', 'apps/v1'), object('Deployment', 'x', 'apps/v1beta1'))).toThrow('manifest has apps/Deployment x twice.');
    expect(parsed(object('Ingress', 'x', 'networking.k8s.io/v1'), object('Ingress', 'x', 'other.example/v1'))).toHaveLength(2);
  });
});

test('objects go in the order in which the API can take them, those of one rank as they are written', () => {
  const objects = parsed(
    object('Widget', 'w', 'x.example/v1'),
    object('ValidatingWebhookConfiguration', 'v', 'admissionregistration.k8s.io/v1'),
    object('Deployment', 'b', 'apps/v1'),
    object('Deployment', 'a', 'apps/v1'),
    object('ServiceAccount', 's'),
    object('CustomResourceDefinition', 'c', 'apiextensions.k8s.io/v1'),
    object('Namespace', 'ns'),
  );
  expect(orderObjects(objects).map((one) => `${one.kind} ${one.metadata.name}`)).toEqual([
    'Namespace ns',
    'CustomResourceDefinition c',
    'ServiceAccount s',
    'Widget w',
    'Deployment b',
    'Deployment a',
    'ValidatingWebhookConfiguration v',
  ]);
  expect(applyWaves(objects).map((wave) => wave.length)).toEqual([2, 5]);
  expect(applyWaves(parsed(object('ConfigMap', 'c')))).toHaveLength(1);
});
