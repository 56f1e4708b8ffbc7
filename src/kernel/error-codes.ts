// Every error code that Trireme can raise, with the exit code that it leads to. Codes are stable: scripts match on them.

/** What an exit code means, in the words of the help. */
export const exitCodes = {
  0: 'done, or already so',
  1: 'the work failed',
  2: 'wrong usage: a flag, an argument, or an answer is missing',
  3: 'the file is wrong',
  4: "a host or an API can't be reached",
  5: 'refused: credentials, permission, or the person said no',
  6: 'applied, but not healthy',
  7: 'a wait ran out',
  8: 'conflict: locked, moved, or owned by another',
  9: 'there is something to do (plan --exit-code)',
  10: 'preflight found errors',
  70: 'a bug of ours',
  130: 'interrupted',
} as const;

export type ExitCode = keyof typeof exitCodes;

interface CodeEntry {
  readonly exit: ExitCode;
  /** One sentence for the reference. */
  readonly meaning: string;
}

const table = {
  'bug.unexpected': {exit: 70, meaning: 'Something happened that the program does not provide for.'},
  'run.failed': {exit: 1, meaning: 'At least one step of the run failed.'},
  'run.interrupted': {exit: 130, meaning: 'The run was interrupted; finished steps are in the ledger.'},
  'run.unhealthy': {exit: 6, meaning: 'Everything was applied, but the cluster did not become healthy.'},
  'run.not-found': {exit: 2, meaning: 'No run has this name.'},
  'wait.timed-out': {exit: 7, meaning: 'A wait reached its deadline.'},
  'usage.invalid': {exit: 2, meaning: 'A flag or an argument is missing or wrong.'},
  'usage.answer-required': {exit: 2, meaning: 'A question has no answer and there is no terminal to ask on.'},
  'answer.refused': {exit: 5, meaning: 'The person said no.'},
  'file.not-found': {exit: 3, meaning: 'The file does not exist or cannot be read.'},
  'file.syntax': {exit: 3, meaning: 'The file is not YAML that can be read.'},
  'file.invalid': {exit: 3, meaning: 'The file breaks the schema or a lint rule.'},
  'plan.moved': {exit: 8, meaning: 'The world moved since the plan was saved.'},
  'plan.something-to-do': {exit: 9, meaning: 'The plan has changes (only with --exit-code).'},
  'plan.incompatible': {exit: 8, meaning: 'The saved plan was made by a version that this one does not read.'},
  'plan.refused': {exit: 3, meaning: 'What the file wants cannot be planned from the present state.'},
  'lock.held': {exit: 8, meaning: 'Another run holds the lock of this cluster.'},
  'ledger.damaged': {exit: 1, meaning: 'The record of a run cannot be read.'},
  'preflight.failed': {exit: 10, meaning: 'Preflight found errors.'},
  'exec.failed': {exit: 1, meaning: 'A program ended with a failure.'},
  'exec.not-found': {exit: 1, meaning: 'A program is not installed.'},
} as const satisfies Record<string, CodeEntry>;

const sshTable = {
  'host.unreachable': {exit: 4, meaning: 'The host does not answer over SSH.'},
  'host.name-unresolved': {exit: 4, meaning: "The host's name does not resolve to an address."},
  'host.port-closed': {exit: 4, meaning: 'The connection to the SSH port is refused.'},
  'host.key-unknown': {exit: 5, meaning: "The host's key is not in known_hosts."},
  'host.key-changed': {exit: 5, meaning: "The host's key differs from the recorded one."},
  'host.key-revoked': {exit: 5, meaning: "The host's key is marked @revoked."},
  'host.authentication-failed': {exit: 5, meaning: 'The host accepted none of the offered credentials.'},
  'host.passphrase-required': {exit: 2, meaning: 'A private key needs a passphrase and none was given.'},
  'host.sudo-password-required': {exit: 5, meaning: 'sudo asks for a password and none was given.'},
  'host.sudo-password-wrong': {exit: 5, meaning: 'sudo refused the password.'},
  'host.sudo-refused': {exit: 5, meaning: 'The user may not become root.'},
  'host.command-timed-out': {exit: 7, meaning: 'A command on the host ran past its deadline.'},
  'host.command-failed': {exit: 1, meaning: 'A command on the host failed.'},
  'host.connection-lost': {exit: 4, meaning: 'The SSH connection broke.'},
  'secret.missing': {exit: 2, meaning: 'A secret that the file names is not set, or its file cannot be read.'},
  'host.not-found': {exit: 2, meaning: 'No host of the file has this name.'},
  'host.systemd-missing': {exit: 1, meaning: "The host doesn't run systemd, which agent mode needs."},
  'host.architecture-unsupported': {exit: 1, meaning: "The host's processor architecture is none that agent mode knows."},
  'host.disk-full': {exit: 1, meaning: 'A file system is full: of the host that is named, else of this computer.'},
  'host.reset-incomplete': {exit: 1, meaning: 'Something of ours could not be taken off the host; each is named.'},
  'host.is-member': {exit: 8, meaning: 'The host is a member of a cluster, which it has to leave first.'},
  'host.facts-unreadable': {exit: 1, meaning: "The host's answer to the facts script cannot be understood."},
} as const satisfies Record<string, CodeEntry>;

const contentTable = {
  'bundle.not-found': {exit: 3, meaning: 'The bundle does not exist at this place.'},
  'bundle.damaged': {exit: 1, meaning: 'A blob of the bundle does not have its digest.'},
  'bundle.incomplete': {exit: 3, meaning: 'The bundle lacks content that this cluster needs.'},
  'bundle.source-failed': {exit: 4, meaning: 'A source of content cannot be reached or answers with an error.'},
  'bundle.digest-mismatch': {exit: 1, meaning: 'Downloaded content does not have the digest that is published or locked.'},
  'bundle.source-refused': {exit: 5, meaning: 'A source of content refuses the credentials, or wants some.'},
  'bundle.version-unsupported': {exit: 3, meaning: 'It is not known which content this version of Kubernetes needs.'},
  'bundle.lock-invalid': {exit: 3, meaning: 'The lock file of versions and digests cannot be read.'},
  'bundle.cache-failed': {exit: 1, meaning: 'The cache of downloaded content cannot be written or read.'},
  'agent.not-installed': {exit: 4, meaning: 'No agent is installed on the host.'},
  'agent.not-answering': {exit: 4, meaning: 'The agent on the host does not answer.'},
  'agent.incompatible': {exit: 8, meaning: 'The agent on the host and this program speak different protocols.'},
  'agent.failed': {exit: 1, meaning: 'A reconciler of the agent gave up.'},
  'agent.fell-back': {exit: 1, meaning: 'A new version of the agent did not stay up, and the one before runs again.'},
  'agent.runtime-missing': {exit: 1, meaning: "No Node runtime is at hand for the host's architecture."},
  'cluster.not-found': {exit: 2, meaning: 'No cluster has this name.'},
  'cluster.foreign': {exit: 8, meaning: 'The host belongs to another cluster.'},
  'cluster.not-made': {exit: 1, meaning: 'The cluster does not exist yet.'},
  'kubeconfig.invalid': {exit: 3, meaning: 'The kubeconfig cannot be read.'},
  'kubeconfig.conflict': {exit: 8, meaning: "The kubeconfig has entries of the same names that are another cluster's."},
  'kubeconfig.locked': {exit: 8, meaning: 'Another program is changing the kubeconfig.'},
  'mode.unsupported': {exit: 2, meaning: 'This mode cannot do that; the message says why.'},
  'settings.invalid': {exit: 2, meaning: 'A setting has a name or a value that is not known.'},
} as const satisfies Record<string, CodeEntry>;

const apiTable = {
  'api.unreachable': {exit: 4, meaning: 'The Kubernetes API does not answer.'},
  'api.unauthorized': {exit: 5, meaning: 'The Kubernetes API does not accept the credentials.'},
  'api.forbidden': {exit: 5, meaning: 'The user may not do that in the Kubernetes API; verb, resource and namespace are named.'},
  'api.invalid': {exit: 3, meaning: 'The Kubernetes API refuses an object as invalid; the fields are named.'},
  'api.conflict': {exit: 8, meaning: 'An object was changed in between, or its field is owned by another manager, who is named.'},
  'api.not-found': {exit: 1, meaning: 'The object is not there.'},
  'api.kind-unknown': {exit: 1, meaning: 'The API does not serve this kind: its provider is not installed.'},
  'api.failed': {exit: 1, meaning: 'The Kubernetes API answers with an error.'},
  'file.not-editable': {exit: 3, meaning: 'The value cannot be changed in the file without touching more than itself; the message says why.'},
  'file.changed': {exit: 8, meaning: 'The file was changed by somebody else between reading and writing it.'},
  'pool.not-found': {exit: 2, meaning: 'No pool of the cluster has this name.'},
  'machine.not-found': {exit: 2, meaning: 'No machine of the cluster has this name.'},
  'drain.blocked': {exit: 7, meaning: 'Pods did not leave the node within the deadline; each is named with what holds it.'},
} as const satisfies Record<string, CodeEntry>;

const backupTable = {
  'backup.failed': {exit: 1, meaning: "The cluster's data cannot be copied."},
  'backup.damaged': {exit: 1, meaning: 'The backup is cut, changed, or no backup of this program; nothing was touched.'},
  'backup.passphrase-wrong': {exit: 5, meaning: 'The passphrase or the identity does not open the backup.'},
  'backup.incompatible': {exit: 8, meaning: 'The backup does not fit the file, or was written in a form that this version does not read.'},
} as const satisfies Record<string, CodeEntry>;

const providerTable = {
  'provider.unknown': {exit: 2, meaning: 'No repository is known for a Cluster API provider of this name.'},
  'provider.version-unknown': {exit: 2, meaning: "The provider's repository does not have this version."},
  'provider.repository-invalid': {exit: 3, meaning: "A provider's repository, or a file in it, is not as Cluster API's contract wants it."},
  'provider.repository-unreachable': {exit: 4, meaning: "A provider's repository cannot be reached."},
  'provider.variable-missing': {exit: 3, meaning: "Variables of a provider's components have no value; all of them are named."},
  'provider.incompatible': {exit: 3, meaning: 'A provider does not fit the core provider, its contract, or what is installed; nothing was written.'},
  'provider.conflict': {exit: 8, meaning: 'The provider is installed already, in another version or namespace.'},
  'provider.not-installed': {exit: 2, meaning: 'The provider is not installed in the management cluster.'},
  'provider.certificates-missing': {exit: 1, meaning: 'Nothing issues the certificates of webhooks: cert-manager is neither there nor to be installed.'},
  'cloud.refused': {exit: 5, meaning: 'The cloud does not accept the credentials.'},
  'cloud.unreachable': {exit: 4, meaning: 'The cloud does not answer.'},
} as const satisfies Record<string, CodeEntry>;

export const errorCodes = {...table, ...sshTable, ...contentTable, ...apiTable, ...backupTable, ...providerTable};

export type ErrorCode = keyof typeof errorCodes;
