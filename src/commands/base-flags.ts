// Flags that several commands share. Every flag has an environment variable, TRIREME_ and its name.
import {Flags} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {outputFormats, type OutputFormat} from '../output/present.ts';

const unitMs = {s: 1000, m: 60_000, h: 3_600_000} as const;

/** `90s`, `10m`, `1h` in ms. */
export function parseDuration(text: string, flag: string): number {
  const match = /^(\d+)(s|m|h)$/.exec(text);
  if (match === null) throw new TriremeError('usage.invalid', `--${flag} takes a duration such as 90s, 10m or 1h, not ${text}.`);
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/** The -o flag with the formats that a command offers. */
export function outputFlag(formats: readonly OutputFormat[] = outputFormats.filter((format) => format !== 'junit')) {
  return Flags.option({
    char: 'o',
    summary: 'How to print the result.',
    env: 'TRIREME_OUTPUT',
    options: formats,
    default: 'text' as OutputFormat,
    helpGroup: 'GLOBAL',
  })();
}

/** Accepted by every command. */
export const globalFlags = {
  output: outputFlag(),
  quiet: Flags.boolean({char: 'q', summary: 'Say nothing but results and errors.', env: 'TRIREME_QUIET', helpGroup: 'GLOBAL'}),
  verbose: Flags.boolean({char: 'v', summary: 'Say more: output of steps, causes of errors.', env: 'TRIREME_VERBOSE', helpGroup: 'GLOBAL'}),
  'no-color': Flags.boolean({summary: 'Use no colours (NO_COLOR does the same).', env: 'TRIREME_NO_COLOR', helpGroup: 'GLOBAL'}),
  ascii: Flags.boolean({summary: 'Use ASCII symbols only.', env: 'TRIREME_ASCII', helpGroup: 'GLOBAL'}),
};

/** Which cluster of which files. */
export const clusterFlags = {
  file: Flags.string({
    char: 'f',
    summary: 'File to read, - for standard input; repeatable. Default: trireme.yaml here.',
    env: 'TRIREME_FILE',
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'FILE',
  }),
  cluster: Flags.string({char: 'c', summary: 'Name of the cluster, when the files hold several.', env: 'TRIREME_CLUSTER', helpValue: 'NAME'}),
};

/** Which management cluster, and where in it: kubectl's names. */
export const managementFlags = {
  kubeconfig: Flags.string({
    summary: "Kubeconfig of the management cluster; default: the file's, else what kubectl uses.",
    env: 'TRIREME_KUBECONFIG',
    helpValue: 'FILE',
    helpGroup: 'MANAGEMENT CLUSTER',
  }),
  context: Flags.string({
    summary: "Context of that kubeconfig; default: the file's, else the current one.",
    env: 'TRIREME_CONTEXT',
    helpValue: 'NAME',
    helpGroup: 'MANAGEMENT CLUSTER',
  }),
  namespace: Flags.string({
    char: 'n',
    summary: "Namespace in the management cluster; default: the file's, else the context's.",
    env: 'TRIREME_NAMESPACE',
    helpValue: 'NAME',
    helpGroup: 'MANAGEMENT CLUSTER',
  }),
};

/** For lists: clusters of every namespace. */
export const allNamespacesFlag = Flags.boolean({
  char: 'A',
  summary: 'All namespaces of the management cluster.',
  env: 'TRIREME_ALL_NAMESPACES',
  exclusive: ['namespace'],
  helpGroup: 'MANAGEMENT CLUSTER',
});

/** Looking changes nothing and is mostly waiting, so more hosts are looked at together than are worked on; who says a number means it. */
export const looksAtOnce = (flag: number | undefined, setting: number): number => flag ?? Math.max(setting, 64);

/** How many hosts at once. */
export const concurrencyFlag = Flags.integer({
  summary: 'How many hosts are worked on at once; default: the setting, or 16. Looking at them, without this, goes to 64 at once.',
  env: 'TRIREME_CONCURRENCY',
  min: 1,
  max: 1000,
});

/** Only some hosts. */
export const limitFlag = Flags.string({
  summary: 'Only hosts with this name or label (key=value); repeatable.',
  env: 'TRIREME_LIMIT',
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'NAME|KEY=VALUE',
});

/** kubectl's name for it. */
export const takeOverFlag = Flags.boolean({
  summary: "Controller mode: take fields that other managers own, where the file wants another value. A GitOps tool's are left alone all the same.",
  env: 'TRIREME_FORCE_CONFLICTS',
  default: false,
});

/** Answers the question beforehand. */
export const yesFlag = Flags.boolean({char: 'y', summary: "Don't ask; the answer is yes.", env: 'TRIREME_YES'});

/** Hosts that leave are asked for by name. */
export const confirmHostsFlag = Flags.string({
  summary: 'Name of a host that is taken out or reset: the answer to the question beforehand; repeatable.',
  env: 'TRIREME_CONFIRM',
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'HOST',
});

/** Of every command that runs a plan. */
export const runFlags = {
  yes: yesFlag,
  'dry-run': Flags.boolean({summary: 'Show the plan and stop.', env: 'TRIREME_DRY_RUN'}),
  'max-failures': Flags.integer({
    summary: 'Begin nothing more when more hosts than this have failed.',
    env: 'TRIREME_MAX_FAILURES',
    min: 0,
    helpValue: 'NUMBER',
  }),
  'break-lock': Flags.boolean({summary: "Take the cluster's lock from whoever holds it.", env: 'TRIREME_BREAK_LOCK'}),
  timeout: Flags.string({
    summary: 'Stop the run after this time, and wait for slow hosts that long: 90s, 10m, 1h.',
    env: 'TRIREME_TIMEOUT',
    helpValue: 'DURATION',
  }),
};
