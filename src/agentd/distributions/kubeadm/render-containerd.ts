// containerd's config.toml, version 3 (containerd 2.x).
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {mergeOver, type Settings} from './merge.ts';
import {imageNamed} from './images.ts';
import {toToml} from './toml.ts';

const runtimePlugin = 'io.containerd.cri.v1.runtime';
const imagesPlugin = 'io.containerd.cri.v1.images';

export interface HostTraits {
  /** 2 where cgroup v2 is mounted alone. */
  readonly cgroup: 1 | 2;
  /** Folder of our programs. */
  readonly bin: string;
  /** Whether /usr can't be written. */
  readonly isUsrLocked?: boolean;
}

/** The driver of kubelet and runtime, which must agree: systemd on cgroup v2, else cgroupfs; the file's kubelet setting wins. */
export function cgroupDriverOf(wanted: Pick<Wanted, 'configuration'>, traits: Pick<HostTraits, 'cgroup'>): string {
  const set = wanted.configuration.kubelet['cgroupDriver'];
  if (typeof set === 'string') return set;
  return traits.cgroup === 2 ? 'systemd' : 'cgroupfs';
}

/** The text of /etc/containerd/config.toml: ours, with `configuration.containerd` merged over it. */
export function renderContainerd(wanted: Wanted, traits: HostTraits): string {
  const pause = imageNamed(wanted, 'pause')?.reference;
  const base: Settings = {
    version: 3,
    root: '/var/lib/containerd',
    state: '/run/containerd',
    // below zero, so that the kernel ends pods before what runs them
    oom_score: -999,
    grpc: {address: '/run/containerd/containerd.sock'},
    plugins: {
      [imagesPlugin]: {
        // the pause image is on the host; nothing is fetched for it
        ...(pause === undefined ? {} : {pinned_images: {sandbox: pause}}),
        registry: {config_path: '/etc/containerd/certs.d'},
      },
      [runtimePlugin]: {
        containerd: {
          default_runtime_name: 'runc',
          runtimes: {
            runc: {
              runtime_type: 'io.containerd.runc.v2',
              options: {BinaryName: `${traits.bin}/runc`, SystemdCgroup: cgroupDriverOf(wanted, traits) === 'systemd'},
            },
          },
        },
      },
    },
  };
  return `# Written by Trireme; change configuration.containerd in the cluster's file instead.\n${toToml(mergeOver(base, wanted.configuration.containerd))}`;
}
