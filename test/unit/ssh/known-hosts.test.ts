import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {fingerprint, hostKeyAlgorithms, judgeHostKey, parseKnownHosts, recordHostKeys} from '../../../src/ssh/known-hosts.ts';

/** A key's bytes: the type, and something that tells it from others. */
function key(type: string, content: string): Buffer {
  const part = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
  return Buffer.concat([part(type), part(content)]);
}
const ed = key('ssh-ed25519', 'one');
const otherEd = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'one');
const line = (hosts: string, blob: Buffer, type = 'ssh-ed25519') => `${hosts} ${type} ${blob.toString('base64')}`;
const judge = (text: string, names: readonly string[], blob = ed) => judgeHostKey(parseKnownHosts(text, 'known_hosts'), names, blob).outcome;

describe('a key is', () => {
  test.each([
    ['h1', ['h1'], 'trusted'],
    ['h2,h1', ['h1'], 'trusted'],
    ['*.example,!bad.example', ['good.example'], 'trusted'],
    ['*.example,!bad.example', ['bad.example'], 'unknown'],
    ['H?', ['h1'], 'trusted'],
    ['[h1]:2222', ['[h1]:2222', 'h1'], 'trusted'],
    ['h1', ['[h1]:2222', 'h1'], 'trusted'],
    ['[h1]:2222', ['h1'], 'unknown'],
    ['h10', ['h1'], 'unknown'],
    ['@revoked h1', ['h1'], 'revoked'],
    ['@cert-authority h1', ['h1'], 'unknown'],
    ['# h1', ['h1'], 'unknown'],
    ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=', ['192.168.1.61'], 'trusted'],
    ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=', ['192.168.1.62'], 'unknown'],
  ])('by the line "%s" for %j %s', (hosts, names, outcome) => {
    expect(judge(line(hosts, ed), names)).toBe(outcome);
  });

  test('changed only when the same name has another of the same type', () => {
    expect(judge(line('h1', otherEd), ['h1'])).toBe('changed');
    expect(judge(line('h1', rsa, 'ssh-rsa'), ['h1'])).toBe('unknown');
    expect(judge(`${line('h1', otherEd)}\n${line('h1', ed)}`, ['h1'])).toBe('trusted');
    expect(judge(line('h1', otherEd), ['[h1]:2222', 'h1'])).toBe('unknown');
  });

  test('told with the line that speaks of it', () => {
    const text = `\n# comment\n${line('h1', otherEd)} somebody@somewhere\n`;
    expect(judgeHostKey(parseKnownHosts(text, 'kh'), ['h1'], ed)).toMatchObject({outcome: 'changed', known: {file: 'kh', line: 3}});
  });

  test('never taken from a line whose type and key differ, or that is cut off', () => {
    expect(judge('h1 ssh-rsa ' + ed.toString('base64'), ['h1'])).toBe('unknown');
    expect(judge('h1 ssh-ed25519 AAAA', ['h1'])).toBe('unknown');
    expect(judge('h1 ssh-ed25519', ['h1'])).toBe('unknown');
  });
});

test('offers the kinds of known keys first, so that a host shows the known one', () => {
  const lines = parseKnownHosts(line('h1', rsa, 'ssh-rsa'), 'kh');
  expect(hostKeyAlgorithms(lines, ['h1']).slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
  expect(hostKeyAlgorithms(lines, ['h2'])[0]).toBe('ssh-ed25519');
});

describe('recording', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kh-'));
    file = join(folder, '.ssh/known_hosts');
  });
  afterEach(() => rm(folder, {recursive: true}));

  test('makes file and folder private, and adds to a file without a last line break', async () => {
    await recordHostKeys({file, name: 'h1', keys: [ed]});
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await writeFile(file, '# mine');
    await recordHostKeys({file, name: '[h1]:2222', keys: [ed, rsa]});
    expect(await readFile(file, 'utf8')).toBe(`# mine\n${line('[h1]:2222', ed)}\n${line('[h1]:2222', rsa, 'ssh-rsa')}\n`);
  });

  test('loses nothing when hosts are recorded at the same time', async () => {
    await Promise.all(Array.from({length: 20}, (_, index) => recordHostKeys({file, name: `h${index}`, keys: [ed]})));
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(20);
  });

  test('replaces keys of the same type under this name alone', async () => {
    await writeFile(file, '').catch(async () => recordHostKeys({file, name: 'other', keys: [rsa]}));
    await writeFile(file, [line('h1', otherEd), line('h1,h2', otherEd), line('h1', rsa, 'ssh-rsa'), line('h*', otherEd), '# end', ''].join('\n'));
    await recordHostKeys({file, name: 'h1', keys: [ed], replace: true});
    expect(await readFile(file, 'utf8')).toBe([line('h2', otherEd), line('h1', rsa, 'ssh-rsa'), line('h*', otherEd), '# end', line('h1', ed), ''].join('\n'));
  });

  const withoutKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined ? undefined : 'no ssh-keygen is installed';
  test.skipIf(withoutKeygen !== undefined)(
    `writes hashed names and fingerprints as ssh-keygen does${withoutKeygen === undefined ? '' : ` (skipped: ${withoutKeygen})`}`,
    async () => {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
      const blob = Buffer.from((await readFile(join(folder, 'key.pub'), 'utf8')).split(' ')[1] ?? '', 'base64');
      await recordHostKeys({file, name: '[h1]:2222', keys: [blob], hashed: true});
      // the name's place holds a salt and a hash, and nothing of the name; base64 itself may well hold "h1"
      expect(await readFile(file, 'utf8')).toMatch(/^\|1\|[A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}= ssh-ed25519 [A-Za-z0-9+/=]+\n$/);
      expect(execFileSync('ssh-keygen', ['-l', '-F', '[h1]:2222', '-f', file], {encoding: 'utf8'})).toContain(fingerprint(blob));
      execFileSync('ssh-keygen', ['-q', '-H', '-f', file], {stdio: 'ignore'});
      expect(judgeHostKey(parseKnownHosts(await readFile(file, 'utf8'), file), ['[h1]:2222'], blob).outcome).toBe('trusted');
    },
  );
});
