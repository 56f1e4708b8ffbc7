import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {defaultCertManager, goDuration, readConfiguration, valuesOf} from '../../../../../src/modes/controller/providers/configuration.ts';
import {knownProviders} from '../../../../../src/modes/controller/providers/known.ts';

describe('clusterctl.yaml', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'trireme-configuration-'));
  });
  afterEach(() => rm(home, {recursive: true, force: true}));

  const write = async (path: string, text: string) => {
    const file = join(home, path);
    await mkdir(join(file, '..'), {recursive: true});
    await writeFile(file, text);
    return file;
  };

  it('is not needed: clusterctl’s own providers, cert-manager and the environment are there without it', async () => {
    const configuration = await readConfiguration({env: {HOME: home, AWS_REGION: 'eu-central-1'}});
    expect(configuration.file).toBeUndefined();
    expect(configuration.providers).toHaveLength(knownProviders.length);
    expect(configuration.providers[0]).toMatchObject({name: 'cluster-api', type: 'CoreProvider'});
    expect(configuration.certManager).toEqual({...defaultCertManager, external: false});
    expect(configuration.lookup('AWS_REGION')).toBe('eu-central-1');
    expect(configuration.lookup('AWS_ZONE')).toBeUndefined();
  });

  it('is read from XDG_CONFIG_HOME before the home folder, and from --config before both', async () => {
    const old = await write('.cluster-api/clusterctl.yaml', 'WHERE: home');
    expect((await readConfiguration({env: {HOME: home}})).lookup('WHERE')).toBe('home');
    await write('.config/cluster-api/clusterctl.yaml', 'WHERE: xdg');
    expect((await readConfiguration({env: {HOME: home}})).lookup('WHERE')).toBe('xdg');
    expect((await readConfiguration({env: {HOME: home}, file: old})).lookup('WHERE')).toBe('home');
    await expect(readConfiguration({env: {HOME: home}, file: join(home, 'none.yaml')})).rejects.toMatchObject({code: 'file.not-found'});
  });

  it('gives values given by hand first, then the environment, then the file; numbers stay as they are written', async () => {
    const file = await write('c.yaml', 'A: file\nB: file\nC: 1.20\nD: true\nexp-flag: "x"\n');
    const {lookup} = await readConfiguration({file, env: {HOME: home, A: 'env', B: 'env', EXP_FLAG: 'env'}, values: valuesOf(['A=hand=1'])});
    expect(['A', 'B', 'C', 'D', 'exp-flag', 'c'].map(lookup)).toEqual(['hand=1', 'env', '1.20', 'true', 'env', '1.20']);
  });

  it('adds providers and takes the place of built-in ones, with the environment in addresses', async () => {
    const file = await write(
      'c.yaml',
      'providers:\n  - {name: docker, type: InfrastructureProvider, url: "${ROOT}/infrastructure-docker/latest/x.yaml"}\n  - {name: lab, type: AddonProvider, url: /a}\nimages:\n  all: {repository: registry.example}\ncert-manager: {version: v1.2.3, timeout: 1h30m}\noverridesFolder: /over\n',
    );
    const configuration = await readConfiguration({file, env: {HOME: home, ROOT: '/r'}});
    expect(configuration.providers.filter(({name}) => name === 'docker')).toMatchObject([{url: '/r/infrastructure-docker/latest/x.yaml', from: file}]);
    expect(configuration.providers.some(({name}) => name === 'lab')).toBe(true);
    expect(configuration).toMatchObject({
      overridesFolder: '/over',
      images: {all: {repository: 'registry.example'}},
      certManager: {version: 'v1.2.3', timeout: 5_400_000},
    });
  });

  it('names everything that is wrong at once, each with its place', async () => {
    const file = await write(
      'c.yaml',
      'providers:\n  - {name: Docker, type: InfrastructureProvider, url: /a}\n  - {name: x, type: Infra, url: /a}\n  - {name: y, type: CoreProvider, url: /a}\n  - {name: z, type: AddonProvider, url: "${NOPE}"}\ncert-manager: {timeout: soon}\n',
    );
    const error = await readConfiguration({file, env: {HOME: home}}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({code: 'file.invalid'});
    const {complaints} = (error as {details: {complaints: {line: number; rule: string}[]}}).details;
    expect(complaints.map(({line}) => line)).toEqual([2, 3, 4, 5, 6]);
  });

  it('reads durations as Go does', () => {
    expect(['10m', '1h30m', '90s', '1.5s', '500ms', '5', 'x5m', ''].map(goDuration)).toEqual([
      600_000,
      5_400_000,
      90_000,
      1500,
      500,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
