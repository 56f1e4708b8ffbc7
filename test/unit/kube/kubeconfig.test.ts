import {mkdtemp, readFile, readdir, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {mergeKubeconfig, nameKubeconfig, parseKubeconfig, removeFromKubeconfig, writeMergedKubeconfig} from '../../../src/kube/kubeconfig.ts';

const kubeadm = `
apiVersion: v1
kind: Config
clusters: [{name: kubernetes, cluster: {server: "https://10.77.0.11:6443", certificate-authority-data: Q0E=}}]
users: [{name: kubernetes-admin, user: {client-certificate-data: QQ==, client-key-data: Qg==}}]
contexts: [{name: kubernetes-admin@kubernetes, context: {cluster: kubernetes, user: kubernetes-admin}}]
current-context: kubernetes-admin@kubernetes
`;
const mine = `
apiVersion: v1
kind: Config
preferences: {colors: true}
clusters: [{name: work, cluster: {server: "https://work.example"}}]
users: [{name: me, user: {token: t}}]
contexts: [{name: work, context: {cluster: work, user: me, namespace: team}}]
current-context: work
`;
const berth = () => nameKubeconfig(parseKubeconfig(kubeadm, 'h1'), 'berth', 'h1');

describe('a kubeconfig', () => {
  it("gets the cluster's name for its entries", () => {
    expect(berth()).toMatchObject({
      clusters: [{name: 'berth'}],
      users: [{name: 'berth-admin'}],
      contexts: [{name: 'berth', context: {cluster: 'berth', user: 'berth-admin'}}],
      'current-context': 'berth',
    });
  });

  it.each([
    ['text that is no YAML', '{a: [', /can't be read/],
    ['a list', '- a', /it is not a map/],
    ['an entry without a name', 'clusters: [{cluster: {}}]', /an entry of clusters has no name/],
    ['a list that is none', 'users: 3', /users isn't a list/],
  ])('that is %s is refused with its place', (_what, text, message) => {
    expect(() => parseKubeconfig(text, '/home/x/config')).toThrow(message);
    expect(() => parseKubeconfig(text, '/home/x/config')).toThrow('/home/x/config');
  });

  it('is added beside what is there, and the current context stays', () => {
    const merged = mergeKubeconfig(parseKubeconfig(mine, 'config'), berth(), {place: 'config'});
    expect(merged.contexts.map((one) => one.name)).toEqual(['work', 'berth']);
    expect(merged['current-context']).toBe('work');
    expect(merged['preferences']).toEqual({colors: true});
  });

  it('becomes the current one when asked, or when there was none', () => {
    expect(mergeKubeconfig(parseKubeconfig(mine, 'config'), berth(), {place: 'config', switchContext: true})['current-context']).toBe('berth');
    expect(mergeKubeconfig(parseKubeconfig('', 'config'), berth(), {place: 'config'})['current-context']).toBe('berth');
  });

  it("takes the place of its own older entries, and leaves the person's namespace in the context", () => {
    const before = mergeKubeconfig(parseKubeconfig(mine, 'config'), berth(), {place: 'config'});
    const edited = {...before, contexts: before.contexts.map((one) => (one.name === 'berth' ? {...one, context: {...one.context, namespace: 'apps'}} : one))};
    const renewed = {...berth(), users: [{name: 'berth-admin', user: {'client-certificate-data': 'TkVX'}}]};
    const after = mergeKubeconfig(edited, renewed, {place: 'config'});
    expect(after.users.find((one) => one.name === 'berth-admin')?.user).toEqual({'client-certificate-data': 'TkVX'});
    expect(after.contexts.find((one) => one.name === 'berth')?.context.namespace).toBe('apps');
  });

  it("is refused where its names are another cluster's, and they are named", () => {
    const other = parseKubeconfig(mine.replaceAll('work', 'berth').replaceAll(/\bme\b/g, 'berth-admin'), 'config');
    expect(() => mergeKubeconfig(other, berth(), {place: 'config'})).toThrow(/already has the cluster berth/);
    expect(mergeKubeconfig(other, berth(), {place: 'config', overwrite: true}).clusters).toHaveLength(1);
    const bound = parseKubeconfig(mine.replace('name: work, context', 'name: berth, context'), 'config');
    expect(() => mergeKubeconfig(bound, berth(), {place: 'config'})).toThrow(/the context berth/);
  });
});

describe('writing it', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-kube-'));
  });
  afterEach(() => rm(folder, {recursive: true, force: true}));

  it('makes a private file where there was none', async () => {
    const path = join(folder, '.kube', 'config');
    expect(await writeMergedKubeconfig(path, berth())).toEqual({path, changed: true, currentContext: 'berth'});
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, '.kube'))).toEqual(['config']);
  });

  it('keeps the file as it was beside the new one, and writes nothing when nothing changes', async () => {
    const path = join(folder, 'config');
    await writeFile(path, `# mine\n${mine}`, {mode: 0o644});
    const first = await writeMergedKubeconfig(path, berth(), {now: () => new Date('2026-01-02T03:04:05.678Z')});
    expect(first.backup).toBe(`${path}.before-trireme-20260102T030405Z`);
    expect(await readFile(first.backup ?? '', 'utf8')).toBe(`# mine\n${mine}`);
    expect((await stat(first.backup ?? '')).mode & 0o777).toBe(0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    expect((parse(text) as {contexts: unknown[]}).contexts).toHaveLength(2);
    expect((await writeMergedKubeconfig(path, berth())).changed).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('follows a link instead of replacing it', async () => {
    await writeFile(join(folder, 'real'), mine);
    await symlink('real', join(folder, 'config'));
    await writeMergedKubeconfig(join(folder, 'config'), berth());
    expect(await readFile(join(folder, 'real'), 'utf8')).toContain('berth-admin');
  });

  it('leaves a file alone that it cannot read', async () => {
    const path = join(folder, 'config');
    await writeFile(path, '{a: [');
    await expect(writeMergedKubeconfig(path, berth())).rejects.toMatchObject({code: 'kubeconfig.invalid'});
    expect(await readFile(path, 'utf8')).toBe('{a: [');
    expect(await readdir(folder)).toEqual(['config']);
  });

  it("waits for kubectl's lock, and merges what was written meanwhile", async () => {
    const path = join(folder, 'config');
    await writeFile(`${path}.lock`, '');
    const writing = writeMergedKubeconfig(path, berth());
    await writeFile(path, mine);
    await rm(`${path}.lock`);
    await writing;
    expect((parse(await readFile(path, 'utf8')) as {contexts: unknown[]}).contexts).toHaveLength(2);
  });
});

describe('taking a cluster out of a kubeconfig', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  });
  afterEach(() => rm(folder, {recursive: true, force: true}));

  it('removes its cluster, contexts and user, keeps a backup, and leaves everything of others', async () => {
    const path = join(folder, 'config');
    const incoming = nameKubeconfig(parseKubeconfig(kubeadm, 'test'), 'berth', 'test');
    const others = {
      clusters: [{name: 'other', cluster: {server: 'https://other'}}],
      users: [{name: 'o', user: {}}],
      contexts: [{name: 'other', context: {cluster: 'other', user: 'o'}}],
    };
    await writeFile(path, JSON.stringify({apiVersion: 'v1', kind: 'Config', 'current-context': 'other', ...others}));
    await writeMergedKubeconfig(path, incoming, {switchContext: true});
    expect(await removeFromKubeconfig(path, {name: 'berth', server: 'https://10.77.0.11:6443'})).toBe(true);
    expect(parse(await readFile(path, 'utf8'))).toEqual({apiVersion: 'v1', kind: 'Config', 'current-context': '', ...others});
    expect((await readdir(folder)).some((name) => name.startsWith('config.before-trireme-'))).toBe(true);
  });

  it("leaves one of the same name that is another server's, and a file that isn't there", async () => {
    const path = join(folder, 'config');
    await writeMergedKubeconfig(path, nameKubeconfig(parseKubeconfig(kubeadm, 'test'), 'berth', 'test'));
    const before = await readFile(path, 'utf8');
    expect(await removeFromKubeconfig(path, {name: 'berth', server: 'https://10.0.0.1:6443'})).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await removeFromKubeconfig(join(folder, 'none'), {name: 'berth', server: 'https://10.77.0.11:6443'})).toBe(false);
  });
});
