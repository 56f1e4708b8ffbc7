import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {generateX25519Identity, identityToRecipient} from 'age-encryption';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openBackup, writeBackup, type BackupContent} from '../../../src/hostcluster/backup/file.ts';
import {requireLocks} from '../../../src/hostcluster/backup/lock-box.ts';
import {digestOf} from '../../../src/kernel/digest.ts';

const secret = {certificate: 'a certificate', key: 'the very secret key of an authority'};
const data = Buffer.alloc(300_000, 'cargo ');

describe("a backup's file", () => {
  let folder: string;
  let identity: string;
  let recipient: string;
  const content = (over: Partial<BackupContent['data']> = {}): BackupContent => ({
    about: {
      simulated: false,
      cluster: {name: 'berth', id: '0011223344556677'},
      distribution: 'kubeadm',
      kubernetesVersion: 'v1.36.3',
      dataVersion: '3.6.8',
      takenAt: '2026-11-25T00:00:00Z',
      takenFrom: 'h1',
      program: '0.1.0',
      hosts: [{name: 'h1', role: 'control-plane'}],
    },
    secrets: {ca: secret, etcdCa: secret, frontProxyCa: secret, serviceAccount: secret},
    data: {size: data.length, digest: digestOf(data), stream: Readable.from([data.subarray(0, 1000), data.subarray(1000)]), ...over},
  });
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tr-backup-'));
    identity = await generateX25519Identity();
    recipient = await identityToRecipient(identity);
    await writeBackup(join(folder, 'good'), content(), {recipients: [recipient]});
  });
  afterAll(() => rm(folder, {recursive: true, force: true}));
  const open = (name: string, key = identity) => openBackup(join(folder, name), {identities: [key]});

  it('gives back what was put in, and is readable for its owner alone', async () => {
    const backup = await open('good');
    expect(backup.manifest.cluster).toEqual({name: 'berth', id: '0011223344556677'});
    expect(backup.secrets.ca).toEqual(secret);
    const chunks: Buffer[] = [];
    for await (const chunk of backup.data()) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
    expect((await stat(join(folder, 'good'))).mode & 0o777).toBe(0o600);
  });

  it('shows nothing of its content', async () => {
    const bytes = await readFile(join(folder, 'good'));
    for (const text of ['berth', 'cargo', secret.key]) expect(bytes.includes(text)).toBe(false);
  });

  it('is refused when any byte of it was changed, and when it was cut, wherever', async () => {
    const bytes = await readFile(join(folder, 'good'));
    const places = [0, 40, 250, 70_000, bytes.length - 5];
    for (const place of places) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] as number) ^ 1;
      await writeFile(join(folder, 'changed'), changed);
      await expect(open('changed'), `byte ${place}`).rejects.toMatchObject({code: expect.stringMatching(/^backup\.(damaged|passphrase-wrong)$/)});
      await writeFile(join(folder, 'cut'), bytes.subarray(0, place));
      await expect(open('cut'), `cut at ${place}`).rejects.toMatchObject({code: 'backup.damaged'});
    }
  });

  it("isn't opened by another key, and says so rather than call it damaged", async () => {
    await expect(open('good', await generateX25519Identity())).rejects.toMatchObject({code: 'backup.passphrase-wrong', exit: 5});
  });

  it("isn't written when the data breaks off or isn't what its digest says; an older file of the name stays", async () => {
    await writeFile(join(folder, 'kept'), 'older');
    for (const over of [{digest: digestOf('other')}, {size: data.length + 512}, {stream: Readable.from([data.subarray(0, 10)])}])
      await expect(writeBackup(join(folder, 'kept'), content(over), {recipients: [recipient]})).rejects.toMatchObject({code: 'backup.failed'});
    expect(await readFile(join(folder, 'kept'), 'utf8')).toBe('older');
    await expect(stat(join(folder, 'kept.part'))).rejects.toThrow();
  });

  it('wants a passphrase that protects, or somebody who can open it', async () => {
    await expect(requireLocks({})).rejects.toMatchObject({code: 'usage.answer-required'});
    await expect(requireLocks({passphrase: 'too short'})).rejects.toMatchObject({code: 'usage.invalid'});
    await expect(requireLocks({recipients: ['age1nobody']})).rejects.toMatchObject({code: 'usage.invalid'});
    await expect(requireLocks({recipients: [recipient]})).resolves.toBeUndefined();
  });
});
