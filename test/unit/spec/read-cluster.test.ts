import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {isTriremeError, type TriremeError} from '../../../src/kernel/errors.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import type {Complaint} from '../../../src/spec/complaint.ts';
import {readCluster, readSpecFiles} from '../../../src/spec/read.ts';

const valid = new URL('../../fixtures/spec/valid/', import.meta.url).pathname;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spec-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

const cluster = (name: string, more = '') => `apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: ${name}}
spec:
  mode: agent
  kubernetes: {version: v1.36.3}
  endpoint: {host: 10.77.0.11}
  agent: {hosts: [{name: ${name}-1, address: 10.77.0.11, role: control-plane}]}
${more}`;
const profile = (spec: string) => `apiVersion: trireme.dev/v1alpha1\nkind: ClusterProfile\nmetadata: {name: harbour}\nspec:\n${spec}`;
const write = (name: string, text: string) => writeFile(join(folder, name), text);
const read = (files: readonly string[], more: object = {}) => readCluster({files, folder, env: {HOME: folder}, ...more});

async function refused(work: Promise<unknown>): Promise<TriremeError> {
  try {
    await work;
  } catch (error) {
    if (isTriremeError(error)) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
const rules = (error: TriremeError) =>
  ((error.details?.['complaints'] ?? []) as readonly Complaint[]).map((complaint) => `${complaint.file}:${complaint.line} ${complaint.rule}`);

describe('a complete file', () => {
  test('gives defaults, layers in order with variables filled in, host files and hooks', async () => {
    const read = await readCluster({files: [join(valid, 'trireme.yaml')], env: {}, folder: '/'});
    expect(read.document.spec.endpoint).toEqual({host: 'api.berth.example', port: 6443, type: 'external'});
    expect(read.document.spec.agent?.drift).toMatchObject({kubelet: 'repair', sysctls: 'report', files: 'repair'});
    expect(read.layers.map((layer) => `${layer.kind} ${layer.name}`)).toEqual(['cni network', 'addon echo']);
    expect(read.layers[0]?.manifest).toContain('{"Network": "10.244.0.0/16", "MTU": 1400, "Backend": {"Type": "host-gw"}}');
    expect(read.layers[0]?.manifest).toContain(`--node "\${NODE_NAME}" --docs '\${var.backend}'`);
    expect(read.layers[1]?.manifest).toContain('replicas: 2');
    expect(read.hostFiles).toEqual({h4: [{path: '/etc/motd', content: 'Welcome aboard.\n', mode: '0644', owner: 'root:root'}]});
    expect(read.hostHooks).toEqual({h4: {beforeApply: await readFile(join(valid, 'check.sh'), 'utf8')}});
    expect(read.source.folder).toBe(valid.replace(/\/$/, ''));
  });

  test('has a digest that moves with the content of the files it names, and with nothing else', async () => {
    await write('trireme.yaml', cluster('berth').replace('role: control-plane}', 'role: control-plane, files: [{source: motd, path: /etc/motd}]}'));
    await write('motd', 'one\n');
    const first = await read([]);
    await write('motd', 'two\n');
    const second = await read([]);
    await write('trireme.yaml', `# a comment\n${await readFile(join(folder, 'trireme.yaml'), 'utf8')}`);
    expect(second.source.digest).not.toBe(first.source.digest);
    expect((await read([])).source.digest).toBe(second.source.digest);
  });
});

describe('several documents and files', () => {
  test('are chosen from by name; without a name they are listed', async () => {
    await write('a.yaml', `${cluster('berth')}---\n${cluster('pier')}`);
    await write('b.yaml', cluster('dock'));
    expect((await read(['a.yaml', 'b.yaml'], {name: 'dock'})).document.metadata.name).toBe('dock');
    expect(await refused(read(['a.yaml', 'b.yaml']))).toMatchObject({
      code: 'usage.invalid',
      message: 'a.yaml, b.yaml has several clusters: berth, pier, dock.',
    });
    expect(await refused(read(['a.yaml'], {name: 'peir'}))).toMatchObject({code: 'cluster.not-found', hints: ['Did you mean pier?']});
  });

  test('may come over standard input, with a profile among them', async () => {
    await write('net.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "${cluster.name}"}\n');
    const text = `${cluster('berth', '  profile: {name: harbour}\n')}---\n${profile('  layers: {cni: {name: net, manifest: net.yaml}}\n')}`;
    const {layers} = await read(['-'], {stdin: async () => text});
    expect(layers).toEqual([{name: 'net', kind: 'cni', manifest: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: "berth" }\n'}]);
  });

  test('that are not there are named, each', async () => {
    const error = await refused(read(['nowhere.yaml', 'neither.yaml']));
    expect(error).toMatchObject({code: 'file.not-found', exit: 3});
    expect(rules(error)).toEqual(['nowhere.yaml:1 file.not-found', 'neither.yaml:1 file.not-found']);
    expect(await refused(read([]))).toMatchObject({
      message: "trireme.yaml doesn't exist.",
      hints: ['Name the file with -f, or write one with: trireme init'],
    });
    expect(rules(await refused(read(['.'])))).toEqual(['.:1 file.not-found']);
  });

  test('that are too large are refused without being read whole', async () => {
    await write('big.yaml', `# ${'x'.repeat(1100 * 1024)}\n${cluster('berth')}`);
    expect(rules(await refused(read(['big.yaml'])))).toEqual(['big.yaml:1 file.too-large']);
  });

  test('keep what merge keys and aliases say', async () => {
    const text = cluster('berth').replace(
      '[{name: berth-1, address: 10.77.0.11, role: control-plane}]',
      '[&h {name: a, address: 10.77.0.11, role: control-plane, labels: &l {zone: x}}, {<<: *h, name: b, address: 10.77.0.12, role: worker, labels: *l}]',
    );
    const {document} = await read(['-'], {stdin: async () => text});
    expect(document.spec.agent?.hosts[1]).toEqual({name: 'b', address: '10.77.0.12', role: 'worker', labels: {zone: 'x'}});
  });
});

describe('variables of a profile', () => {
  const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  plain: ${var.v}\n  quoted: "${var.v}"\n  inside: a-${var.v}-b\n';
  const layers = '  layers: {cni: {name: net, manifest: net.yaml}}\n';
  const withVariables = async (declared: string, given: string, options: object = {}) => {
    await write('net.yaml', manifest);
    await write('profile.yaml', profile(`  variables: {${declared}}\n${layers}`));
    await write('trireme.yaml', cluster('berth', `  profile: {file: profile.yaml, variables: {${given}}}\n`));
    return read([], options);
  };

  test.each([
    ['v: {type: number}', 'v: 1400', 'plain: 1400', 'quoted: "1400"'],
    ['v: {type: boolean}', 'v: true', 'plain: true', 'quoted: "true"'],
    ['v: {}', 'v: "on"', 'plain: "on"', 'quoted: "on"'],
    ['v: {}', 'v: "1.20"', 'plain: "1.20"', 'quoted: "1.20"'],
    ['v: {}', String.raw`v: "x: {y"`, 'plain: "x: {y"', 'quoted: "x: {y"'],
    ['v: {}', String.raw`v: "a\nkind: Evil"`, String.raw`plain: "a\nkind: Evil"`, String.raw`quoted: "a\nkind: Evil"`],
    ['v: {type: cidr, default: 10.0.0.0/8}', '', 'plain: "10.0.0.0/8"', 'quoted: "10.0.0.0/8"'],
  ])('%s given %s become values of their type, and never structure', async (declared, given, plain, quoted) => {
    const {
      layers: [layer],
    } = await withVariables(declared, given);
    expect(layer?.manifest).toContain(`${plain}\n`);
    expect(layer?.manifest).toContain(`${quoted}\n`);
  });

  test.each([
    ['v: {type: number}', 'v: many', 'trireme.yaml:9 variable.value'],
    ['v: {type: number}', 'v: "14"', 'trireme.yaml:9 variable.value'],
    ['v: {type: boolean}', 'v: "true"', 'trireme.yaml:9 variable.value'],
    ['v: {type: version}', 'v: latest', 'trireme.yaml:9 variable.value'],
    ['v: {type: ipv4}', 'v: "::1"', 'trireme.yaml:9 variable.value'],
    ['v: {type: ipv6}', 'v: 10.0.0.1', 'trireme.yaml:9 variable.value'],
    ['v: {type: cidr}', 'v: 10.0.0.1', 'trireme.yaml:9 variable.value'],
    ['v: {regex: a|b}', 'v: ab', 'trireme.yaml:9 variable.value'],
    ['v: {required: true}', '', 'trireme.yaml:9 variable.required'],
    ['v: {}', 'w: 1', 'trireme.yaml:9 variable.unknown'],
    ['v: {default: a, readOnly: true}', 'v: b', 'trireme.yaml:9 variable.read-only'],
    ['v: {masked: true}', 'v: hush', 'trireme.yaml:9 secret.inline'],
    ['v: {masked: true}', 'v: {fromEnv: NOWHERE}', 'trireme.yaml:9 variable.source'],
    ['v: {masked: true}', 'v: {fromFile: nowhere}', 'trireme.yaml:9 variable.source'],
    ['v: {masked: true, default: hush}', '', 'profile.yaml:5 secret.inline'],
    ['v: {type: number, default: many}', '', 'profile.yaml:5 variable.value'],
    ['v: {regex: "("}', '', 'profile.yaml:5 variable.regex'],
    ['v: {readOnly: true}', '', 'profile.yaml:5 variable.read-only'],
    ['v: {typ: number}', '', 'profile.yaml:5 schema.unknown-key'],
    ['"1v": {}', '', 'profile.yaml:5 variable.name'],
  ])('%s given {%s} is refused: %s', async (declared, given, rule) => {
    expect(rules(await refused(withVariables(declared, given)))).toContain(rule);
  });

  test('a masked one comes from environment or file, and the redactor learns it', async () => {
    const redactor = new Redactor();
    const {
      layers: [layer],
    } = await withVariables('v: {masked: true}', 'v: {fromEnv: HUSH}', {env: {HUSH: 'deep-secret'}, redactor});
    expect(redactor.text(layer?.manifest ?? '')).not.toContain('deep-secret');
    await write('hush', 'from-a-file\n');
    const {
      layers: [other],
    } = await withVariables('v: {masked: true}', 'v: {fromFile: hush}');
    expect(other?.manifest).toContain('plain: "from-a-file"\n');
  });

  test('a placeholder without a variable is refused in the manifest, at its place', async () => {
    const error = await refused(withVariables('w: {}', ''));
    expect(rules(error)).toEqual(['net.yaml:5 variable.unknown', 'net.yaml:6 variable.unknown', 'net.yaml:7 variable.unknown']);
    expect(error.message).toContain('    |          ^^^^^^^^');
  });

  test.each([
    ['layers: {cni: {name: net, chart: {path: cilium}}}', 'profile.yaml:5 files.missing'],
    ['layers: {cni: {name: net, kustomization: ./k}}', 'profile.yaml:5 files.missing'],
    ['layers: {cni: {name: net}}', 'profile.yaml:5 layer.empty'],
    ['layers: {cni: {name: net, manifest: nowhere.yaml}}', 'profile.yaml:5 files.missing'],
    ['layers: {cni: {name: net, manifest: net.yaml}, csi: {name: net, manifest: net.yaml}}', 'profile.yaml:5 layer.duplicate'],
    ['layers: {kubernetes: {maxVersion: v1.35}}', 'trireme.yaml:6 version.profile'],
    ['layers: {kubernetes: {minVersion: v1.36.4}}', 'trireme.yaml:6 version.profile'],
    ['layers: {kubernetes: {minVersion: v1.36.0, maxVersion: v1.35}}', 'profile.yaml:5 version.range'],
  ])('a profile with %s is refused: %s', async (spec, rule) => {
    await write('net.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n');
    await write('profile.yaml', profile(`  ${spec}\n`));
    await write('trireme.yaml', cluster('berth', '  profile: {file: profile.yaml}\n'));
    expect(rules(await refused(read([])))).toContain(rule);
  });

  test.each([
    ['kind: ConfigMap\nmetadata: {name: x}\n', 'net.yaml:1 manifest.object'],
    ['apiVersion: v1\nkind: ConfigMap\n', 'net.yaml:1 manifest.object'],
    ['- a\n', 'net.yaml:1 manifest.object'],
    ['apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\nhello\n', 'net.yaml:5 manifest.object'],
    ['apiVersion: v1\nkind: "ConfigMap\n', 'net.yaml:2 yaml.unclosed'],
  ])('a manifest that is none is refused at its line', async (text, rule) => {
    await write('net.yaml', text);
    await write('profile.yaml', profile(layers));
    await write('trireme.yaml', cluster('berth', '  profile: {file: profile.yaml}\n'));
    expect(rules(await refused(read([])))).toContain(rule);
  });
});

test('readSpecFiles returns every document with its kind, name and source', async () => {
  await write('a.yaml', `${cluster('berth')}---\n${profile('  layers: {}\n')}`);
  const {documents, complaints} = await readSpecFiles(['a.yaml'], {folder});
  expect(complaints).toEqual([]);
  expect(documents.map(({kind, name, yaml}) => `${yaml.source.file} ${kind} ${name}`)).toEqual(['a.yaml Cluster berth', 'a.yaml ClusterProfile harbour']);
});
