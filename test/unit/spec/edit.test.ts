import {execFile} from 'node:child_process';
import {chmod, lstat, mkdtemp, readFile, readlink, realpath, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {planEdit, revertEdit, writeEdit} from '../../../src/spec/edit.ts';
import {unifiedDiff} from '../../../src/spec/text-diff.ts';

const text = `# mine
apiVersion: trireme.dev/v1alpha1
kind: Cluster
metadata: {name: web}
spec:
  kubernetes: {version: v1.35.4} # soon v1.36
`;
const edits = [{path: ['spec', 'kubernetes', 'version'], value: 'v1.36.3'}];

describe('the edit of a file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'trireme-edit-')));
    file = join(folder, 'web.yaml');
    await writeFile(file, text);
  });
  afterEach(() => rm(folder, {recursive: true, force: true}));
  const plan = (files = [file], name = 'web') => planEdit({files, name, edits});

  it('writes nothing while it is planned, and shows what would change', async () => {
    const edit = await plan();
    expect(await readFile(file, 'utf8')).toBe(text);
    expect(edit.diff.split('\n').slice(-2)).toEqual(['-  kubernetes: {version: v1.35.4} # soon v1.36', '+  kubernetes: {version: v1.36.3} # soon v1.36']);
  });

  it('keeps the mode of the file', async () => {
    await chmod(file, 0o640);
    await writeEdit(await plan());
    expect((await stat(file)).mode & 0o7777).toBe(0o640);
    expect(await readFile(file, 'utf8')).toBe(text.replace('v1.35.4', 'v1.36.3'));
  });

  it('keeps a link, and writes where it leads', async () => {
    const link = join(folder, 'link.yaml');
    await symlink('web.yaml', link);
    await writeEdit(await plan([link]));
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readlink(link)).toBe('web.yaml');
    expect(await readFile(file, 'utf8')).toContain('v1.36.3');
  });

  it('is refused when the file was changed in between, and leaves that change alone', async () => {
    const edit = await plan();
    await writeFile(file, `${text}# theirs\n`);
    await expect(writeEdit(edit)).rejects.toMatchObject({code: 'file.changed'});
    expect(await readFile(file, 'utf8')).toBe(`${text}# theirs\n`);
  });

  it('can be taken back, but not over what somebody wrote since', async () => {
    const edit = await plan();
    await writeEdit(edit);
    await revertEdit(edit);
    expect(await readFile(file, 'utf8')).toBe(text);
    await writeEdit(edit);
    await writeFile(file, '# theirs\n');
    await expect(revertEdit(edit)).rejects.toMatchObject({code: 'file.changed'});
    expect(await readFile(file, 'utf8')).toBe('# theirs\n');
  });

  it('finds the file that holds the cluster, among several', async () => {
    const profile = join(folder, 'profile.yaml');
    await writeFile(profile, 'kind: ClusterProfile\nmetadata: {name: web}\n');
    expect(await plan([profile, file])).toMatchObject({path: file});
    await expect(plan([profile])).rejects.toMatchObject({code: 'cluster.not-found'});
  });

  it('is refused for standard input', async () => {
    await expect(plan(['-'])).rejects.toMatchObject({code: 'file.not-editable', message: expect.stringContaining('standard input')});
  });

  it('is refused for what is no text', async () => {
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
    await expect(plan()).rejects.toMatchObject({code: 'file.not-editable'});
  });

  it('says nothing and writes nothing when the file says it already', async () => {
    await writeEdit(await plan());
    const before = await stat(file);
    const again = await plan();
    expect(again.diff).toBe('');
    await writeEdit(again);
    expect((await stat(file)).ino).toBe(before.ino);
  });

  it('gives diffs that patch(1) and git can apply', async () => {
    const lines = Array.from({length: 40}, (_, index) => `line ${index}`);
    const before = `${lines.join('\n')}\n`;
    const after = `${lines
      .map((line) => (line === 'line 5' ? 'changed' : line))
      .toSpliced(20, 0, 'new a', 'new b')
      .toSpliced(35, 1)
      .join('\n')}`;
    await writeFile(join(folder, 'lines'), before);
    const diff = unifiedDiff(before, after, 'lines');
    await writeFile(join(folder, 'change.diff'), `${diff}\n`);
    await promisify(execFile)('git', ['apply', '-p0', '--unsafe-paths', 'change.diff'], {cwd: folder});
    expect(await readFile(join(folder, 'lines'), 'utf8')).toBe(after);
  });
});
