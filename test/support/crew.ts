// A cluster of real test-bed hosts, as the suites of members and of killed runs want it: hosts by number and role, content by the public paths.
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect} from 'vitest';
import {bedConfiguration, upBed, type Bed, type BedOptions} from './bed.ts';
import {startPublicPlaces, type PublicPlaces} from './public-places.ts';
import type {Ran} from './trireme.ts';

export interface Crew {
  readonly bed: Bed;
  /** Writes the file with these hosts; the endpoint is h1 where it isn't said. */
  write(controlPlanes: readonly number[], workers?: readonly number[], endpoint?: Readonly<Record<string, unknown>>, over?: FileOptions): Promise<string>;
  down(): Promise<void>;
}

export interface FileOptions {
  /** Of Kubernetes; default v1.36.3. */
  readonly version?: string;
  /** Default: the bed's own ssh_config. */
  readonly sshConfig?: string;
  /** Added to what the file says of a host. */
  readonly hosts?: Readonly<Record<number, Readonly<Record<string, unknown>>>>;
}

/** Boots the hosts and serves content. Call `down` in the end, whatever happened. */
export async function upCrew(options: Pick<BedOptions, 'hosts' | 'bed' | 'trixie'>): Promise<Crew> {
  const bed = await upBed(options);
  let places: PublicPlaces;
  try {
    places = await startPublicPlaces();
    await mkdir(bed.home, {recursive: true});
    await writeFile(join(bed.work, 'flannel.yaml'), await readFile(new URL('../testbed/flannel/kube-flannel.yaml', import.meta.url), 'utf8'));
    const layers = {cni: {name: 'flannel', manifest: 'flannel.yaml'}};
    await bed.write({apiVersion: 'trireme.dev/v1alpha1', kind: 'ClusterProfile', metadata: {name: 'flannel'}, spec: {layers}}, 'profile.yaml');
  } catch (error) {
    await bed.down();
    throw error;
  }
  return {
    bed,
    write: (controlPlanes, workers = [], endpoint = {host: bed.address(1)}, over = {}) =>
      bed.write(clusterFile(bed, places, {controlPlanes, workers, endpoint, ...over})),
    down: async () => {
      await places.close();
      await bed.down();
    },
  };
}

interface Wish extends FileOptions {
  readonly controlPlanes: readonly number[];
  readonly workers: readonly number[];
  readonly endpoint: Readonly<Record<string, unknown>>;
}

function clusterFile(bed: Bed, places: PublicPlaces, {controlPlanes, workers, endpoint, version, sshConfig, hosts}: Wish) {
  const host = (role: string) => (index: number) => ({name: `h${index}`, address: bed.address(index), role, ...hosts?.[index]});
  return {
    apiVersion: 'trireme.dev/v1alpha1',
    kind: 'Cluster',
    metadata: {name: 'berth'},
    spec: {
      mode: 'agent',
      kubernetes: {distribution: 'kubeadm', version: version ?? 'v1.36.3'},
      endpoint,
      profile: {file: 'profile.yaml'},
      configuration: bedConfiguration,
      bundle: {sources: places.sources},
      agent: {
        ssh: {
          user: 'ops',
          identityFile: join(bed.folder, 'id'),
          knownHosts: [join(bed.folder, 'known_hosts')],
          configFile: sshConfig ?? join(bed.folder, 'ssh_config'),
          sudo: {password: {fromEnv: 'SUDO_PASSWORD'}},
        },
        preflight: {ignore: ['cgroup-v2']},
        hosts: [...controlPlanes.map(host('control-plane')), ...workers.map(host('worker'))],
      },
    },
  };
}

export function expectCode(ran: Ran, code: number): void {
  expect(ran.code, `${ran.stderr}\n${ran.stdout}`).toBe(code);
}
