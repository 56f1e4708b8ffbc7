// systemd-networkd takes every link that a file of its own matches: it gives a pod's veth the host's address and takes it out of the CNI's bridge.
import type {HostCheck} from '../check.ts';

export const networkd: HostCheck = {
  id: 'networkd',
  title: "systemd-networkd leaves the pods' links alone",
  severity: 'error',
  scope: 'host',
  run: ({facts}) => {
    if (facts.services['systemd-networkd'] !== 'active') return [];
    // the first file in the order of their names is the one that counts
    const ordered = facts.networkdFiles.toSorted((a, b) => (fileName(a.path) < fileName(b.path) ? -1 : 1));
    const taking = ordered.find(({match}) => matchesVeth(match));
    return taking === undefined
      ? []
      : [
          {
            observed: `${taking.path} is for ${
              Object.entries(taking.match)
                .map(([key, value]) => `${key}=${value}`)
                .join(', ') || 'every link'
            }: the links of pods, too`,
            wanted: 'a [Match] that leaves veth links out',
            remedy: `add Kind=!* to its [Match], or name the interface there, then: networkctl reload`,
          },
        ];
  },
};

const fileName = (path: string) => path.slice(path.lastIndexOf('/') + 1);

/** systemd.network(5): what is said must all fit. Only what a host's end of a pod's link has is looked at; any other key speaks of a certain device. */
function matchesVeth(match: Readonly<Record<string, string>>): boolean {
  const fits: Readonly<Record<string, (value: string) => boolean>> = {
    Name: (value) => fitsAny(value, 'veth0a1b2c3d'),
    Type: (value) => fitsAny(value, 'ether'),
    Kind: (value) => fitsAny(value, 'veth'),
    Virtualization: () => true,
    Architecture: () => true,
    KernelVersion: () => true,
    Host: () => true,
  };
  return Object.entries(match).every(([key, value]) => value === '' || fits[key]?.(value) === true);
}

/** Patterns apart by blanks; a leading exclamation mark turns the list round. */
function fitsAny(list: string, text: string): boolean {
  const isInverse = list.startsWith('!');
  const patterns = (isInverse ? list.slice(1) : list).split(/\s+/).filter((one) => one !== '');
  const escape = (one: string) =>
    one
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
  return patterns.some((one) => new RegExp(`^${escape(one)}$`).test(text)) !== isInverse;
}
