import {chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {installScript, rollbackScript, type InstallOptions} from '../../../src/hostcluster/install.ts';
import {agentPaths} from '../../../src/hostcluster/protocol.ts';
import {renderUnit} from '../../../src/hostcluster/unit.ts';
import {localRunner, type LocalRunner} from '../../support/local-runner.ts';
import {digest} from './fixtures.ts';

const systemctl = `#!/bin/sh
echo "$*" >>"$TRIREME_ROOT/systemctl.log"
[ "$1" != is-active ] || [ -e "$TRIREME_ROOT/active" ]
`;

describe('installing the agent', () => {
  let root: string;
  let runner: LocalRunner;
  const program = agentPaths.program;
  const one: InstallOptions = {root: program, programDigest: digest('1'), runtimeDigest: digest('2')};
  const two: InstallOptions = {...one, programDigest: digest('3')};
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'trireme-install-'));
    const bin = join(root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'systemctl'), systemctl, {mode: 0o755});
    await mkdir(join(root, agentPaths.content), {recursive: true});
    await blob('1', 'program one');
    await blob('2', '#!/bin/sh\necho v20.19.0\n');
    await blob('3', 'program two');
    runner = localRunner('h1', root, bin);
  });
  afterEach(() => rm(root, {recursive: true, force: true}));

  const blob = (letter: string, text: string) => writeFile(join(root, agentPaths.content, letter.repeat(64)), text);
  const install = (options: InstallOptions) => runner.run(installScript(options), {root: true, stdin: renderUnit(options), deadline: 10_000});
  const at = (path: string) => join(root, path);
  const calls = async () => (await readFile(at('systemctl.log'), 'utf8').catch(() => '')).trim().split('\n');
  const clearCalls = () => rm(at('systemctl.log'), {force: true});

  it('puts program, runtime and launcher into a folder of their own, links it, and starts the service', async () => {
    const result = await install(one);
    expect(result).toMatchObject({code: 0, stdout: 'started\n', stderr: ''});
    expect(await readlink(at(`${program}/current`))).toBe('versions/111111111111-222222222222');
    expect(JSON.parse(await readFile(at(`${program}/current/digests.json`), 'utf8'))).toEqual({program: digest('1'), runtime: digest('2')});
    expect(await readFile(at(`${program}/current/trireme-agent.mjs`), 'utf8')).toBe('program one');
    expect((await stat(at(`${program}/current/node`))).mode & 0o111).not.toBe(0);
    expect((await stat(at(`${program}/current/trireme-agent`))).mode & 0o111).not.toBe(0);
    expect(await readFile(at(agentPaths.unit), 'utf8')).toBe(renderUnit(one));
    expect(await calls()).toEqual([
      'daemon-reload',
      'enable --quiet trireme-agent.service',
      'reset-failed trireme-agent.service',
      'restart --no-block trireme-agent.service',
    ]);
  });

  it('has a launcher that runs its own program with its own runtime, through any link', async () => {
    await blob('2', '#!/bin/sh\n[ "$1" = --version ] && exec echo v20.19.0\nfor last; do :; done\necho "$last"\n');
    await chmod(at(`${agentPaths.content}/${'2'.repeat(64)}`), 0o755);
    await install(one);
    const {stdout} = await runner.run(`"$TRIREME_ROOT"${agentPaths.command} dial`, {deadline: 5000});
    expect(stdout).toBe('dial\n');
  });

  it('changes and restarts nothing when all is right already', async () => {
    await install(one);
    await writeFile(at('active'), '');
    await clearCalls();
    expect(await install(one)).toMatchObject({code: 0, stdout: ''});
    expect(await calls()).toEqual(['enable --quiet trireme-agent.service', 'is-active --quiet trireme-agent.service']);
  });

  it('switches to a new version beside the old, which stays, and goes back to it', async () => {
    await install(one);
    await writeFile(at('active'), '');
    expect((await install(two)).stdout).toBe('started\n');
    expect(await readFile(at(`${program}/current/trireme-agent.mjs`), 'utf8')).toBe('program two');
    await clearCalls();
    expect(await runner.run(rollbackScript(program), {deadline: 5000})).toMatchObject({code: 0, stdout: 'versions/111111111111-222222222222\n'});
    expect(await readFile(at(`${program}/current/trireme-agent.mjs`), 'utf8')).toBe('program one');
    expect(await calls()).toContain('restart --no-block trireme-agent.service');
  });

  it('has a launcher that goes back by itself from a version that does not stay up, and notes it', async () => {
    // a runtime that says which program it was given, and how it was started
    await blob('2', '#!/bin/sh\n[ "$1" = --version ] && exec echo v20.19.0\nfor last; do :; done\necho "$(cat "$(dirname "$0")/trireme-agent.mjs") $last"\n');
    await install(one);
    await install(two);
    const start = async () => (await runner.run(`"$TRIREME_ROOT"${program}/current/trireme-agent run`, {deadline: 5000})).stdout.trim();
    expect([await start(), await start(), await start(), await start()]).toEqual(['program two run', 'program two run', 'program one run', 'program one run']);
    expect(await readlink(at(`${program}/current`))).toBe('versions/111111111111-222222222222');
    expect(await readFile(at(`${program}/fell-back`), 'utf8')).toMatch(/^versions\/333333333333-222222222222 \d{4}-\d\d-\d\dT/);
    // tried again it has its starts again, and what was noted is gone; the first version is on no trial
    await install(two);
    await expect(readFile(at(`${program}/fell-back`))).rejects.toMatchObject({code: 'ENOENT'});
    expect(await start()).toBe('program two run');
    await rm(at(`${program}/trial`));
    expect([await start(), await start(), await start()]).toEqual(Array(3).fill('program two run'));
  });

  it('has nothing to go back to the first time', async () => {
    await install(one);
    expect(await runner.run(rollbackScript(program), {deadline: 5000})).toMatchObject({code: 0, stdout: ''});
  });

  it('switches nothing when the runtime does not run on the host', async () => {
    await blob('2', "#!/bin/sh\necho 'version GLIBC_2.38 not found' >&2\nexit 1\n");
    expect(await install(one)).toMatchObject({code: 3, stderr: 'version GLIBC_2.38 not found\n'});
    await expect(readlink(at(`${program}/current`))).rejects.toMatchObject({code: 'ENOENT'});
  });

  it('takes what an interrupted installation left for nothing', async () => {
    await mkdir(at(`${program}/versions/111111111111-222222222222.part`), {recursive: true});
    await writeFile(at(`${program}/versions/111111111111-222222222222.part/node`), 'half');
    expect((await install(one)).code).toBe(0);
    expect(await readFile(at(`${program}/current/node`), 'utf8')).toContain('v20.19.0');
  });

  it('takes the runtime from the version before when its blob is gone', async () => {
    await install(one);
    await rm(at(`${agentPaths.content}/${'2'.repeat(64)}`));
    expect((await install(two)).code).toBe(0);
    expect(await readFile(at(`${program}/current/node`), 'utf8')).toContain('v20.19.0');
  });
});
