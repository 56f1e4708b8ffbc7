import {readFile} from 'node:fs/promises';
import {dirname, join, resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {z} from 'zod';
import {writeFileAtomic} from '../kernel/files.ts';
import {stateFolder} from '../kernel/folders.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {answersSchema, type Answers} from '../spec/answers.ts';
import {adviceAnswersOf, adviceFlags} from './base-advice.ts';
import {answerFlags} from './base-answers.ts';
import {managementFlags} from './base-flags.ts';
import {isThere, WizardCommand} from './base-wizard.ts';

const result = z.strictObject({file: z.string(), cluster: z.string(), files: z.array(z.string()), applied: z.boolean()});

export default class Init extends WizardCommand<z.infer<typeof result>> {
  static override summary = 'Write a trireme.yaml: asks what it needs to know, or takes flags, answers in a file, or a cluster that is there.';
  static override description =
    'In a terminal the wizard asks what no flag says, and in the end shows the plan and asks whether to apply it. Answers come from flags and, below them, from a file given with --from; every question has a flag. Without a terminal missing answers are all named at once (exit code 2). The file is checked before it is written, and never holds a secret.';
  static override examples = [
    '<%= config.bin %> init',
    '<%= config.bin %> init --resume',
    '<%= config.bin %> init --name berth --control-plane h1=10.0.0.11 --worker h2=10.0.0.12 --ssh-user ops --profile profile.yaml',
    '<%= config.bin %> init --name berth --mode controller --class in-memory --control-planes 3 --pool workers=default-worker:5',
    '<%= config.bin %> init --from-cluster berth --context management -n fleet',
    '<%= config.bin %> init --from answers.yaml --force',
    '<%= config.bin %> init --base house.yaml',
  ];
  static override flags = {
    file: Flags.string({char: 'f', summary: 'File to write.', env: 'TRIREME_FILE', default: 'trireme.yaml', helpValue: 'FILE'}),
    from: Flags.string({summary: 'Answers in YAML, each named as its flag in camel case.', env: 'TRIREME_FROM', helpValue: 'FILE'}),
    resume: Flags.boolean({summary: 'Go on with the questions that were left with Ctrl-C.', env: 'TRIREME_RESUME', exclusive: ['from-cluster']}),
    apply: Flags.boolean({
      summary: 'In the end plan and apply without asking; --no-apply only writes the file.',
      env: 'TRIREME_APPLY',
      allowNo: true,
    }),
    trust: Flags.boolean({summary: 'Record host keys that known_hosts does not know without asking; they are shown.', env: 'TRIREME_TRUST'}),
    force: Flags.boolean({summary: 'Overwrite a file that is there.', env: 'TRIREME_FORCE'}),
    ...answerFlags,
    'from-cluster': Flags.string({
      summary: 'Controller mode: write the file of a cluster that is there; the next plan is unchanged.',
      env: 'TRIREME_FROM_CLUSTER',
      helpValue: 'NAME',
      exclusive: ['from', 'name', 'class', 'template', 'pool', 'control-planes', 'variable', 'base'],
    }),
    ...managementFlags,
    ...adviceFlags,
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(Init);
    const fromCluster = flags['from-cluster'];
    if (fromCluster !== undefined) {
      await this.#requireFree(flags.file, flags.force);
      return this.#write(flags.file, {...(await this.#fromCluster(fromCluster, flags)), files: new Map()}, flags.apply === true ? 'apply' : 'stop');
    }
    const {answers, kept} = await this.#knownAnswers(flags);
    const isComplete = await this.#isComplete(answers);
    if ((isComplete && !flags.resume) || !this.out.terminal.canAsk || this.out.isForPrograms) {
      await this.#requireFree(flags.file, flags.force);
      const texts = await textsOf(answers, flags.file);
      if (flags.trust) await this.trustHosts(flags.file, answers);
      return this.#write(flags.file, texts, flags.apply === true ? 'apply' : 'stop', flags.force);
    }
    const done = await this.runWizard({
      file: flags.file,
      force: flags.force,
      trust: flags.trust,
      answers,
      advice: adviceAnswersOf(flags),
      resume: flags.resume,
      ...(kept === undefined ? {} : {kept}),
    });
    const [{flagsOf, shellWord}, {forgetSession}] = await Promise.all([import('../wizard/answers-of.ts'), import('../wizard/session.ts')]);
    const words = ['trireme', 'init', ...(done.file === 'trireme.yaml' ? [] : ['-f', done.file]), ...flagsOf(done.answers)];
    const forget = () => forgetSession(stateFolder(), resolve(flags.file));
    try {
      const then = flags.apply === undefined ? 'ask' : flags.apply ? 'apply' : 'stop';
      const written = await this.#write(done.file, await textsOf(done.answers, done.file), then, flags.force, () =>
        this.out.note(`${done.questions} questions. The same without any:\n  ${words.map(shellWord).join(' ')}`),
      );
      await forget();
      return written;
    } catch (error) {
      if (isTriremeError(error) && error.code === 'run.interrupted')
        throw new TriremeError('run.interrupted', `${done.file} is written; nothing was applied.`, {
          hints: ['trireme apply', 'trireme init --resume'],
          cause: error,
        });
      if (!isTriremeError(error) || error.code !== 'usage.invalid') await forget();
      throw error;
    }
  }

  async #requireFree(file: string, force: boolean): Promise<void> {
    if (force || !(await isThere(file))) return;
    throw new TriremeError('usage.invalid', `${file} is there already; it is left as it is.`, {
      hints: ['Overwrite it with --force, or write another one with -f FILE.'],
    });
  }

  /** Checks the text, writes it and what belongs beside it, and goes on to the plan. */
  async #write(
    file: string,
    {name, text, files}: Texts,
    then: 'stop' | 'ask' | 'apply',
    force = false,
    written: () => void = () => {},
  ): Promise<z.infer<typeof result>> {
    const {checkFiles} = await import('../spec/read.ts');
    const path = resolve(file);
    const beside = await this.#writeBeside(dirname(path), files, force);
    const checked = await checkFiles({files: ['-'], folder: dirname(path), stdin: async () => text});
    if (checked.complaints.length > 0) {
      const messages = checked.complaints.map(({message, hint}) => (hint === undefined ? message : `${message} ${hint}`));
      throw new TriremeError('usage.invalid', `These answers make no valid file.\n\n${messages.join('\n')}`, {details: {complaints: checked.complaints}});
    }
    for (const warning of checked.clusters.flatMap((cluster) => cluster.warnings))
      this.out.warn({...warning, message: warning.message.replace('<stdin>', file)});
    await writeFileAtomic(path, text);
    this.out.print(`Wrote ${[file, ...beside].join(', ')} for cluster ${name}.`);
    written();
    const done = {file, cluster: name, files: [file, ...beside], applied: false};
    if (then === 'stop') {
      this.out.note('Next: trireme validate, trireme preflight, trireme plan');
      return done;
    }
    return {...done, applied: await this.planAndApply(path, then === 'ask')};
  }

  /** Files of our own making; one that is there with another content is somebody's. */
  async #writeBeside(folder: string, files: ReadonlyMap<string, string>, force: boolean): Promise<readonly string[]> {
    for (const [path, content] of files) {
      const found = await readFile(join(folder, path), 'utf8').catch(() => undefined);
      if (found !== undefined && found !== content && !force)
        throw new TriremeError('usage.invalid', `${path} is there already, and differs from what would be written.`, {
          hints: [`Use it as it is: --profile FILE. Overwrite it: --force.`],
        });
    }
    for (const [path, content] of files) await writeFileAtomic(join(folder, path), content);
    return [...files.keys()];
  }

  /** From flags, over a file of answers, over the questions that were left. */
  async #knownAnswers(flags: InitFlags) {
    const [{readAnswers}, {advise}, {readSession}, {answersOf}] = await Promise.all([
      import('../spec/answers-file.ts'),
      import('../modes/advisor.ts'),
      import('../wizard/session.ts'),
      import('../wizard/answers-of.ts'),
    ]);
    const file = flags.file ?? 'trireme.yaml';
    const isAsking = this.out.terminal.canAsk && !this.out.isForPrograms;
    const session = flags['resume'] === true || isAsking ? await readSession(stateFolder(), resolve(file)) : undefined;
    if (flags['resume'] === true && session === undefined)
      throw new TriremeError('run.not-found', `There are no questions to go on with for ${file}.`, {hints: ['Begin anew: trireme init']});
    const answered = flags.from === undefined ? {} : await readAnswers(flags.from, resolve(flags.from));
    const known: Answers = {...(isAsking || session === undefined ? {} : answersOf(session.given)), ...answered, ...answersOfFlags(flags)};
    const advised = known.mode === undefined ? advise(adviceAnswersOf(flags)).usable : undefined;
    return {
      answers: {...known, ...(advised === undefined || isAsking ? {} : {mode: advised})},
      kept: session,
    };
  }

  async #isComplete(answers: Answers): Promise<boolean> {
    const {textOfAnswers} = await import('../spec/answers-file.ts');
    try {
      textOfAnswers(answers);
      return true;
    } catch (error) {
      if (isTriremeError(error) && error.code === 'usage.answer-required') return false;
      throw error;
    }
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

interface Texts {
  readonly name: string;
  readonly text: string;
  /** What belongs beside the file. */
  readonly files: ReadonlyMap<string, string>;
}

/** `file`: where they will lie, since paths in them begin there. */
async function textsOf(answers: Answers, file: string): Promise<Texts> {
  const [{textOfAnswers}, {networkFilesOf}, {readBase}] = await Promise.all([
    import('../spec/answers-file.ts'),
    import('../spec/pod-network.ts'),
    import('../spec/base-settings.ts'),
  ]);
  const base = await readBase(answers.base, dirname(resolve(file)), process.env);
  return {...textOfAnswers(answers, base), files: networkFilesOf(answers)};
}

type InitFlags = Partial<Record<'file' | 'from' | 'kubeconfig' | 'context' | 'namespace', string>> & Readonly<Record<string, unknown>>;

/** The flags that are answers, by their names there; without what wasn't given, so that it doesn't hide an answer of the file. */
function answersOfFlags(flags: InitFlags): Answers {
  return Object.fromEntries(
    Object.entries(flags)
      .map(([key, value]) => [key.replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()), value] as const)
      .filter(([key, value]) => value !== undefined && Object.hasOwn(answersSchema.shape, key)),
  );
}
