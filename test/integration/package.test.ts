// What is published, installed as a stranger would: packed, installed globally into an empty prefix, run with an empty HOME.
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let home: string;
let program: string;

/** Paths, and digests of the content, of everything below a folder. */
async function fingerprint(path: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of (await readdir(path, {recursive: true, withFileTypes: true})).toSorted((a, b) =>
    join(a.parentPath, a.name).localeCompare(join(b.parentPath, b.name)),
  )) {
    const file = join(entry.parentPath, entry.name);
    hash.update(`${file}\n`);
    if (entry.isFile()) hash.update(await readFile(file));
  }
  return hash.digest('hex');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'package-'));
  home = join(folder, 'home');
  await mkdir(join(home, '.ssh'), {recursive: true});
  await mkdir(join(home, '.kube'));
  await writeFile(join(home, '.ssh/known_hosts'), 'example.invalid ssh-ed25519 AAAA\n');
  await writeFile(join(home, '.ssh/config'), 'Host *\n  User somebody\n');
  await writeFile(join(home, '.kube/config'), 'apiVersion: v1\nkind: Config\ncurrent-context: mine\n');
  const {stdout} = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {cwd: root, maxBuffer: 1 << 26});
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, {filename: string}>) as [{filename: string}];
  await run(
    'npm',
    [
      'install',
      '--global',
      '--prefix',
      join(folder, 'prefix'),
      '--prefer-offline',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      join(folder, packed.filename),
    ],
    {maxBuffer: 1 << 26},
  );
  program = join(folder, 'prefix/bin/trireme');
}, 180_000);

afterAll(() => rm(folder, {recursive: true, force: true}));

const environment = () => ({PATH: process.env['PATH'], HOME: home, CI: 'true'}) as NodeJS.ProcessEnv;

describe('the published package', () => {
  test('trireme sandbox run works with an empty HOME; every view says SIMULATED; ~/.kube and ~/.ssh stay byte-identical', {timeout: 180_000}, async () => {
    const before = [await fingerprint(join(home, '.ssh')), await fingerprint(join(home, '.kube'))];
    const {stdout, stderr} = await run(program, ['sandbox', 'run'], {env: environment(), maxBuffer: 1 << 26});
    expect(stdout).toContain('SIMULATED: 3 control planes and 1 worker Ready.');
    expect(stderr).toMatch(/SIMULATED apply harbour/);
    expect(stdout).toMatch(/SIMULATED harbour: healthy/);
    expect([await fingerprint(join(home, '.ssh')), await fingerprint(join(home, '.kube'))]).toEqual(before);
  });

  test('is installed as kubectl-trireme too', async () => {
    const {stdout} = await run(join(folder, 'prefix/bin/kubectl-trireme'), ['--version'], {env: environment()});
    expect(stdout).toMatch(/^trireme-cli\/\d/);
  });
});
