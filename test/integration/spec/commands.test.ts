import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {resultOf, trireme} from '../../support/trireme.ts';

const fixtures = new URL('../../fixtures/spec/', import.meta.url).pathname;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spec-commands-'));
});
afterAll(() => rm(folder, {recursive: true, force: true}));
const run = (args: readonly string[], input?: string) =>
  trireme(args, {cwd: folder, env: {HOME: folder, NO_COLOR: '1'}, ...(input === undefined ? {} : {input})});

describe('validate', () => {
  test('says what the file is', async () => {
    const ran = await run(['validate', '-f', join(fixtures, 'valid/trireme.yaml')]);
    expect(ran).toMatchObject({code: 0, stderr: ''});
    expect(ran.stdout).toBe(`${join(fixtures, 'valid/trireme.yaml')} is valid: cluster berth, agent mode, 3 control planes, 1 worker\n`);
  });

  test('refuses with every complaint, place and rule, exit 3, and no stack', async () => {
    const ran = await run(['validate', '-f', '-'], await readFile(join(fixtures, 'broken/unknown-key.yaml'), 'utf8'));
    expect(ran.code).toBe(3);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(
      [
        '  <stdin>:14:5  schema.unknown-key',
        '    13 |       user: ops',
        '    14 |     host:',
        '       |     ^^^^',
        '    spec.agent has no field host.',
        '    Did you mean hosts?',
      ].join('\n'),
    );
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });

  test('gives the complaints as data', async () => {
    const ran = await run(['validate', '-f', join(fixtures, 'broken/tab-indent.yaml'), '-o', 'json']);
    expect(ran.code).toBe(3);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      ok: false,
      exit: 3,
      command: 'validate',
      problem: {code: 'file.syntax', details: {complaints: [{rule: 'yaml.tab', line: 13, column: 1}, {}]}},
    });
  });

  test('says how to begin where there is no file', async () => {
    const ran = await run(['validate']);
    expect(ran.code).toBe(3);
    expect(ran.stderr).toContain('trireme init');
  });
});

test('explain documents a field, and names the nearest', async () => {
  expect((await run(['explain', 'spec.agent.ssh'])).stdout).toContain('How all hosts are reached over SSH');
  const unknown = await run(['explain', 'spec.agent.shs']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('trireme explain spec.agent.ssh');
});

test('schema prints JSON Schema, bare for a file and wrapped for a program', async () => {
  const bare = JSON.parse((await run(['schema'])).stdout) as object;
  expect(bare).toHaveProperty('definitions.Cluster');
  expect(resultOf(await run(['schema', '-o', 'json']))).toEqual(bare);
});

describe('init', () => {
  test('names every missing answer with its flag, and writes nothing', async () => {
    const ran = await run(['init', '-f', 'none.yaml']);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('3 answers are missing: --name, --control-plane, --endpoint.');
    await expect(readFile(join(folder, 'none.yaml'))).rejects.toThrow('ENOENT');
  });

  test('writes a commented file that validates, and leaves it alone the second time', async () => {
    const args = [
      'init',
      '--name',
      'berth',
      '--control-plane',
      'h1=10.0.0.11',
      '--worker',
      'h2=10.0.0.12',
      '--ssh-user',
      'ops',
      '--sudo-password-env',
      'PW',
      '--jump',
      'bastion.example',
    ];
    expect(await run(args)).toMatchObject({code: 0, stdout: 'Wrote trireme.yaml for cluster berth.\n'});
    const text = await readFile(join(folder, 'trireme.yaml'), 'utf8');
    expect(text).toMatch(/^# .*\n/);
    expect((await run(['validate'])).stdout).toBe('trireme.yaml is valid: cluster berth, agent mode, 1 control plane, 1 worker\n');
    const again = await run([...args.map((word) => (word === 'berth' ? 'pier' : word))]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('--force');
    expect(await readFile(join(folder, 'trireme.yaml'), 'utf8')).toBe(text);
  });

  test('takes answers from a file, flags over them', async () => {
    await writeFile(
      join(folder, 'answers.yaml'),
      'name: berth\ncontrolPlane: [h1=10.0.0.11, {name: h2, address: h2.example, nodeAddress: 10.0.0.12}, h3=10.0.0.13]\nendpoint: "[fd00::1]:7443"\n',
    );
    expect((await run(['init', '--from', 'answers.yaml', '--name', 'pier', '-f', 'pier.yaml'])).code).toBe(0);
    const text = await readFile(join(folder, 'pier.yaml'), 'utf8');
    expect(text).toContain('name: pier\n');
    expect(text).toContain('endpoint: {host: fd00::1, port: 7443}\n');
    expect(text).toContain('{name: h2, address: h2.example, nodeAddress: 10.0.0.12, role: control-plane}');
  });

  test('refuses answers that make no valid file, and misspelt ones', async () => {
    const two = await run([
      'init',
      '--name',
      'berth',
      '--control-plane',
      'h1=10.0.0.11',
      '--control-plane',
      'h2=10.0.0.12',
      '--endpoint',
      'api.example',
      '-f',
      'two.yaml',
    ]);
    expect(two.code).toBe(2);
    expect(two.stderr).toContain('Two control planes are worse than one');
    await writeFile(join(folder, 'typo.yaml'), 'nmae: berth\n');
    const typo = await run(['init', '--from', 'typo.yaml', '-f', 'two.yaml']);
    expect(typo.code).toBe(3);
    expect(typo.stderr).toContain('Did you mean name?');
    await expect(readFile(join(folder, 'two.yaml'))).rejects.toThrow('ENOENT');
  });
});
