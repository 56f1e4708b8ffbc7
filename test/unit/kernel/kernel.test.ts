import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {createInterruption, sleep, withDeadline} from '../../../src/kernel/cancel.ts';
import {canonicalJson, digestOfValue} from '../../../src/kernel/digest.ts';
import {exitCodeOf, TriremeError} from '../../../src/kernel/errors.ts';
import {exec} from '../../../src/kernel/exec.ts';
import {syncTree, writeFileAtomic} from '../../../src/kernel/files.ts';
import {stateFolder} from '../../../src/kernel/folders.ts';
import {Journal} from '../../../src/kernel/journal.ts';
import {mapPool} from '../../../src/kernel/pool.ts';
import {errorOf, problemOf} from '../../../src/kernel/problem.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {retry, waitFor} from '../../../src/kernel/retry.ts';
import {createStore} from '../../../src/kernel/store.ts';

describe('exit codes', () => {
  test('of several failures the gravest kind decides', () => {
    expect(exitCodeOf([4, 1, 5])).toBe(5);
    expect(exitCodeOf([4, 70])).toBe(70);
    expect(exitCodeOf([10])).toBe(10);
    expect(exitCodeOf([])).toBe(0);
  });

  test('a problem and its error are two forms of the same', () => {
    const error = new TriremeError('host.unreachable', "Can't reach h1.", {hints: ['Look'], host: 'h1', details: {port: 22}});
    expect(problemOf(errorOf(problemOf(error)))).toEqual(problemOf(error));
    expect(problemOf(new RangeError('oops'))).toMatchObject({code: 'bug.unexpected', exit: 70});
  });
});

describe('redaction', () => {
  test('hides a secret in every string of an event, plain, in base64, and escaped in JSON', () => {
    const redactor = new Redactor();
    redactor.add('pa"ss-canary');
    const events: unknown[] = [];
    const journal = new Journal({run: 'r', redactor});
    journal.subscribe((event) => events.push(event));
    const inBase64 = Buffer.from('pa"ss-canary').toString('base64');
    journal.emit({type: 'step.output', step: 's', stream: 'stderr', line: `got pa"ss-canary and ${inBase64} and ${JSON.stringify('pa"ss-canary')}`});
    expect(JSON.stringify(events)).not.toMatch(/canary/);
    expect(JSON.stringify(events)).not.toContain(inBase64);
  });

  test('leaves everything else as it is', () => {
    const redactor = new Redactor();
    redactor.add('abc');
    expect(redactor.value({text: 'abc abc', list: [1, null, true]})).toEqual({text: 'abc abc', list: [1, null, true]});
  });
});

describe('the journal', () => {
  test('stamps events in order, to every subscriber, until it leaves', () => {
    const journal = new Journal({run: 'r', redactor: new Redactor(), after: 7, now: () => new Date(0)});
    const seen: number[] = [];
    const leave = journal.subscribe((event) => seen.push(event.seq));
    journal.emit({type: 'phase.started', phase: 'p', steps: 0});
    leave();
    journal.emit({type: 'phase.started', phase: 'p', steps: 0});
    expect(seen).toEqual([8]);
  });
});

describe('files', () => {
  test('an atomic write leaves the file with its mode, and nothing beside it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'));
    const path = join(folder, 'deep', 'secret');
    await writeFileAtomic(path, 'one', {mode: 0o600});
    await writeFileAtomic(path, 'two', {mode: 0o600});
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'deep'))).toEqual(['secret']);
    await rm(folder, {recursive: true});
  });

  test('a write that fails leaves no temporary file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'));
    await writeFileAtomic(join(folder, 'taken', 'x'), '');
    await expect(writeFileAtomic(join(folder, 'taken'), 'text')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['taken']);
    await rm(folder, {recursive: true});
  });

  test('what a power cut left of a sole writer’s file is gone with the next write', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'));
    await writeFile(join(folder, 'conf.trireme.tmp'), 'half');
    await writeFileAtomic(join(folder, 'conf'), 'whole', {soleWriter: true});
    expect(await readdir(folder)).toEqual(['conf']);
    expect(await readFile(join(folder, 'conf'), 'utf8')).toBe('whole');
    await rm(folder, {recursive: true});
  });

  test('a folder that others write is put on disk with links and sockets in it, and one that is missing is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'files-'));
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep', 'x'), 'x');
    await symlink('/nowhere', join(folder, 'link'));
    await syncTree(folder);
    await syncTree(join(folder, 'missing'));
    await rm(folder, {recursive: true});
  });

  test('folders follow XDG, else HOME', () => {
    expect(stateFolder({HOME: '/h'})).toBe('/h/.local/state/trireme');
    expect(stateFolder({HOME: '/h', XDG_STATE_HOME: '/s'})).toBe('/s/trireme');
  });
});

describe('plain values', () => {
  test('digests do not depend on the order of keys, or on undefined', () => {
    expect(canonicalJson({b: 1, a: [{d: undefined, c: 2}]})).toBe('{"a":[{"c":2}],"b":1}');
    expect(digestOfValue({b: 1, a: 2})).toBe(digestOfValue({a: 2, b: 1}));
  });

  test('a store tells its listeners of changes only', () => {
    const store = createStore(1);
    let calls = 0;
    const leave = store.subscribe(() => (calls += 1));
    store.set(1);
    store.set(2);
    leave();
    store.set(3);
    expect([calls, store.get()]).toEqual([1, 3]);
  });
});

describe('waiting', () => {
  test('retries until it succeeds, and gives up at once on what is not retryable', async () => {
    let calls = 0;
    const flaky = async () => {
      calls += 1;
      if (calls < 3) throw new Error(`try ${calls}`);
      return calls;
    };
    await expect(retry(flaky, {attempts: 5, delay: 1})).resolves.toBe(3);
    calls = 0;
    await expect(retry(flaky, {attempts: 5, delay: 1, isRetryable: () => false})).rejects.toThrow('try 1');
  });

  test('a wait that runs out gives undefined', async () => {
    await expect(waitFor(async () => undefined, {timeout: 20, interval: 5})).resolves.toBeUndefined();
    let looks = 0;
    await expect(waitFor(async () => (looks++ > 1 ? 'there' : undefined), {timeout: 1000, interval: 1})).resolves.toBe('there');
  });

  test('a sleep ends with its signal', async () => {
    await expect(sleep(60_000, withDeadline(undefined, 5))).rejects.toMatchObject({name: 'TimeoutError'});
  });

  test('a deadline that is joined with another signal is kept although garbage is collected', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const signal = withDeadline(new AbortController().signal, 100);
    // collected in the same turn nothing is garbage yet
    const collecting = setInterval(collectGarbage, 10);
    try {
      await expect.poll(() => signal.aborted, {timeout: 5000, interval: 10}).toBe(true);
    } finally {
      clearInterval(collecting);
    }
  });

  test('the first request stops, the second leaves', () => {
    const interruption = createInterruption();
    interruption.request();
    expect([interruption.stopping.aborted, interruption.leaving.aborted]).toEqual([true, false]);
    interruption.request();
    expect(interruption.leaving.aborted).toBe(true);
  });

  test('a pool is a window: outcomes keep the order of the items', async () => {
    const outcomes = await mapPool([3, 1, 2], 2, async (item) => {
      if (item === 1) throw new Error('one');
      return item * 2;
    });
    expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'))).toEqual([6, 'failed', 4]);
  });
});

describe('exec', () => {
  test('gives code and output, passes input, and names what is missing or too slow', async () => {
    await expect(exec('sh', ['-c', 'cat; echo err >&2; exit 3'], {stdin: 'in', deadline: 5000})).resolves.toEqual({code: 3, stdout: 'in', stderr: 'err\n'});
    await expect(exec('no-such-program-here', [], {deadline: 5000})).rejects.toMatchObject({code: 'exec.not-found'});
    await expect(exec('sleep', ['30'], {deadline: 50})).rejects.toMatchObject({code: 'wait.timed-out'});
  });
});
