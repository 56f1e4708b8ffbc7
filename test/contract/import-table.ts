// Who may import whom, as data. A room is a folder below src/ (a mode's folder for modes/), or a single file.

export interface RoomRule {
  /** Rooms (or single modules, `plan/effect`) that this room may import. Its own files always. */
  readonly may: readonly string[];
  /** Rooms of which only types may be imported. */
  readonly mayTypes?: readonly string[];
  /** Only by `import()`: whatever loads it must be able to do without. */
  readonly lazily?: readonly string[];
  /** The room is itself reached by `import()` only: its heavy packages may be imported at once. */
  readonly isLazy?: boolean;
  /** Packages. `*`: any. */
  readonly packages: readonly string[];
  /** What to do instead, for the complaint. */
  readonly instead: string;
}

const modeRooms = ['spec', 'plan', 'kernel'];

export const importTable: Readonly<Record<string, RoomRule>> = {
  kernel: {
    may: [],
    packages: [],
    instead: 'Nothing of the product is known here: pass what you need as a parameter, or move the code to the room that knows it.',
  },
  spec: {
    may: ['kernel'],
    packages: ['zod', 'yaml', 'semver'],
    instead: 'spec/ reads what is wanted and nothing else: what was seen belongs to facts, what to do to plan.',
  },
  plan: {may: ['kernel'], packages: [], instead: 'The engine runs any plan: let the mode bring steps that do it.'},
  ssh: {
    may: ['kernel'],
    mayTypes: ['spec'],
    packages: ['ssh2', 'ssh-config'],
    instead: 'ssh/ is transport: give it plain values, and let hosts/ or hostcluster/ give them meaning.',
  },
  kube: {
    may: ['kernel'],
    packages: ['yaml'],
    instead: 'kube/ speaks to the API without product meaning: put the meaning into layers/, hostcluster/ or a mode.',
  },
  bundle: {
    may: ['kernel'],
    mayTypes: ['spec'],
    packages: ['tar', 'yaml', 'zod', 'semver'],
    instead: 'bundle/ only knows content by digest: let the mode say what a cluster needs.',
  },
  hosts: {
    may: ['ssh', 'spec', 'kernel'],
    packages: [],
    instead: 'hosts/ sees and checks hosts; what is done to them belongs to hostcluster/ or a mode.',
  },
  layers: {may: ['kube', 'bundle', 'spec', 'plan', 'kernel'], packages: ['yaml'], instead: 'A layer only needs a cluster with a kubeconfig, in every mode.'},
  hostcluster: {
    may: ['layers', 'ssh', 'bundle', 'kube', 'spec', 'plan', 'kernel'],
    mayTypes: ['hosts', 'modes/mode', 'fleet'],
    packages: ['yaml', 'semver', 'age-encryption'],
    instead: 'What is special to one mode belongs to modes/; what is seen on a host to hosts/.',
  },
  agentd: {
    may: ['hostcluster/protocol', 'hostcluster/quorum', 'layers', 'plan', 'kube', 'kernel'],
    packages: ['yaml', 'tar'],
    instead: 'The agent runs alone on a host: no SSH, no screen, no file of the user. What both sides need belongs to hostcluster/protocol.',
  },
  'modes/mode': {may: [], mayTypes: ['spec', 'plan', 'kernel'], packages: [], instead: 'The seam is types only.'},
  'modes/registry': {
    may: ['modes/mode', 'spec', 'kernel'],
    mayTypes: ['plan'],
    lazily: ['modes/agent', 'modes/controller', 'modes/appliance'],
    packages: [],
    instead: 'Load a mode by import() when it is asked for.',
  },
  'modes/advisor': {may: ['kernel', 'spec'], packages: [], instead: 'The advisor turns answers into a mode; it looks at nothing.'},
  'modes/agent': {
    may: ['modes/mode', 'hostcluster', 'hosts', 'ssh', 'bundle', ...modeRooms],
    packages: [],
    instead: 'What the appliance needs too belongs to hostcluster/.',
  },
  'modes/controller': {
    may: ['modes/mode', 'layers', 'bundle', 'kube', ...modeRooms],
    mayTypes: ['fleet'],
    packages: ['yaml', 'semver', 'tar', 'zod', '@aws-sdk/client-sts', '@aws-sdk/client-iam', '@aws-sdk/client-ec2', '@aws-sdk/client-service-quotas'],
    instead: 'Modes never import each other: share by layers/ or kube/.',
  },
  'modes/appliance': {may: ['modes/mode', 'hostcluster', 'bundle', ...modeRooms], packages: [], instead: 'What agent mode needs too belongs to hostcluster/.'},
  fleet: {
    // runs on disk are rows and views, too
    may: ['modes/mode', 'plan/ledger', 'kernel'],
    mayTypes: ['spec'],
    packages: [],
    instead: 'Views are plain data: let the mode observe, and fill the store from what it says.',
  },
  actions: {
    may: ['fleet', 'plan/ledger', 'kernel'],
    mayTypes: ['modes/mode', 'plan'],
    packages: [],
    instead: 'An action is a row that names its command: let the command do the work, and start it by actions/own-program.',
  },
  output: {
    may: ['fleet', 'plan/effect', 'kernel'],
    mayTypes: ['plan', 'modes/mode'],
    packages: ['chalk', 'string-width', 'cli-truncate', 'yaml', '@oclif/core'],
    instead: 'Renderers get views: compute what is shown in fleet/ and hand it in.',
  },
  prompts: {
    may: ['spec', 'kernel'],
    packages: ['@inquirer/prompts'],
    instead: 'The wizard asks and returns data; what follows from the answers is decided elsewhere.',
  },
  ui: {
    may: ['actions', 'fleet', 'kernel', 'output/sanitize', 'output/wrap'],
    mayTypes: ['modes/mode'],
    packages: ['ink', 'react', 'fzf', 'string-width'],
    isLazy: true,
    instead: 'Screens read stores and send intents: put the work behind an intent.',
  },
  wizard: {
    may: ['modes/advisor', 'spec', 'kernel'],
    mayTypes: ['prompts'],
    lazily: ['ssh', 'hosts', 'kube', 'modes/controller'],
    packages: ['zod', 'yaml'],
    instead: 'The wizard says what is asked next and looks for defaults; asking is for prompts/, writing and applying for commands.',
  },
  doctor: {may: ['kernel'], packages: [], instead: 'The doctor looks at this computer only.'},
  settings: {may: ['kernel'], packages: ['conf'], instead: 'Settings are a few plain values.'},
  sandbox: {
    may: ['agentd', 'modes', 'hostcluster', 'hosts', 'ssh', 'bundle', 'kube', 'layers', 'fleet', 'output', 'spec', 'plan', 'kernel'],
    packages: ['*'],
    instead: 'The sandbox uses everything but screens and commands.',
  },
  commands: {
    may: [
      'output',
      'prompts',
      'wizard',
      'settings',
      'ui',
      'actions',
      'doctor',
      'sandbox',
      'fleet',
      'modes/registry',
      'modes/mode',
      'modes/advisor',
      'modes',
      'hostcluster',
      'hosts',
      'ssh',
      'bundle',
      'layers',
      'kube',
      'spec',
      'plan',
      'kernel',
    ],
    lazily: ['ui'],
    packages: ['@oclif/core', 'zod', 'yaml', 'semver'],
    instead: 'A command is a screen of glue: the agent program is reached through hostcluster/.',
  },
};

/** Heavy packages: nobody waits for them who doesn't need them. */
export const lazyPackages: readonly RegExp[] = [/^ink$/, /^react(\/|$)/, /^@inkjs\//, /^@aws-sdk\//, /^ssh2$/, /^@inquirer\//, /^conf$/, /^age-encryption$/];

/** Files that may write to the process's own streams and end it. The shims hold, as text, whole programs for simulated hosts. */
export const mayTouchProcess: readonly RegExp[] = [/^src\/output\//, /^src\/ui\/app\.tsx$/, /^src\/agentd\/main\.ts$/, /^src\/sandbox\/shims\.ts$/];
