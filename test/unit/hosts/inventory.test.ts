import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {nodeAddressesOf, readTargets, selectTargets} from '../../../src/hosts/inventory.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {clusterDocument} from '../../../src/spec/schema.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trireme-inventory-'));
});
afterEach(() => rm(folder, {recursive: true, force: true}));

function cluster(agent: object) {
  const document = clusterDocument.parse({
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {mode: 'agent', kubernetes: {version: 'v1.36.3'}, endpoint: {host: '10.0.0.1'}, agent},
  });
  return {document, source: {files: [], folder, digest: ''}};
}

const hosts = [
  {name: 'cp1', address: '10.0.0.1', role: 'control-plane'},
  {name: 'w1', address: 'bastion-side.example', nodeAddress: ['10.0.0.2', 'fd00::2'], role: 'worker', site: 'harbour', labels: {zone: 'a'}},
  {name: 'w2', address: 'w2.example', role: 'worker', labels: {zone: 'b'}, ssh: {user: 'root', port: 2222, sudo: {password: {fromEnv: 'W2_PASSWORD'}}}},
];

describe('reading targets', () => {
  it("puts a host's SSH settings over the cluster's, and reads secrets from where they are", async () => {
    await writeFile(join(folder, 'passphrase'), 'open sesame\n');
    const redactor = new Redactor();
    const env = {SUDO_PASSWORD: 'hunter22', W2_PASSWORD: 'other-secret', HOME: '/home/ann'};
    const targets = await readTargets(
      cluster({
        ssh: {
          user: 'ops',
          identityFile: '~/.ssh/id',
          passphrase: {fromFile: 'passphrase'},
          knownHosts: ['./known'],
          configFile: 'none',
          jump: ['bastion'],
          sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
        },
        hosts,
      }),
      {env, redactor},
    );
    expect(targets[0]).toMatchObject({
      host: 'cp1',
      address: '10.0.0.1',
      user: 'ops',
      identityFile: '/home/ann/.ssh/id',
      passphrase: 'open sesame',
      knownHostsFiles: [join(folder, 'known')],
      configFile: 'none',
      jump: ['bastion'],
      sudoPassword: 'hunter22',
      nodeAddresses: ['10.0.0.1'],
    });
    expect(targets[1]).toMatchObject({nodeAddresses: ['10.0.0.2', 'fd00::2'], site: 'harbour'});
    expect(targets[2]).toMatchObject({user: 'root', port: 2222, sudoPassword: 'other-secret', nodeAddresses: []});
    expect(redactor.text('hunter22 other-secret open sesame')).toBe('[redacted] [redacted] [redacted]');
  });

  it('says which secret is missing, where it is wanted and how to set it', async () => {
    const failing = readTargets(cluster({ssh: {sudo: {password: {fromEnv: 'SUDO_PASSWORD'}}}, hosts: hosts.slice(0, 1)}), {env: {}, redactor: new Redactor()});
    await expect(failing).rejects.toMatchObject({
      code: 'secret.missing',
      message: expect.stringMatching(/cp1 ssh\.sudo\.password.*SUDO_PASSWORD/),
      hints: ['Set it: export SUDO_PASSWORD=...'],
    });
    const noFile = readTargets(cluster({ssh: {passphrase: {fromFile: 'nowhere'}}, hosts: hosts.slice(0, 1)}), {env: {}, redactor: new Redactor()});
    await expect(noFile).rejects.toMatchObject({code: 'secret.missing', message: expect.stringContaining('ENOENT')});
  });

  it('refuses a secret too short to be kept out of logs', async () => {
    const failing = readTargets(cluster({ssh: {sudo: {password: {fromEnv: 'P'}}}, hosts: hosts.slice(0, 1)}), {env: {P: 'abc'}, redactor: new Redactor()});
    await expect(failing).rejects.toMatchObject({code: 'secret.missing'});
  });
});

describe('choosing targets', () => {
  const targets = hosts.map((host) => ({
    host: host.name,
    role: host.role as 'worker' | 'control-plane',
    site: 'site' in host ? host.site : undefined,
    labels: ('labels' in host ? host.labels : {}) as Record<string, string>,
  }));
  const names = (...limits: string[]) => selectTargets(targets, limits).map(({host}) => host);

  it('goes by name, pattern, label, role and site, and keeps the order of the file', () => {
    expect(names('w2', 'cp1')).toEqual(['cp1', 'w2']);
    expect(names('w*')).toEqual(['w1', 'w2']);
    expect(names('w?,cp1')).toEqual(['cp1', 'w1', 'w2']);
    expect(names('zone=b')).toEqual(['w2']);
    expect(names('zone=*')).toEqual(['w1', 'w2']);
    expect(names('role=worker')).toEqual(['w1', 'w2']);
    expect(names('control-plane')).toEqual(['cp1']);
    expect(names('site=harbour')).toEqual(['w1']);
  });

  it('takes all without a limit', () => {
    expect(names()).toEqual(['cp1', 'w1', 'w2']);
  });

  it('refuses what matches nothing and names the nearest', () => {
    expect(() => names('w3')).toThrow(
      expect.objectContaining({code: 'host.not-found', hints: expect.arrayContaining([expect.stringMatching(/Did you mean w[12]\?/)])}),
    );
    expect(() => names('w1', 'zone=c')).toThrow(/zone=c/);
    expect(() => names('w.')).toThrow(expect.objectContaining({code: 'host.not-found'}));
  });
});

it("takes the default route's address for a node that the file gives none", () => {
  expect(nodeAddressesOf({nodeAddresses: []}, {defaultRoute: {interface: 'eth0', address: '10.0.0.9'}})).toEqual(['10.0.0.9']);
  expect(nodeAddressesOf({nodeAddresses: ['10.0.0.1']}, {defaultRoute: {interface: 'eth0', address: '10.0.0.9'}})).toEqual(['10.0.0.1']);
  expect(nodeAddressesOf({nodeAddresses: []}, undefined)).toEqual([]);
});
