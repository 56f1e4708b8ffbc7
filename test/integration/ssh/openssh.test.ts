// The same cases against OpenSSH's own server: what our in-process server lets pass may not pass there.
import {createHash, randomBytes} from 'node:crypto';
import {spawn, spawnSync, type ChildProcess} from 'node:child_process';
import {access, mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {waitFor} from '../../../src/kernel/retry.ts';
import {createSshContext} from '../../../src/ssh/context.ts';
import {openRunner} from '../../../src/ssh/ssh-runner.ts';
import type {HostTarget} from '../../../src/ssh/target.ts';
import {uploadBlobs} from '../../../src/ssh/upload.ts';
import {startSshd, withoutSshd, type RealSshd} from '../../support/real-sshd.ts';
import {createBench, type Bench} from '../../support/simulated-host.ts';

describe.skipIf(withoutSshd !== undefined)(`OpenSSH's server${withoutSshd === undefined ? '' : ` (skipped: ${withoutSshd})`}`, () => {
  let bench: Bench;
  let sshd: RealSshd;
  let target: HostTarget;
  beforeAll(async () => {
    bench = await createBench();
    sshd = await startSshd(bench.key.publicKey, ['MaxSessions 3']);
    target = {host: 'h1', address: '127.0.0.1', port: sshd.port, user: sshd.user};
    await writeFile(bench.knownHosts, `${sshd.knownHosts.join('\n')}\n`);
  });
  afterAll(async () => {
    await sshd.stop();
    await bench.stop();
  });
  const open = (more: Partial<HostTarget> = {}, env = bench.env) => openRunner({...target, ...more}, createSshContext({env}));
  const quick = {deadline: 20_000};

  test('runs scripts with exit code, both outputs and standard input', async () => {
    const runner = await open();
    expect(await runner.run('echo out; echo err >&2; cat; exit 7', {...quick, stdin: 'in'})).toEqual({code: 7, stdout: 'out\nin', stderr: 'err\n'});
    expect(runner.roundTrips).toBe(1);
    await runner.close();
  });

  test('takes more scripts at once than MaxSessions allows', async () => {
    const runner = await open();
    const results = await Promise.all(Array.from({length: 10}, (_, index) => runner.run(`echo ${index}`, quick)));
    expect(results.map(({stdout}) => Number(stdout))).toEqual(Array.from({length: 10}, (_, index) => index));
    await runner.close();
  });

  test('ends a script whose deadline is over', async () => {
    const runner = await open();
    const started = join(sshd.folder, 'started');
    await expect(runner.run(`echo $$ >'${started}'; sleep 60 & wait`, {deadline: 3000})).rejects.toMatchObject({code: 'host.command-timed-out'});
    const pid = Number(await readFile(started, 'utf8'));
    const isGone = await waitFor(async () => (spawnSync('kill', ['-0', String(pid)]).status === 0 ? undefined : true), {timeout: 10_000, interval: 50});
    expect(isGone).toBe(true);
    await runner.close();
  });

  test('shows the key that is known, whichever kind that is', async () => {
    for (const line of sshd.knownHosts) {
      await writeFile(join(bench.folder, 'one'), `${line}\n`);
      await (await open({knownHostsFiles: [join(bench.folder, 'one')]})).close();
    }
  });

  test('refuses other keys with what it takes', async () => {
    await mkdir(join(bench.folder, 'empty'), {recursive: true});
    await expect(open({knownHostsFiles: [bench.knownHosts]}, {...bench.env, HOME: join(bench.folder, 'empty')})).rejects.toMatchObject({
      code: 'host.authentication-failed',
      message: expect.stringMatching(/no key to offer.*takes: publickey/),
    });
  });

  test('takes an upload', async () => {
    const runner = await open();
    const content = randomBytes(5_000_000);
    const digest = createHash('sha256').update(content).digest('hex');
    await uploadBlobs(runner, [{digest: `sha256:${digest}`, size: content.length, content}], {folder: join(sshd.folder, 'up'), root: false});
    expect(content.equals(await readFile(join(sshd.folder, 'up', digest)))).toBe(true);
    await runner.close();
  });

  test('lets in keys of an agent, those that ssh_config names first', async () => {
    const socket = join(bench.folder, 'agent.sock');
    const agent: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], {stdio: 'ignore'});
    try {
      await waitFor(
        async () =>
          access(socket).then(
            () => true,
            () => undefined,
          ),
        {timeout: 10_000, interval: 20},
      );
      const env = {...process.env, SSH_AUTH_SOCK: socket};
      for (const name of ['a', 'b']) {
        spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `key ${name}`, '-f', join(bench.folder, name)]);
        spawnSync('ssh-add', ['-q', join(bench.folder, name)], {env});
      }
      const empty = {...bench.env, HOME: join(bench.folder, 'empty'), SSH_AUTH_SOCK: socket};
      const configFile = join(bench.folder, 'agent_config');
      await writeFile(configFile, `Host *\n  IdentityFile ${join(bench.folder, 'b')}\n`);
      await expect(open({knownHostsFiles: [bench.knownHosts], configFile}, empty)).rejects.toMatchObject({
        details: {offered: [{key: join(bench.folder, 'b')}, {key: 'key a'}]},
      });
      await writeFile(configFile, `Host *\n  IdentitiesOnly yes\n  IdentityFile ${join(bench.folder, 'b')}\n`);
      await expect(open({knownHostsFiles: [bench.knownHosts], configFile}, empty)).rejects.toMatchObject({
        details: {offered: [{key: join(bench.folder, 'b')}]},
      });
      spawnSync('ssh-add', ['-q', bench.identityFile], {env});
      await (await open({knownHostsFiles: [bench.knownHosts]}, empty)).close();
    } finally {
      agent.kill();
    }
  });
});
