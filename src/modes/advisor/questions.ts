// What the advisor asks, and what each answer says for and against a mode: data, walked by advisor.ts.
import type {ModeName} from './comparison.ts';

export const topics = ['machines', 'system', 'boot', 'credentials', 'patches', 'place', 'network', 'management'] as const;
export type Topic = (typeof topics)[number];
export type AdviceAnswers = Readonly<Partial<Record<Topic, string>>>;

export interface AdviceOption {
  readonly value: string;
  /** Goes on after "The answer is". */
  readonly label: string;
}

export interface AdviceQuestion {
  readonly message: string;
  readonly options: readonly AdviceOption[];
}

/** Those that decide most come first. */
export const questions: Readonly<Record<Topic, AdviceQuestion>> = {
  machines: {
    message: 'Where do the machines come from?',
    options: [
      {value: 'existing', label: 'they are there, run Linux, and answer SSH'},
      {value: 'api', label: 'an API makes them on demand: a cloud, vSphere, OpenStack, metal'},
      {value: 'medium', label: 'they are empty and boot a medium that Trireme builds'},
    ],
  },
  system: {
    message: 'Who owns the operating system?',
    options: [
      {value: 'own', label: 'we do, with our own tools'},
      {value: 'provider', label: "the infrastructure provider's image is good enough"},
      {value: 'built', label: 'Trireme shall build it from a recipe'},
    ],
  },
  boot: {
    message: 'Must the boot be measured and signed (Trusted Boot)?',
    options: [
      {value: 'no', label: 'no'},
      {value: 'measured', label: 'yes'},
    ],
  },
  credentials: {
    message: "Are credentials for the infrastructure's API at hand?",
    options: [
      {value: 'no', label: 'no'},
      {value: 'yes', label: 'yes'},
    ],
  },
  patches: {
    message: 'Who patches the operating system?',
    options: [
      {value: 'own-tools', label: 'we do, in place, with our own tools'},
      {value: 'replace', label: 'nobody: machines are replaced by new ones'},
      {value: 'image', label: 'a whole new image is booted, and the old one kept'},
    ],
  },
  place: {
    message: 'Where will it run?',
    options: [
      {value: 'datacenter', label: 'in our own data centre'},
      {value: 'cloud', label: 'in a public cloud'},
      {value: 'edge', label: 'at the edge: shops, plants, ships'},
    ],
  },
  network: {
    message: 'How is the network at the site?',
    options: [
      {value: 'online', label: 'it reaches the internet'},
      {value: 'proxy', label: 'it reaches the internet through a proxy'},
      {value: 'offline', label: 'it never reaches the internet, or seldom'},
    ],
  },
  management: {
    message: 'Who follows the hosts afterwards?',
    options: [
      {value: 'local', label: 'each host keeps itself as it shall be'},
      {value: 'central', label: 'a central place follows them all'},
    ],
  },
};

export interface AdviceRule {
  readonly topic: Topic;
  readonly answer: string;
  readonly mode: ModeName;
  /** Above zero: for the mode. `never`: the mode can't do it at all. */
  readonly weight: number | 'never';
  readonly text: string;
}

const rule = (topic: Topic, answer: string, mode: ModeName, weight: AdviceRule['weight'], text: string): AdviceRule => ({topic, answer, mode, weight, text});

export const rules: readonly AdviceRule[] = [
  rule('machines', 'existing', 'agent', 4, 'agent mode takes any systemd Linux that answers SSH'),
  rule('machines', 'existing', 'controller', 'never', 'Cluster API takes only machines that its provider makes'),
  rule('machines', 'existing', 'appliance', 'never', "a host that has its operating system isn't booted from our medium"),
  rule('machines', 'api', 'controller', 4, 'Cluster API makes the machines, and replaces them'),
  rule('machines', 'api', 'agent', 'never', 'agent mode makes no machines'),
  rule('machines', 'api', 'appliance', 'never', 'appliance mode makes no machines'),
  rule('machines', 'medium', 'appliance', 4, 'machines that boot our medium are what it is made for'),
  rule('machines', 'medium', 'controller', 'never', 'Cluster API takes only machines that its provider makes'),
  rule('machines', 'medium', 'agent', -3, 'you would install an operating system on them first'),
  rule('system', 'own', 'agent', 2, 'agent mode leaves the operating system to you and your tools'),
  rule('system', 'own', 'controller', 1, 'your own image can be the one that the provider boots'),
  rule('system', 'own', 'appliance', 'never', "the appliance's operating system is built by Trireme"),
  rule('system', 'provider', 'controller', 2, "the provider's image is what its machines boot"),
  rule('system', 'provider', 'agent', -1, 'agent mode brings no operating system: what the hosts run stays yours to keep'),
  rule('system', 'provider', 'appliance', 'never', "the appliance's operating system is built by Trireme"),
  rule('system', 'built', 'appliance', 3, 'it is built from a recipe, and the same everywhere'),
  rule('system', 'built', 'agent', -2, 'agent mode builds no operating system'),
  rule('system', 'built', 'controller', -2, 'controller mode boots the image that the class names, and builds none'),
  rule('boot', 'measured', 'appliance', 3, 'an image that Trireme builds and signs can be measured'),
  rule('boot', 'measured', 'agent', 'never', "agent mode can't do Trusted Boot: the operating system is yours, and so is the way it boots"),
  rule('boot', 'measured', 'controller', 'never', "controller mode can't do Trusted Boot: the provider decides how its machines boot"),
  rule('credentials', 'yes', 'controller', 1, "the management cluster can use the infrastructure's API"),
  rule('credentials', 'no', 'controller', 'never', "without credentials Cluster API can't make a machine"),
  rule('credentials', 'no', 'agent', 1, 'agent mode needs none'),
  rule('credentials', 'no', 'appliance', 1, 'appliance mode needs none'),
  rule('patches', 'own-tools', 'agent', 2, 'your tools patch the hosts in place, and trireme host maintain is for it'),
  rule('patches', 'own-tools', 'controller', -2, 'what is patched in place is lost when the machine is replaced'),
  rule('patches', 'own-tools', 'appliance', 'never', 'its operating system is immutable'),
  rule('patches', 'replace', 'controller', 2, 'a change replaces machine after machine'),
  rule('patches', 'replace', 'agent', -2, 'agent mode replaces no machines'),
  rule('patches', 'replace', 'appliance', -1, 'it changes the image on the machine that is there'),
  rule('patches', 'image', 'appliance', 3, 'a whole image is the unit of upgrade, in A/B slots'),
  rule('patches', 'image', 'agent', -1, 'an image-based system is yours to upgrade there'),
  rule('patches', 'image', 'controller', -1, 'there the machine is replaced, and the old one gone'),
  rule('place', 'cloud', 'controller', 1, 'clouds have providers for Cluster API'),
  rule('place', 'edge', 'agent', 1, 'hosts follow their wanted state without a link to anyone'),
  rule('place', 'edge', 'appliance', 1, 'hosts follow their wanted state without a link to anyone'),
  rule('place', 'edge', 'controller', -1, 'machines and management cluster need a link to each other'),
  rule('network', 'offline', 'agent', 1, 'the content is pushed over SSH, or taken from a bundle: hosts need no internet'),
  rule('network', 'offline', 'appliance', 1, 'the content is in the image'),
  rule('network', 'offline', 'controller', -1, "machines need a registry and the infrastructure's API within reach"),
  rule('management', 'central', 'controller', 1, 'its management cluster follows the machines that it makes'),
];

export interface Contradiction {
  /** The answers that can't both be had. */
  readonly answers: AdviceAnswers;
  /** The one to give up. */
  readonly giveUp: Topic;
  readonly text: string;
}

/** The first that applies is settled first. */
export const contradictions: readonly Contradiction[] = [
  {
    answers: {system: 'own', boot: 'measured'},
    giveUp: 'boot',
    text: 'An operating system of your own and Trusted Boot exclude each other: only an image that Trireme builds and signs can be measured. Give up Trusted Boot and keep your operating system; giving up the operating system instead leads to appliance mode.',
  },
  {
    answers: {machines: 'existing', boot: 'measured'},
    giveUp: 'boot',
    text: 'Hosts that run already booted something else than an image that Trireme signed. Give up Trusted Boot, or empty the machines and boot our medium.',
  },
  {
    answers: {machines: 'api', boot: 'measured'},
    giveUp: 'boot',
    text: 'Machines that an API makes boot as their provider says, not measured by Trireme. Give up Trusted Boot.',
  },
  {
    answers: {system: 'provider', boot: 'measured'},
    giveUp: 'boot',
    text: "The provider's image isn't signed by you. Give up Trusted Boot, or let Trireme build the operating system.",
  },
  {
    answers: {machines: 'api', credentials: 'no'},
    giveUp: 'machines',
    text: 'Without credentials nobody can ask an API for machines. Give up having them made: make them yourself, and use them as hosts.',
  },
  {
    answers: {machines: 'existing', system: 'built'},
    giveUp: 'system',
    text: 'Hosts that run already keep the operating system that they have. Give up having one built.',
  },
  {
    answers: {machines: 'api', system: 'built'},
    giveUp: 'system',
    text: 'Machines that an API makes boot an image that the provider knows. Give up having Trireme build it; your own image can be given to the provider.',
  },
  {
    answers: {machines: 'medium', system: 'own'},
    giveUp: 'machines',
    text: 'A medium that Trireme builds brings its own operating system. Give up booting it: install yours, and use the machines as hosts.',
  },
  {
    answers: {machines: 'medium', system: 'provider'},
    giveUp: 'system',
    text: "A medium that Trireme builds brings its own operating system. Give up the provider's image.",
  },
  {
    answers: {machines: 'existing', patches: 'replace'},
    giveUp: 'patches',
    text: 'Nobody can replace hosts that you bring. Give up replacing: patch them in place.',
  },
  {
    answers: {system: 'own', patches: 'image'},
    giveUp: 'patches',
    text: 'Images in A/B slots are those that Trireme builds. Give them up: upgrade your operating system your own way.',
  },
  {
    answers: {system: 'built', patches: 'own-tools'},
    giveUp: 'patches',
    text: 'An operating system that Trireme builds is immutable. Give up patching it in place: a new image is its patch.',
  },
];
