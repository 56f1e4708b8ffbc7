import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {Client} from 'ssh2';
import {newKeyPair, startSimulatedHost, type HostKey, type SimulatedHost} from '../../../src/sandbox/host.ts';
import {waitFor} from '../../../src/kernel/retry.ts';

let folder: string;
let key: HostKey;
let host: SimulatedHost;
let client: Client;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sim-'));
  key = await newKeyPair('test');
  host = await startSimulatedHost({name: 'h1', folder, sudoPassword: 'sesame-open', authorizedKeys: [key.publicKey]});
  client = await connect(key.privateKey);
});
afterEach(async () => {
  client.end();
  await host.stop();
  await rm(folder, {recursive: true});
});

async function connect(privateKey: string, username = 'ops'): Promise<Client> {
  const {default: ssh2} = await import('ssh2');
  const made = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    made.on('ready', resolve).on('error', reject);
    made.connect({host: '127.0.0.1', port: host.port, username, privateKey});
  });
  return made;
}

function exec(command: string, input = ''): Promise<{code: number; stdout: string; stderr: string}> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      let code = -1;
      channel.on('exit', (value: number) => (code = value));
      const output = Promise.all([text(channel), text(channel.stderr)]);
      channel.on('close', () => void output.then(([stdout, stderr]) => resolve({code, stdout, stderr})));
      channel.end(input);
    });
  });
}

async function writeUnit(name: string, command: string): Promise<void> {
  await mkdir(join(host.root, 'usr/bin'), {recursive: true});
  await writeFile(join(host.root, 'usr/bin/service'), `#!/bin/sh\n${command}\n`, {mode: 0o755});
  await writeFile(
    join(host.root, 'etc/systemd/system', name),
    '[Service]\nExecStart=/usr/bin/service "one word" two\nRestart=always\nEnvironment=COLOUR=blue\n',
  );
}

describe('a simulated host', () => {
  test('runs commands with its own root, input and exit codes', async () => {
    expect(await exec('cat; echo "$TRIREME_ROOT" >&2; exit 7', 'hello')).toEqual({code: 7, stdout: 'hello', stderr: `${host.root}\n`});
  });

  test('lets in only its user, with the right key', async () => {
    await expect(connect((await newKeyPair('other')).privateKey)).rejects.toThrow();
    await expect(connect(key.privateKey, 'root')).rejects.toThrow();
  });

  test('sudo wants the password on standard input, once right, three times wrong, and passes the rest on', async () => {
    expect(await exec("sudo -k -S -p '' -- cat", 'sesame-open\nrest')).toMatchObject({code: 0, stdout: 'rest'});
    expect(await exec("sudo -k -S -p '' -- true", 'wrong\n')).toMatchObject({code: 1, stderr: expect.stringContaining('Sorry, try again.')});
    expect(await exec('sudo -n true')).toMatchObject({code: 1, stderr: 'sudo: a password is required\n'});
  });

  test('systemctl runs units as processes, starts them again when they end, and tells their state', async () => {
    await writeUnit('watch.service', `echo "$1/$2 $COLOUR $TRIREME_ROOT" >> "${folder}/said"; exec sleep 600`);
    expect((await exec('systemctl is-active watch')).stdout).toBe('inactive\n');
    expect((await exec('systemctl enable --now watch.service')).code).toBe(0);
    expect((await exec('systemctl is-active watch')).stdout).toBe('active\n');
    const first = host.services.pidOf('watch.service') as number;
    process.kill(first, 'SIGKILL');
    const second = await waitFor(async () => (host.services.pidOf('watch.service') === first ? undefined : host.services.pidOf('watch.service')), {
      timeout: 5000,
      interval: 20,
    });
    expect(second).toBeGreaterThan(0);
    // it runs before it has said a word
    await expect.poll(async () => (await exec('cat "$HOME/../said"')).stdout, {timeout: 20_000}).toContain(`one word/two blue ${host.root}`);
    expect((await exec('systemctl stop watch')).code).toBe(0);
    expect((await exec('systemctl is-active watch')).code).toBe(3);
    expect((await exec('systemctl start nothing')).code).toBe(5);
  });

  test('a power cut ends everything; power on brings the services back', async () => {
    await writeUnit('watch.service', 'exec sleep 600');
    await exec('systemctl start watch');
    await host.powerCut();
    expect(host.services.isActive('watch.service')).toBe(false);
    await host.powerOn();
    expect(host.services.isActive('watch.service')).toBe(true);
  });
});
