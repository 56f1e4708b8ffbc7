// Which cluster a command means, and the way to it: a file's, a known one, or one that is only known by its objects in a management cluster.
import {access} from 'node:fs/promises';
import {homedir} from 'node:os';
import {delimiter, join, resolve} from 'node:path';
import {stateFolder} from '../kernel/folders.ts';
import {TriremeError} from '../kernel/errors.ts';
import {chooseTarget, type TargetChoice} from '../fleet/choose-target.ts';
import {listKnownClusters, type KnownCluster, type KnownPlace} from '../fleet/known-clusters.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {ScopeOptions, Scope} from '../modes/mode.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {ClusterDocument} from '../spec/schema.ts';
import {looksAtOnce} from './base-flags.ts';
import {ClusterCommand, defaultFile, type AnyMode, type ClusterFlags, type ScopeFlags} from './base-cluster.ts';

export interface PlaceFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export interface TargetFlags extends ClusterFlags, PlaceFlags {}

export type ClusterTarget =
  | {
      readonly kind: 'file';
      readonly cluster: DesiredCluster;
      /** Where the wanted state is written; absolute, empty for standard input. */
      readonly files: readonly string[];
    }
  /** No file is known; the cluster's objects are all there is. */
  | {readonly kind: 'live'; readonly name: string; readonly reference: KnownPlace};

export type OpenTarget =
  | {readonly kind: 'file'; readonly cluster: DesiredCluster; readonly mode: AnyMode; readonly scope: Scope; readonly files: readonly string[]}
  | {readonly kind: 'live'; readonly name: string; readonly scope: ControllerScope};

export abstract class TargetCommand<R> extends ClusterCommand<R> {
  /** Finds the cluster that is meant; `name` is the argument, else -c. Nothing is connected yet. Throws `usage.invalid`, `cluster.not-found`, `file.*`. */
  protected async resolveTarget(flags: TargetFlags, name: string | undefined = flags.cluster): Promise<ClusterTarget> {
    const choice = await this.#choose(flags, name);
    if (choice.kind === 'live') return {kind: 'live', name: choice.name, reference: choice.place};
    const read = await this.readCluster({file: choice.files, ...(choice.name === undefined ? {} : {cluster: choice.name})});
    const files = read.source.files.filter((file) => file !== '-' && file !== '<stdin>').map((file) => resolve(file));
    return {kind: 'file', cluster: this.withPlace(read, flags), files};
  }

  /** Opens the way to the target, does the work, and closes it whatever happens. */
  protected async withTarget<T>(target: ClusterTarget, flags: ScopeFlags, work: (opened: OpenTarget) => Promise<T>): Promise<T> {
    if (target.kind === 'file')
      return this.withScope(target.cluster, flags, (mode, scope) => work({kind: 'file', cluster: target.cluster, mode, scope, files: target.files}));
    const {ControllerScope} = await import('../modes/controller/scope.ts');
    const scope = await ControllerScope.open(target.reference, this.scopeOptions(flags));
    try {
      return await work({kind: 'live', name: target.name, scope});
    } finally {
      await scope.close();
    }
  }

  /** As `withTarget`, for what only a management cluster can do; in another mode throws `mode.unsupported` with the mode's own reason. */
  protected async withManagement<T>(
    target: ClusterTarget,
    flags: ScopeFlags,
    verb: string,
    work: (scope: ControllerScope, name: string) => Promise<T>,
  ): Promise<T> {
    if (target.kind === 'file') await this.requireCapability(target.cluster, verb);
    return this.withTarget(target, flags, (opened) =>
      opened.kind === 'live' ? work(opened.scope, opened.name) : work(opened.scope as ControllerScope, opened.cluster.document.metadata.name),
    );
  }

  /** Throws `mode.unsupported`, with the mode's reason, when it can't do the verb. */
  protected async requireCapability(cluster: DesiredCluster, verb: string): Promise<void> {
    const {modeFor} = await import('../modes/registry.ts');
    const mode = await modeFor(cluster);
    const capability = mode.capabilities[verb];
    if (capability?.supported === true) return;
    const why = capability?.reason ?? `${mode.name} mode doesn't know this verb`;
    throw new TriremeError('mode.unsupported', `${cluster.document.metadata.name} is in ${mode.name} mode, which can't ${verb} yet: ${why}.`);
  }

  /** What a scope needs of this command. */
  protected scopeOptions(flags: ScopeFlags): ScopeOptions {
    const askSecret = this.askSecret;
    return {
      signal: this.signal,
      redactor: this.redactor,
      concurrency: looksAtOnce(flags.concurrency, this.settings.concurrency),
      breakLock: flags['break-lock'] ?? false,
      ...(askSecret === undefined ? {} : {askSecret}),
      warn: (message) => this.out.warn({code: 'facts.incomplete', message}),
    };
  }

  async #choose(flags: TargetFlags, name: string | undefined): Promise<TargetChoice> {
    const isHere = flags.file === undefined && (await exists(defaultFile));
    return chooseTarget(
      {
        ...(name === undefined ? {} : {name}),
        ...(flags.file === undefined ? {} : {files: flags.file}),
        place: {
          ...(flags.kubeconfig === undefined ? {} : {kubeconfig: resolve(flags.kubeconfig)}),
          ...(flags.context === undefined ? {} : {context: flags.context}),
          ...(flags.namespace === undefined ? {} : {namespace: flags.namespace}),
        },
      },
      {
        ...(isHere ? {defaultFile} : {}),
        here: isHere ? await clustersIn(defaultFile) : [],
        known: await listKnownClusters(stateFolder()),
        hasKubeconfig: await hasKubeconfig(),
      },
    );
  }

  /** Flags fill in what the file leaves open; what contradicts it is refused, because a verb must not work on another cluster than the file's. */
  protected withPlace(cluster: DesiredCluster, flags: PlaceFlags): DesiredCluster {
    const {metadata, spec} = cluster.document;
    const given = (['kubeconfig', 'context', 'namespace'] as const).filter((flag) => flags[flag] !== undefined);
    if (given.length === 0) return cluster;
    if (spec.mode !== 'controller') {
      this.out.warn({
        code: 'usage.no-meaning',
        message: `--${given.join(', --')} ${given.length === 1 ? 'names' : 'name'} a management cluster, and ${metadata.name} is in ${spec.mode} mode: not used.`,
      });
      return cluster;
    }
    const said = placeIn(cluster.document, cluster.source.folder);
    const wanted = {...flags, ...(flags.kubeconfig === undefined ? {} : {kubeconfig: resolve(flags.kubeconfig)})};
    for (const flag of given) {
      if (said[flag] !== undefined && said[flag] !== wanted[flag])
        throw new TriremeError('usage.invalid', `--${flag} is ${wanted[flag]}, and the file of ${metadata.name} says ${said[flag]}.`, {
          hints: [`Leave --${flag} out, or change spec.controller.${flag} in ${cluster.source.files.join(', ')}`],
        });
    }
    const controller = {
      ...spec.controller,
      ...(wanted.kubeconfig === undefined ? {} : {kubeconfig: wanted.kubeconfig}),
      ...(wanted.context === undefined ? {} : {context: wanted.context}),
    } as NonNullable<typeof spec.controller>;
    return {...cluster, document: {...cluster.document, spec: {...spec, controller}}};
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

function placeIn(document: ClusterDocument, folder: string): KnownPlace {
  const {kubeconfig, context, namespace = 'default'} = document.spec.controller ?? {};
  return {...(kubeconfig === undefined ? {} : {kubeconfig: resolve(folder, kubeconfig)}), ...(context === undefined ? {} : {context}), namespace};
}

/** What is wrong with the file is said when it's read for good. */
async function clustersIn(file: string): Promise<readonly KnownCluster[]> {
  const {readSpecFiles} = await import('../spec/read.ts');
  const {documents} = await readSpecFiles([file], {folder: process.cwd()});
  return documents.flatMap((document) => {
    if (document.kind !== 'Cluster') return [];
    const content = document.content as ClusterDocument | undefined;
    const place = content?.spec.mode === 'controller' ? placeIn(content, document.yaml.source.folder) : {};
    return [{name: document.name, mode: content?.spec.mode ?? '', files: [file], digest: '', hosts: [], ...place}];
  });
}

async function hasKubeconfig(): Promise<boolean> {
  const named = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const paths = named.length > 0 ? named : [join(process.env['HOME'] || homedir(), '.kube', 'config')];
  const found = await Promise.all(paths.map(exists));
  return found.includes(true) || process.env['KUBERNETES_SERVICE_HOST'] !== undefined;
}
