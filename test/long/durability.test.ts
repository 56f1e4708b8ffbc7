// A trace of system calls: whatever the program, its scripts on hosts and the agent put into place would be there whole after a power cut. No real
// hosts: the sandbox's own shells, uploads and agents are what is traced.
import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, readdir, readFile, realpath, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {receiveScript} from '../../src/ssh/upload-script.ts';
import {neverFlushed, notDurable, readCalls, trace, whyNoTrace, type Call} from '../support/call-trace.ts';
import {program} from '../support/trireme.ts';

const reason = await whyNoTrace();

test('what a trace must be blamed for is seen: no flush before the name, none of the folder after it, or one that came too early', () => {
  const text = `1 clone3({flags=CLONE_VM|CLONE_THREAD}) = 2
2 write(7</s/a.tmp>, ""..., 3) = 3
1 fsync(7</s/a.tmp>) = 0
1 rename("/s/a.tmp", "/s/a") = 0
2 fsync(8</s>) = 0
1 fsync(9</s/b.tmp>) = 0
1 write(9</s/b.tmp>, ""..., 3 <unfinished ...>
2 write(5<pipe:[1]>, ""..., 1) = 1
1 <... write resumed>) = 3
1 rename("/s/b.tmp", "/s/b") = 0
1 clone(child_stack=NULL, flags=SIGCHLD) = 3
3 renameat2(AT_FDCWD</s/d>, "c.tmp", AT_FDCWD</s/d>, "c", RENAME_NOREPLACE) = 0
1 fsync(8</s/d>) = -1 EIO (Input/output error)
1 fsync(8</s>) = 0
1 write(4</s/runs/x.ndjson>, ""..., 3) = 3`;
  const calls = readCalls(text, '/');
  expect(notDurable(calls, {isAsked: () => true})).toEqual([
    "/s/b.tmp -> /s/b: /s/b.tmp isn't flushed before",
    "/s/d/c.tmp -> /s/d/c: the folder isn't flushed after",
  ]);
  expect(neverFlushed(calls, (path) => path.endsWith('.ndjson'))).toEqual(['/s/runs/x.ndjson']);
});

describe.skipIf(reason !== undefined)(`durability, by a trace of system calls${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let calls: readonly Call[];
  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'durable-')));
    await mkdir(join(folder, 'home'));
    const env = {HOME: join(folder, 'home'), TMPDIR: folder, LANG: 'C.UTF-8'};
    calls = await trace(process.execPath, [program, 'sandbox', 'run', '--control-planes', '1', '--workers', '1'], {env, cwd: folder});
  });
  afterAll(() => rm(folder, {recursive: true, force: true}));

  /** Without the parts that differ from run to run. */
  const plain = (complaints: readonly string[]) => [
    ...new Set(complaints.map((text) => text.replaceAll(/\/[^ ]*\/trireme-\w+/g, '').replaceAll(/[0-9a-f]{12,64}/g, 'HEX'))),
  ];
  const named = (path: RegExp) => calls.filter((call) => path.test(call.to));

  test('an installation gives names to content, programs, links, units, secrets and state, on hosts and here', () => {
    for (const path of [
      /content\/sha256\/[0-9a-f]{64}$/,
      /lib\/trireme\/versions\/[0-9a-f]{12}-[0-9a-f]{12}$/,
      /lib\/trireme\/current$/,
      /trireme-agent\.service$/,
      /var\/lib\/trireme\/secrets\.json$/,
      /var\/lib\/trireme\/wanted\.json$/,
      /var\/lib\/trireme\/records\.json$/,
      /var\/lib\/trireme\/seen\.json$/,
      /etc\/sysctl\.d\/90-trireme\.conf$/,
      /state\/trireme\/clusters\.json$/,
    ])
      expect(named(path).length, String(path)).toBeGreaterThan(0);
  });

  test('each of them was flushed before it got its name, and its folder after: on hosts by the agent and by scripts, here by the program', () => {
    const asked = {
      // /run is memory on a host
      isAsked: (path: string) => path.startsWith(folder) && !/\/root\/run\//.test(path),
      // a lock that is gone after a power cut is what everybody would wish for; it must only never be there without its owner
      mayBeLost: (path: string) => /\/locks\/[^/]*\.json$|\/trireme\/lock\.json$/.test(path),
    };
    expect(plain(notDurable(calls, asked))).toEqual([]);
  });

  test('the record of a run is on disk to its last line', () => {
    const isLedger = (path: string) => /\/runs\/[^/]*\.ndjson$/.test(path);
    expect(calls.filter((call) => call.name === 'write' && isLedger(call.path)).length).toBeGreaterThan(20);
    expect(neverFlushed(calls, isLedger)).toEqual([]);
  });

  test('an upload tells that a file has arrived only when it would be there after a power cut, and a damaged one never has a name', async () => {
    const root = join(folder, 'upload');
    await mkdir(root);
    const contents = [Buffer.alloc(300_000, 'a'), Buffer.alloc(7, 'b'), Buffer.alloc(0)];
    const hexOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');
    const wrong = '0'.repeat(64);
    const input = Buffer.concat([
      ...contents.flatMap((content) => [Buffer.from(`${hexOf(content)} 0 ${content.length}\n`), content]),
      Buffer.from(`${wrong} 0 3\nbad`),
      Buffer.from('end\n'),
    ]);
    const script = receiveScript({folder: '/content', mode: '0644'});
    const said = join(folder, 'said');
    const traced = await trace('/bin/sh', ['-c', `{ ${script}\n} >"$SAID"`], {env: {TRIREME_ROOT: root, SAID: said}, cwd: folder, input});
    expect(plain(notDurable(traced, {isAsked: (path) => path.startsWith(root)}))).toEqual([]);
    const lines = (await readFile(said, 'utf8')).split('\n');
    expect(lines.filter((line) => line.startsWith('done ')).toSorted()).toEqual(contents.map((content) => `done ${hexOf(content)}`).toSorted());
    expect(lines).toContain(`bad ${wrong}`);
    expect((await readdir(join(root, 'content'))).toSorted()).toEqual(contents.map(hexOf).toSorted());
    // what is told comes after the folder's flush
    const flushed = traced.findLastIndex((call) => call.name === 'fsync' && call.path === join(root, 'content'));
    const told = traced.findIndex((call, index) => call.name === 'write' && call.path === said && index > flushed);
    expect(told).toBeGreaterThan(flushed);
    expect(traced.slice(0, flushed).filter((call) => call.to !== '').length).toBe(contents.length);
  });
});
