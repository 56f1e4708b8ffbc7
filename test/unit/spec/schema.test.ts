import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {parse} from 'yaml';
import {renderComplaint} from '../../../src/spec/complaint.ts';
import {explainPath, renderExplanation} from '../../../src/spec/explain.ts';
import {jsonSchema, schemaOfKind, walkFields, writeJsonSchema} from '../../../src/spec/json-schema.ts';
import {nearest} from '../../../src/spec/nearest.ts';
import {type Kind, kinds} from '../../../src/spec/schema.ts';
import {Source} from '../../../src/spec/source.ts';

const names = Object.keys(kinds) as Kind[];

describe('explain', () => {
  const fields = names.flatMap((kind) => [...walkFields(schemaOfKind(kind))].map(({path, required}) => ({kind, path, required})));

  test('the schema has the fields that are walked', () => {
    expect(fields.length).toBeGreaterThan(120);
    expect(fields.map(({path}) => path)).toContain('spec.agent.hosts[].taints[].effect');
  });

  test.each(fields)('documents $kind $path', ({kind, path}) => {
    const explanation = explainPath(`${kind}.${path.replaceAll('.*', '.any')}`);
    expect(explanation.description.length).toBeGreaterThan(10);
    expect(explanation.type).not.toBe('');
    if (explanation.type !== 'anything') expect(renderExplanation(explanation)).toContain(explanation.description);
  });

  test('tells type, default, values, range and children', () => {
    expect(explainPath('spec.endpoint.port')).toMatchObject({type: 'whole number', required: false, default: 6443, minimum: 1, maximum: 65_535});
    expect(explainPath('spec.agent.hosts[0].role')).toMatchObject({type: 'text', required: true, values: ['control-plane', 'worker']});
    expect(explainPath('spec.agent.hosts').children.map((child) => child.name)).toContain('nodeAddress');
    expect(explainPath('spec.agent.hosts')).toMatchObject({type: 'list of map', required: true});
    expect(explainPath('spec.variables.default')).toMatchObject({kind: 'ClusterProfile', type: 'text, number or true or false'});
  });

  test.each([
    ['spec.agent.hst', 'trireme explain spec.agent.hosts'],
    ['spec.agnt.ssh.user', 'trireme explain spec.agent.ssh.user'],
    ['hosts', 'trireme explain spec.agent.hosts'],
  ])('knows no %s, and says where it may be', (path, hint) => {
    expect(() => explainPath(path)).toThrow(expect.objectContaining({code: 'usage.invalid', hints: expect.arrayContaining([hint])}));
  });
});

describe('JSON Schema', () => {
  test('has every kind, and what has a default is not required', () => {
    const schema = jsonSchema() as {definitions: Record<string, {properties: {spec: {required: string[]}}}>};
    expect(Object.keys(schema.definitions)).toEqual(names);
    expect(schema.definitions['Cluster']?.properties.spec.required).toEqual(['mode', 'kubernetes']);
  });

  test('is written as a file for editors', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'schema-'));
    try {
      const path = await writeJsonSchema(folder);
      expect(path).toBe(join(folder, 'trireme.v1alpha1.json'));
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(jsonSchema());
    } finally {
      await rm(folder, {recursive: true, force: true});
    }
  });

  test('describes the fixture that is valid', async () => {
    const value = parse(await readFile(new URL('../../fixtures/spec/valid/trireme.yaml', import.meta.url), 'utf8')) as object;
    expect(kinds.Cluster.safeParse(value).success).toBe(true);
  });
});

describe('a complaint as text', () => {
  const text = 'a: 1\nb:\n  wrong: 2\n';

  test('has file, line, column, rule, two lines of YAML, a caret, what is wrong and what is right', () => {
    const complaint = new Source('x.yaml', '/', text).complain(
      {offset: text.indexOf('wrong'), length: 5},
      {rule: 'schema.unknown-key', message: 'b has no field wrong.', hint: 'Did you mean right?'},
    );
    expect(renderComplaint(complaint)).toBe(
      ['x.yaml:3:3  schema.unknown-key', '  2 | b:', '  3 |   wrong: 2', '    |   ^^^^^', '  b has no field wrong.', '  Did you mean right?'].join('\n'),
    );
  });

  test('never lets control characters reach the terminal, and cuts long lines around the caret', () => {
    const long = `${'x'.repeat(5000)}\u001b[31mhere${'y'.repeat(5000)}`;
    const rendered = renderComplaint(new Source('x.yaml', '/', long).complain({offset: 5005, length: 4}, {rule: 'a.b', message: 'm'}));
    expect(rendered).not.toContain('\u001b');
    const [, line = '', caret = ''] = rendered.split('\n');
    expect(line.length).toBeLessThan(130);
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('here');
  });
});

test.each([
  ['hst', 'hosts'],
  ['Hosts', 'hosts'],
  ['ident', 'identityFile'],
  ['node-address', 'nodeAddress'],
  ['zzz', undefined],
  ['', undefined],
])('the nearest to %j is %s', (word, expected) => {
  expect(nearest(word, ['hosts', 'identityFile', 'nodeAddress', 'port'])).toBe(expected);
});
