// containerd's files about registries.
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {registryFiles, registryFolder, registrySteps} from '../../../src/agentd/registry-files.ts';
import {diffWanted} from '../../../src/hostcluster/diff.ts';
import type {WantedRegistry} from '../../../src/hostcluster/protocol.ts';
import {targetFixture, wantedFixture, type TargetFixture} from './agentd-fixture.ts';

const mirror = {url: 'https://mirror.example:5000', capabilities: ['pull', 'resolve']};
const registry = (over: Partial<WantedRegistry> = {}): WantedRegistry => ({name: 'docker.io', mirrors: [mirror], fallback: true, ...over});
const hosts = (over: Partial<WantedRegistry> = {}) => registryFiles(registry(over))['hosts.toml'] ?? '';

describe('mirrors of registries', () => {
  let fixture: TargetFixture | undefined;
  afterEach(() => fixture?.remove());

  it('are asked before the registry itself, unless that is not wanted', () => {
    expect(hosts()).toBe(
      '# Written by Trireme; change agent.registries in the cluster\'s file instead.\nserver = "https://registry-1.docker.io"\n\n[host."https://mirror.example:5000"]\n  capabilities = ["pull", "resolve"]\n',
    );
    expect(hosts({fallback: false})).toContain('server = "https://mirror.example:5000"\n');
    expect(hosts({name: '_default'})).not.toContain('server =');
    expect(hosts({name: '_default', fallback: false})).toContain('server = "https://mirror.example:5000"\n');
  });

  it('keep a path that has its version, and are trusted by certificates beside the file', () => {
    const authority = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    const files = registryFiles(registry({mirrors: [{...mirror, url: 'https://mirror.example/v2/project', authority}]}));
    expect(files['hosts.toml']).toContain('override_path = true');
    expect(files['hosts.toml']).toContain(`ca = "${registryFolder}/docker.io/trireme-0.crt"`);
    expect(files['trireme-0.crt']).toBe(authority);
    // what names a certificate is written after it
    expect(Object.keys(files).at(-1)).toBe('hosts.toml');
  });

  it('go when the file has them no more; what somebody else wrote stays', async () => {
    fixture = await targetFixture({registries: [registry()]});
    const {target, root} = fixture;
    for (const [name, text] of [
      ['quay.io', hosts({name: 'quay.io'})],
      ['ghcr.io', 'server = "https://theirs.example"\n'],
    ] as const) {
      await mkdir(join(root, registryFolder, name), {recursive: true});
      await writeFile(join(root, registryFolder, name, 'hosts.toml'), text);
    }
    expect((await registrySteps(target)).map((step) => step.id)).toEqual([
      `file:${registryFolder}/docker.io/hosts.toml`,
      `absent:${registryFolder}/quay.io/hosts.toml`,
    ]);
  });

  it('are in the plan by what they are, and cost nothing', () => {
    const authority = 'PEM of an authority';
    const after = wantedFixture({registries: [registry({mirrors: [{...mirror, authority}]})]});
    const changes = diffWanted(wantedFixture(), after);
    expect(changes.map(({path, effect}) => [path, effect])).toEqual([
      ['registries.docker.io.authority.https://mirror.example:5000', 'none'],
      ['registries.docker.io.fallback', 'none'],
      ['registries.docker.io.mirrors', 'none'],
    ]);
    expect(changes[2]?.to).toEqual(['https://mirror.example:5000 (pull, resolve)']);
    expect(JSON.stringify(changes)).not.toContain(authority);
  });
});
