// Which family a host belongs to, by os-release(5).
import type {HostFacts} from '../facts.ts';
import {alpine} from './alpine.ts';
import {arch} from './arch.ts';
import {debian} from './debian.ts';
import type {OsFamily} from './family.ts';
import {flatcar} from './flatcar.ts';
import {microOs, rpmOstree} from './ostree.ts';
import {redhat} from './redhat.ts';
import {suse} from './suse.ts';
import {unknown} from './unknown.ts';

const families: Readonly<Record<string, OsFamily>> = {
  debian,
  ubuntu: debian,
  raspbian: debian,
  linuxmint: debian,
  pop: debian,
  rhel: redhat,
  centos: redhat,
  rocky: redhat,
  almalinux: redhat,
  ol: redhat,
  fedora: redhat,
  amzn: redhat,
  sles: suse,
  suse,
  opensuse: suse,
  'opensuse-leap': suse,
  'opensuse-tumbleweed': suse,
  arch,
  manjaro: arch,
  alpine,
  flatcar,
  'opensuse-microos': microOs,
  'sle-micro': microOs,
  'sl-micro': microOs,
};

/** Variants of Fedora and RHEL whose /usr comes with an image. */
const ostreeVariants = new Set(['coreos', 'iot', 'silverblue', 'kinoite', 'container', 'edge']);

/** The family by ID, then by ID_LIKE; `unknown` for one that nobody told us of. */
export function familyOf(facts: Pick<HostFacts, 'os'>): OsFamily {
  const {id, idLike, variant} = facts.os;
  const family = [id, ...idLike].map((name) => families[name]).find((found) => found !== undefined) ?? unknown;
  return family === redhat && ostreeVariants.has(variant) ? rpmOstree : family;
}
