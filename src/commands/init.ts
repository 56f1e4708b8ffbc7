import {access} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {z} from 'zod';
import {writeFileAtomic} from '../kernel/files.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {Answers} from '../spec/answers.ts';
import {TargetCommand} from './base-target.ts';
import {managementFlags} from './base-flags.ts';

const result = z.strictObject({file: z.string(), cluster: z.string()});
const list = {multiple: true, multipleNonGreedy: true} as const;

export default class Init extends TargetCommand<z.infer<typeof result>> {
  static override summary = 'Write a trireme.yaml from answers, or from a cluster that is there.';
  static override description =
    'Answers come from flags and, below them, from a file given with --from. Missing ones are all named at once. The file is checked before it is written.';
  static override examples = [
    '<%= config.bin %> init --name berth --control-plane h1=10.0.0.11 --worker h2=10.0.0.12 --ssh-user ops --profile profile.yaml',
    '<%= config.bin %> init --name berth --mode controller --class in-memory --control-planes 3 --pool workers=default-worker:5',
    '<%= config.bin %> init --from-cluster berth --context management -n fleet',
    '<%= config.bin %> init --from answers.yaml --force',
  ];
  static override flags = {
    file: Flags.string({char: 'f', summary: 'File to write.', env: 'TRIREME_FILE', default: 'trireme.yaml', helpValue: 'FILE'}),
    from: Flags.string({summary: 'Answers in YAML, each named as its flag in camel case.', env: 'TRIREME_FROM', helpValue: 'FILE'}),
    force: Flags.boolean({summary: 'Overwrite a file that is there.', env: 'TRIREME_FORCE'}),
    name: Flags.string({summary: 'Name of the cluster.', env: 'TRIREME_NAME'}),
    mode: Flags.option({summary: 'How the machines come into being.', env: 'TRIREME_MODE', options: ['controller', 'agent', 'appliance'] as const})(),
    'kubernetes-version': Flags.string({summary: 'Version of Kubernetes.', env: 'TRIREME_KUBERNETES_VERSION', helpValue: 'VERSION'}),
    'control-plane': Flags.string({...list, summary: 'A control plane; repeatable.', env: 'TRIREME_CONTROL_PLANE', helpValue: 'NAME=ADDRESS'}),
    worker: Flags.string({...list, summary: 'A worker; repeatable.', env: 'TRIREME_WORKER', helpValue: 'NAME=ADDRESS'}),
    endpoint: Flags.string({
      summary: 'Where the Kubernetes API is reached; default: the only control plane.',
      env: 'TRIREME_ENDPOINT',
      helpValue: 'HOST[:PORT]',
    }),
    pods: Flags.string({...list, summary: 'Network of the pods; a second one for dual-stack.', env: 'TRIREME_PODS', helpValue: 'CIDR'}),
    services: Flags.string({...list, summary: 'Network of the services; a second one for dual-stack.', env: 'TRIREME_SERVICES', helpValue: 'CIDR'}),
    'ssh-user': Flags.string({summary: 'Login name on the hosts.', env: 'TRIREME_SSH_USER', helpValue: 'USER'}),
    'ssh-port': Flags.integer({summary: 'Port of the SSH server.', env: 'TRIREME_SSH_PORT', min: 1, max: 65_535, helpValue: 'PORT'}),
    'identity-file': Flags.string({summary: 'Private key for SSH.', env: 'TRIREME_IDENTITY_FILE', helpValue: 'FILE'}),
    jump: Flags.string({...list, summary: 'Jump host; repeatable, in order.', env: 'TRIREME_JUMP', helpValue: '[USER@]HOST[:PORT]'}),
    'sudo-password-env': Flags.string({
      summary: "Environment variable with sudo's password.",
      env: 'TRIREME_SUDO_PASSWORD_ENV',
      helpValue: 'NAME',
      exclusive: ['sudo-password-file'],
    }),
    'sudo-password-file': Flags.string({summary: "File with sudo's password.", env: 'TRIREME_SUDO_PASSWORD_FILE', helpValue: 'FILE'}),
    profile: Flags.string({summary: 'File of the ClusterProfile.', env: 'TRIREME_PROFILE', helpValue: 'FILE'}),
    bundle: Flags.string({summary: 'Bundle with the content for the hosts.', env: 'TRIREME_BUNDLE', helpValue: 'PATH'}),
    'from-cluster': Flags.string({
      summary: 'Controller mode: write the file of a cluster that is there; the next plan is unchanged.',
      env: 'TRIREME_FROM_CLUSTER',
      helpValue: 'NAME',
      exclusive: ['from', 'name', 'class', 'template', 'pool', 'control-planes', 'variable'],
    }),
    class: Flags.string({summary: 'Controller mode: name of the ClusterClass.', env: 'TRIREME_CLASS', helpValue: 'NAME'}),
    template: Flags.string({
      summary: "Controller mode: file of a provider's cluster template.",
      env: 'TRIREME_TEMPLATE',
      helpValue: 'FILE',
      exclusive: ['class'],
    }),
    'control-planes': Flags.integer({summary: 'Controller mode: how many control planes.', env: 'TRIREME_CONTROL_PLANES', min: 0, helpValue: 'NUMBER'}),
    pool: Flags.string({...list, summary: 'Controller mode: a pool of workers; repeatable.', env: 'TRIREME_POOL', helpValue: 'NAME=CLASS:REPLICAS'}),
    variable: Flags.string({
      ...list,
      summary: 'Controller mode: a variable of the class or template; repeatable.',
      env: 'TRIREME_VARIABLE',
      helpValue: 'NAME=VALUE',
    }),
    ...managementFlags,
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(Init);
    const {checkFiles} = await import('../spec/read.ts');
    const path = resolve(flags.file);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists && !flags.force)
      throw new TriremeError('usage.invalid', `${flags.file} is there already; it is left as it is.`, {
        hints: ['Overwrite it with --force, or write another one with -f FILE.'],
      });
    const fromCluster = flags['from-cluster'];
    const {name, text} = fromCluster === undefined ? await this.#fromAnswers(flags) : await this.#fromCluster(fromCluster, flags);
    const checked = await checkFiles({files: ['-'], folder: dirname(path), stdin: async () => text});
    if (checked.complaints.length > 0) {
      const messages = checked.complaints.map(({message, hint}) => (hint === undefined ? message : `${message} ${hint}`));
      throw new TriremeError('usage.invalid', `These answers make no valid file.\n\n${messages.join('\n')}`, {details: {complaints: checked.complaints}});
    }
    for (const warning of checked.clusters.flatMap((cluster) => cluster.warnings))
      this.out.warn({...warning, message: warning.message.replace('<stdin>', flags.file)});
    await writeFileAtomic(path, text);
    this.out.print(`Wrote ${flags.file} for cluster ${name}.`);
    this.out.note('Next: trireme validate, trireme preflight, trireme plan');
    return {file: flags.file, cluster: name};
  }

  async #fromAnswers(flags: InitFlags): Promise<{readonly name: string; readonly text: string}> {
    const {readAnswers, textOfAnswers} = await import('../spec/answers-file.ts');
    const answered = flags.from === undefined ? {} : await readAnswers(flags.from, resolve(flags.from));
    return textOfAnswers({...answered, ...answersOf(flags)});
  }

  async #fromCluster(name: string, flags: InitFlags): Promise<{readonly name: string; readonly text: string}> {
    const [{ControllerScope}, {readExisting}, {renderControllerFile}] = await Promise.all([
      import('../modes/controller/scope.ts'),
      import('../modes/controller/topology/read-existing.ts'),
      import('../spec/controller-file.ts'),
    ]);
    const {kubeconfig, context, namespace} = flags;
    const reference = {
      ...(kubeconfig === undefined ? {} : {kubeconfig: resolve(kubeconfig)}),
      ...(context === undefined ? {} : {context}),
      ...(namespace === undefined ? {} : {namespace}),
    };
    const scope = await ControllerScope.open(reference, this.scopeOptions({}));
    try {
      const {file, notes} = await readExisting(scope, name, reference);
      for (const message of notes) this.out.warn({code: 'fields.left-alone', message});
      return {name, text: renderControllerFile(file)};
    } finally {
      await scope.close();
    }
  }
}

type InitFlags = Partial<Record<'from' | 'kubeconfig' | 'context' | 'namespace', string>> & Readonly<Record<string, unknown>>;

/** The flags that are answers, by their names there; without what wasn't given, so that it doesn't hide an answer of the file. */
function answersOf(flags: InitFlags): Answers {
  const notAnswers = new Set(['file', 'from', 'force', 'from-cluster', 'output', 'quiet', 'verbose', 'no-color', 'ascii', 'json']);
  return Object.fromEntries(
    Object.entries(flags)
      .filter(([key, value]) => value !== undefined && !notAnswers.has(key))
      .map(([key, value]) => [key.replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()), value]),
  );
}
