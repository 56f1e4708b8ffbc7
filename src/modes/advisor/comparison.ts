// The modes side by side: the one source of the table and of the diagram that `advise`, the wizard and the docs show.

export const modeNames = ['controller', 'agent', 'appliance'] as const;
export type ModeName = (typeof modeNames)[number];

/** What this version can do of the modes and of what goes across them. */
export interface Availability {
  readonly built: boolean;
  /** What is missing, as a sentence, and the nearest that this version can. */
  readonly missing?: string;
  readonly nearest?: string;
}

export const availability: Readonly<Record<ModeName | 'trustedBoot' | 'centralManagement', Availability>> = {
  controller: {built: true},
  agent: {built: true},
  appliance: {
    built: false,
    missing: "Appliance mode isn't in this version.",
    nearest: 'Agent mode: install a Linux of your own on the machines, and let them answer SSH.',
  },
  trustedBoot: {
    built: false,
    missing: "Trusted Boot isn't in this version: it needs an image that Trireme builds and signs, which appliance mode will bring.",
    nearest: "Agent mode on an operating system with your own Secure Boot and your own keys: Trireme leaves the way it boots alone, and doesn't measure it.",
  },
  centralManagement: {
    built: false,
    missing: "Central management isn't in this version: no management cluster can follow hosts yet.",
    nearest:
      'management: local, where each host follows its own wanted state; or controller mode, whose management cluster follows the machines that it makes.',
  },
};

export interface ComparisonRow {
  readonly title: string;
  readonly cells: Readonly<Record<ModeName, string>>;
}

export const comparison: readonly ComparisonRow[] = [
  {
    title: 'infrastructure',
    cells: {
      controller: 'made by Cluster API: clouds, vSphere, metal by a provider',
      agent: 'yours: any host that answers SSH',
      appliance: 'yours: metal or VMs that boot our medium',
    },
  },
  {
    title: 'operating system',
    cells: {controller: "the provider's image, or your own", agent: 'your own systemd Linux, with your own tools', appliance: 'built by Trireme from a recipe'},
  },
  {
    title: 'OS mutability',
    cells: {controller: 'mutable; a change replaces the machine', agent: 'mutable or immutable', appliance: 'immutable'},
  },
  {title: 'cloud credentials', cells: {controller: 'yes, in the management cluster', agent: 'no', appliance: 'no'}},
  {
    title: 'management',
    cells: {controller: 'central: the management cluster', agent: 'local; central later', appliance: 'local; central later'},
  },
  {title: 'Trusted Boot', cells: {controller: 'no', agent: 'no', appliance: 'yes, later'}},
  {
    title: 'upgrade unit',
    cells: {controller: 'a machine, replaced', agent: 'Kubernetes on a host; the OS is yours', appliance: 'the whole image, in A/B slots'},
  },
  {title: 'in this version', cells: {controller: 'yes', agent: 'yes', appliance: 'later'}},
];

/** Who brings each part of a node; top to bottom. */
export const provisioning: readonly ComparisonRow[] = [
  {title: 'network, add-ons', cells: {controller: 'Trireme', agent: 'Trireme', appliance: 'Trireme'}},
  {title: 'Kubernetes', cells: {controller: 'Cluster API', agent: 'Trireme', appliance: 'Trireme'}},
  {title: 'operating system', cells: {controller: 'image of provider', agent: 'you', appliance: 'Trireme'}},
  {title: 'machine', cells: {controller: 'Cluster API', agent: 'you', appliance: 'you'}},
];
