// What the wizard learns of a management cluster: the kubeconfig's contexts, the ClusterClasses, and the typed variables of a class. Only reads.
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {delimiter, join, resolve} from 'node:path';
import {parse} from 'yaml';
import {problemOf, type Problem} from '../kernel/problem.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {Answers} from '../spec/answers.ts';

export interface ContextFact {
  readonly name: string;
  readonly namespace: string;
  readonly isCurrent: boolean;
}

export interface VariableFact {
  readonly name: string;
  readonly description: string | undefined;
  readonly required: boolean;
  /** In words: `a whole number`. */
  readonly type: string | undefined;
  readonly default: unknown;
  /** When only some values are allowed. */
  readonly choices: readonly string[] | undefined;
  /** What is wrong with a value as it is typed; undefined when it fits. */
  check(text: string): string | undefined;
  /** The value as the flag --variable has it after the sign. */
  written(text: string): string;
}

export interface ClassFact {
  readonly name: string;
  /** Classes of its workers. */
  readonly workers: readonly string[];
  readonly variables: readonly VariableFact[];
  /** Empty: any. */
  readonly kubernetesVersions: readonly string[];
}

export interface ManagementFactsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly redactor: Redactor;
}

export class ManagementLooks {
  readonly #options: ManagementFactsOptions;
  readonly #classes = new Map<string, Promise<readonly ClassFact[] | Problem>>();

  constructor(options: ManagementFactsOptions) {
    this.#options = options;
  }

  /** Contexts of the kubeconfigs that kubectl reads, or of the named one; none where there is no file. */
  async contexts(kubeconfig: string | undefined): Promise<readonly ContextFact[]> {
    const {parseKubeconfig} = await import('../kube/kubeconfig.ts');
    const {env} = this.#options;
    const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
    const paths =
      kubeconfig !== undefined ? [resolve(this.#options.folder, kubeconfig)] : named.length > 0 ? named : [join(env['HOME'] || homedir(), '.kube/config')];
    const configs = await Promise.all(
      paths.map(async (path) => {
        try {
          return parseKubeconfig(await readFile(path, 'utf8'), path);
        } catch {
          return undefined;
        }
      }),
    );
    const known = configs.filter((config) => config !== undefined);
    const current = known.map((config) => config['current-context']).find((name) => name !== undefined && name !== '');
    const contexts = known.flatMap((config) => config.contexts);
    return [...new Map(contexts.toReversed().map((one) => [one.name, one])).values()].toReversed().map(({name, context}) => ({
      name,
      namespace: (context as {readonly namespace?: string}).namespace ?? 'default',
      isCurrent: name === current,
    }));
  }

  /** The ClusterClasses of the namespace, or why they can't be read. */
  classes({kubeconfig, context, namespace = 'default'}: Answers): Promise<readonly ClassFact[] | Problem> {
    const key = JSON.stringify([kubeconfig, context, namespace]);
    const known = this.#classes.get(key) ?? this.#readClasses({kubeconfig, context, namespace});
    this.#classes.set(key, known);
    // what can't be read is tried anew
    void known.then((classes) => 'code' in classes && this.#classes.delete(key));
    return known;
  }

  async #readClasses({
    kubeconfig,
    context,
    namespace,
  }: {
    readonly kubeconfig: string | undefined;
    readonly context: string | undefined;
    readonly namespace: string;
  }) {
    const [{connect}, {coreResource}, {readClass}, {valueProblems}] = await Promise.all([
      import('../kube/client.ts'),
      import('../modes/controller/topology/gather.ts'),
      import('../modes/controller/topology/cluster-class.ts'),
      import('../modes/controller/topology/value-schema.ts'),
    ]);
    const {signal, redactor, folder} = this.#options;
    try {
      const api = await connect({
        ...(kubeconfig === undefined ? {} : {kubeconfig: resolve(folder, kubeconfig)}),
        ...(context === undefined ? {} : {context}),
        signal,
        redactor,
        warn: () => {},
      });
      try {
        const {items} = await api.list((await coreResource(api)).classes, {namespace, signal});
        return items.map(readClass).map(({name, workers, variables, kubernetesVersions}) => ({
          name,
          workers: workers.map((worker) => worker.class),
          kubernetesVersions,
          variables: variables.map((variable): VariableFact => variableFact(variable, valueProblems)),
        }));
      } finally {
        api.close();
      }
    } catch (error) {
      signal.throwIfAborted();
      return problemOf(error);
    }
  }
}

interface ReadVariable {
  readonly name: string;
  readonly required: boolean;
  readonly schema: {readonly type?: string; readonly description?: string; readonly default?: unknown; readonly enum?: readonly unknown[]};
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list, as [a, b]',
  object: 'a map, as {key: value}',
};

function variableFact(
  {name, required, schema}: ReadVariable,
  problems: (
    value: unknown,
    schema: ReadVariable['schema'],
  ) => readonly {readonly path: readonly (string | number)[]; readonly message: string; readonly hint?: string}[],
): VariableFact {
  const valueOf = (text: string): unknown => {
    if (schema.type === 'string') return text;
    try {
      return parse(text) as unknown;
    } catch {
      return text;
    }
  };
  return {
    name,
    description: schema.description,
    required: required && schema.default === undefined,
    type: typeWords[schema.type ?? ''],
    default: schema.default,
    choices: schema.enum === undefined ? (schema.type === 'boolean' ? ['true', 'false'] : undefined) : schema.enum.map(String),
    check: (text) => {
      const [first] = problems(valueOf(text), schema);
      if (first === undefined) return undefined;
      const where = first.path.length === 0 ? name : `${name}.${first.path.join('.')}`;
      return [`${where} ${first.message}.`, ...(first.hint === undefined ? [] : [first.hint])].join(' ');
    },
    // the flag's value is read as YAML: text that would be read as something else is quoted
    written: (text) => (schema.type === 'string' && yamlOf(text) !== text ? JSON.stringify(text) : text),
  };
}

function yamlOf(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined;
  }
}
