import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {createSshContext} from '../../../src/ssh/context.ts';
import {openRunner, type SshHostRunner} from '../../../src/ssh/ssh-runner.ts';
import type {SshFaults} from '../../../src/sandbox/ssh-server.ts';
import type {SimulatedHost} from '../../../src/sandbox/host.ts';
import {createBench, type Bench} from '../../support/simulated-host.ts';

let bench: Bench;
let host: SimulatedHost;
let guarded: SimulatedHost;
const faults: SshFaults = {};

beforeAll(async () => {
  bench = await createBench();
  host = await bench.start('h1', {faults});
  guarded = await bench.start('h2', {sudoPassword: 'open sesame'});
  await bench.trust(host, guarded);
});
afterAll(async () => bench.stop());

const context = (more = {}) => createSshContext({env: bench.env, ...more});

async function withRunner<T>(target: SimulatedHost, work: (runner: SshHostRunner) => Promise<T>, more = {}, options = {}): Promise<T> {
  const runner = await openRunner(bench.target(target, more), context(options));
  try {
    return await work(runner);
  } finally {
    await runner.close();
  }
}

const quick = {deadline: 10_000};

describe('scripts', () => {
  test('return exit code, standard output and standard error, in one channel each', () =>
    withRunner(host, async (runner) => {
      expect(await runner.run('echo out; echo err >&2; exit 7', quick)).toEqual({code: 7, stdout: 'out\n', stderr: 'err\n'});
      expect(runner.roundTrips).toBe(1);
    }));

  test('may be long, hold quotes of every kind, and end in a comment', () =>
    withRunner(host, async (runner) => {
      const long = 'x'.repeat(200_000);
      const {stdout} = await runner.run(`cat <<'END'\n'"$HOME \\ ! ä ${long}\nEND\n# the end`, quick);
      expect(stdout).toBe(`'"$HOME \\ ! ä ${long}\n`);
    }));

  test('get standard input that is neither part of the script nor touched by it', () =>
    withRunner(host, async (runner) => {
      const payload = Buffer.from(Array.from({length: 300_000}, (_, index) => index % 256));
      const stream = Readable.from([payload.subarray(0, 100_000), payload.subarray(100_000)]);
      const {stdout} = await runner.run('cksum', {...quick, stdin: stream});
      expect(stdout).toBe((await runner.run('cksum', {...quick, stdin: payload})).stdout);
      expect((await runner.run('wc -c', {...quick, stdin: payload})).stdout.trim()).toBe('300000');
    }));

  test('see an empty standard input when nothing is given', () =>
    withRunner(host, async (runner) => expect((await runner.run('cat; echo end', quick)).stdout).toBe('end\n')));

  test('hand out whole lines as they come', () =>
    withRunner(host, async (runner) => {
      const lines: string[] = [];
      await runner.run('printf "a\\nb"; printf "c\\nd"; echo e >&2', {...quick, onLine: (stream, line) => lines.push(`${stream} ${line}`)});
      expect(lines.toSorted()).toEqual(['stderr e', 'stdout a', 'stdout bc', 'stdout d']);
    }));

  test("are never on a host's command line", () =>
    withRunner(
      guarded,
      async (runner) => {
        await runner.run('true # canary-script', {...quick, root: true, stdin: 'canary-payload'});
        expect(guarded.server.commands.join('\n')).not.toMatch(/canary|sesame/);
      },
      {sudoPassword: 'open sesame'},
    ));

  test('run after what a careless profile prints, and without it in their output', async () => {
    faults.noise = 'Welcome to h1!\nno newline at the end';
    try {
      await withRunner(host, async (runner) => expect(await runner.run('echo clean', quick)).toEqual({code: 0, stdout: 'clean\n', stderr: ''}));
    } finally {
      delete faults.noise;
    }
  });

  test('that end before they read their input end the call', () =>
    withRunner(host, async (runner) => {
      const endless = Readable.from(
        (function* () {
          for (;;) yield Buffer.alloc(65_536);
        })(),
      );
      expect((await runner.run('exit 3', {...quick, stdin: endless})).code).toBe(3);
    }));

  test('that take too long are given up with the host named', () =>
    withRunner(host, async (runner) => {
      await expect(runner.run('sleep 60', {deadline: 200})).rejects.toMatchObject({code: 'host.command-timed-out', host: 'h1'});
      expect((await runner.run('echo on', quick)).stdout).toBe('on\n');
    }));

  test('end when their signal aborts', () =>
    withRunner(host, async (runner) => {
      const stop = new AbortController();
      const run = runner.run('echo started; sleep 60', {deadline: 60_000, signal: stop.signal, onLine: () => stop.abort(new Error('left'))});
      await expect(run).rejects.toThrow('left');
    }));

  test('run side by side, and wait for a channel when the server takes no more', async () => {
    faults.maxSessions = 3;
    try {
      await withRunner(host, async (runner) => {
        const results = await Promise.all(Array.from({length: 12}, async (_, index) => runner.run(`echo ${index}`, quick)));
        expect(results.map(({stdout}) => Number(stdout))).toEqual(Array.from({length: 12}, (_, index) => index));
      });
    } finally {
      delete faults.maxSessions;
    }
  });
});

describe('sudo', () => {
  const wrongTries = async () => (await readFile(join(bench.folder, 'h2/sudo-password.tries'), 'utf8').catch(() => '')).split('\n').filter(Boolean).length;

  test('takes the password over standard input', () =>
    withRunner(
      guarded,
      async (runner) => expect(await runner.run('echo root; cat', {...quick, root: true, stdin: 'data'})).toMatchObject({code: 0, stdout: 'root\ndata'}),
      {sudoPassword: 'open sesame'},
    ));

  test('that asks for no password leaves nothing of it for the script', () =>
    withRunner(host, async (runner) => expect(await runner.run('cat', {...quick, root: true, stdin: 'data'})).toMatchObject({code: 0, stdout: 'data'}), {
      sudoPassword: 'not needed',
    }));

  test('refusing a password costs one try, however many scripts wait', async () => {
    const before = await wrongTries();
    await withRunner(
      guarded,
      async (runner) => {
        const results = await Promise.allSettled(Array.from({length: 5}, () => runner.run('true', {...quick, root: true})));
        for (const result of results) expect(result).toMatchObject({status: 'rejected', reason: {code: 'host.sudo-password-wrong', host: 'h2', exit: 5}});
        await expect(runner.run('true', {...quick, root: true})).rejects.toMatchObject({code: 'host.sudo-password-wrong'});
      },
      {sudoPassword: 'wrong'},
    );
    expect(await wrongTries()).toBe(before + 1);
  });

  test('that wants a password which nobody gave says so', () =>
    withRunner(guarded, async (runner) =>
      expect(runner.run('true', {...quick, root: true})).rejects.toMatchObject({code: 'host.sudo-password-required', host: 'h2'}),
    ));

  test('gets a password that is asked for once', async () => {
    const asked: string[] = [];
    const ask = async (name: string) => {
      asked.push(name);
      return 'open sesame';
    };
    await withRunner(
      guarded,
      async (runner) => {
        expect((await runner.run('echo 1', {...quick, root: true})).stdout).toBe('1\n');
        expect((await runner.run('echo 2', {...quick, root: true})).stdout).toBe('2\n');
      },
      {},
      {askSudoPassword: ask},
    );
    expect(asked).toEqual(['h2']);
  });

  const says = (text: string, code = 1) => writeFile(join(bench.folder, 'h1/bin/sudo'), `#!/bin/sh\n${text}\nexit ${code}\n`, {mode: 0o755});
  test.each([
    ['echo "ops is not in the sudoers file." >&2', 'host.sudo-refused'],
    ['printf TRIREME-PASSWORD: >&2; read -r p; echo "Sorry, user ops is not allowed to execute \'/bin/sh\' as root on h1." >&2', 'host.sudo-refused'],
    ['echo "sudo: sorry, you must have a tty to run sudo" >&2', 'host.sudo-refused'],
    ['printf TRIREME-PASSWORD: >&2; read -r p; echo "Du Depp!" >&2; printf TRIREME-PASSWORD: >&2; read -r q; echo "$q" >&2', 'host.sudo-password-wrong'],
    ['printf TRIREME-PASSWORD: >&2; read -r p; echo "sudo: 1 incorrect password attempt" >&2', 'host.sudo-password-wrong'],
  ])('that says %s is understood', async (text, code) => {
    const own = await readFile(join(bench.folder, 'h1/bin/sudo'), 'utf8');
    await says(text);
    try {
      await withRunner(host, async (runner) => expect(runner.run('true', {...quick, root: true})).rejects.toMatchObject({code, host: 'h1'}), {
        sudoPassword: 'any',
      });
    } finally {
      await writeFile(join(bench.folder, 'h1/bin/sudo'), own, {mode: 0o755});
    }
  });
});

describe('a connection that breaks', () => {
  test('fails what runs on it, and the next call connects anew', () =>
    withRunner(host, async (runner) => {
      const run = runner.run('echo started; sleep 60', {deadline: 60_000, onLine: () => host.server.dropConnections()});
      await expect(run).rejects.toMatchObject({code: 'host.connection-lost', host: 'h1'});
      expect((await runner.run('echo again', quick)).stdout).toBe('again\n');
    }));

  test('runs a repeatable script once more', () =>
    withRunner(host, async (runner) => {
      let count = 0;
      const {stdout} = await runner.run('[ -e second ] && { echo started; echo done; exit; }; : >second; echo started; sleep 60', {
        deadline: 60_000,
        repeatable: true,
        onLine: () => {
          count += 1;
          if (count === 1) host.server.dropConnections();
        },
      });
      expect(stdout).toBe('started\ndone\n');
    }));

  test('rejects the end of an open program', () =>
    withRunner(host, async (runner) => {
      const process = await runner.open('echo up; cat', {});
      process.stdout.once('data', () => host.server.dropConnections());
      await expect(process.exited).rejects.toMatchObject({code: 'host.connection-lost'});
    }));
});

describe('an open program', () => {
  test('talks both ways and tells its exit code', () =>
    withRunner(
      guarded,
      async (runner) => {
        const process = await runner.open('while read -r line; do echo "got $line"; [ "$line" = end ] && exit 5; done', {root: true});
        const lines: string[] = [];
        process.stdout.on('data', (chunk: Buffer) => {
          lines.push(chunk.toString());
          if (lines.length === 1) process.stdin.write('end\n');
        });
        process.stdin.write('one\n');
        expect(await process.exited).toMatchObject({code: 5});
        expect(lines.join('')).toBe('got one\ngot end\n');
      },
      {sudoPassword: 'open sesame'},
    ));

  test('ends when its channel is closed', () =>
    withRunner(host, async (runner) => {
      const process = await runner.open('echo up; cat >/dev/null', {});
      process.stdout.once('data', () => process.close());
      await process.exited.catch(() => {});
      expect((await runner.run('echo on', quick)).stdout).toBe('on\n');
    }));
});
