// Settings that all clusters of a place have, from a file of their own into a new cluster's file.
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {textOfAnswers} from '../../../src/spec/answers-file.ts';
import {readBase} from '../../../src/spec/base-settings.ts';
import {checkFiles} from '../../../src/spec/read.ts';

const house = `# what all our clusters have
spec:
  bundle: {sources: {dl.k8s.io: "http://mirror.example/dl.k8s.io"}}
  configuration:
    kubelet: {maxPods: 77}
  agent:
    preflight: {ignore: [cgroup-v2]}
    proxy: {http: "http://proxy.example:3128"}
`;
const answers = {mode: 'agent' as const, name: 'berth', controlPlane: ['h1=10.0.0.11'], sshUser: 'ops', base: 'house.yaml'};

describe('settings of the place', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-base-'));
    await writeFile(join(folder, 'house.yaml'), house);
  });
  afterAll(() => rm(folder, {recursive: true}));
  const read = (file = 'house.yaml') => readBase(file, folder, {});

  it('stand in the new file as they were written, beside the answers, and the file is valid', async () => {
    const {text} = textOfAnswers(answers, await read());
    const checked = await checkFiles({files: ['-'], folder, env: {}, stdin: async () => text});
    expect(checked.complaints).toEqual([]);
    expect(parse(text)).toMatchObject({
      metadata: {name: 'berth'},
      spec: {
        bundle: {sources: {'dl.k8s.io': 'http://mirror.example/dl.k8s.io'}},
        configuration: {kubelet: {maxPods: 77}},
        agent: {ssh: {user: 'ops'}, preflight: {ignore: ['cgroup-v2']}, proxy: {http: 'http://proxy.example:3128'}, hosts: [{name: 'h1'}]},
      },
    });
    expect(text).toContain('# From house.yaml.');
    expect(parse(text)).not.toHaveProperty('spec.rollout');
  });

  it.each([
    ['spec: {kubernetes: {version: v1.36.3}}', /kubernetes/],
    ['spec: {agent: {hosts: []}}', /hosts/],
    ['spec: {rollout: {canary: -1}}', /canary/],
    ['kind: Cluster\nspec: {}', /kind/],
    ['', /empty/],
  ])('refuse what is asked for, and what is wrong: %s', async (text, complaint) => {
    await writeFile(join(folder, 'wrong.yaml'), text);
    await expect(read('wrong.yaml')).rejects.toThrow(complaint);
  });

  it('say that the file is missing, and are for hosts only', async () => {
    await expect(read('gone.yaml')).rejects.toMatchObject({code: 'file.not-found'});
    expect(() => textOfAnswers({mode: 'controller', name: 'a', class: 'b', base: 'house.yaml'})).toThrow(/there are none/);
    expect(await readBase(undefined, folder, {})).toBeUndefined();
  });
});
