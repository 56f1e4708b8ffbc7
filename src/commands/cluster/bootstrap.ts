import {Flags} from '@oclif/core';
import {resolve} from 'node:path';
import {stateFolder} from '../../kernel/folders.ts';
import {TriremeError} from '../../kernel/errors.ts';
import {rememberCluster} from '../../fleet/known-clusters.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {clusterFlags} from '../base-flags.ts';
import {askedByFlags, ProviderCommand, providerChoiceFlags, providerFlags, providerRunFlags, providerRunResult} from '../base-provider.ts';
import type {ResultOf} from '../base-results.ts';

const {kubeconfig: _, context: __, ...repositoryFlags} = providerFlags;

export default class ClusterBootstrap extends ProviderCommand<ResultOf<typeof providerRunResult>> {
  static override summary = 'Make a management cluster that manages itself, beginning from any cluster.';
  static override description =
    "One plan: install the providers into the bootstrap cluster (kind's, or one of agent mode), make the file's cluster from it, install the same providers there, and move the cluster's objects into it. Its kubeconfig is saved, and the file names it from then on. Run it again after a failure, from any computer: it goes on where it was.";
  static override examples = [
    '<%= config.bin %> cluster bootstrap --bootstrap-context kind-kind --infrastructure docker --dry-run',
    '<%= config.bin %> cluster bootstrap -f trireme.yaml --bootstrap-context kind-kind --infrastructure aws --yes',
    '<%= config.bin %> cluster bootstrap --bootstrap-kubeconfig ./seed --bootstrap-context seed --repository ./repository --class-file class.yaml',
  ];
  static override flags = {
    ...clusterFlags,
    'bootstrap-context': Flags.string({
      summary: 'Context of the cluster to begin from.',
      env: 'TRIREME_BOOTSTRAP_CONTEXT',
      helpValue: 'NAME',
      required: true,
    }),
    'bootstrap-kubeconfig': Flags.string({
      summary: 'Kubeconfig with that context; default: what kubectl uses.',
      env: 'TRIREME_BOOTSTRAP_KUBECONFIG',
      helpValue: 'FILE',
    }),
    'class-file': Flags.string({
      summary:
        "Manifest of the ClusterClass and its templates; default: the infrastructure provider's clusterclass-NAME.yaml. Unused where the class is there.",
      env: 'TRIREME_CLASS_FILE',
      helpValue: 'FILE',
    }),
    into: Flags.string({
      summary: "Where to save the new cluster's kubeconfig; default: NAME.kubeconfig beside its file.",
      env: 'TRIREME_INTO',
      helpValue: 'FILE',
    }),
    ...repositoryFlags,
    ...providerChoiceFlags,
    ...providerRunFlags,
  };
  static override resultSchema = () => providerRunResult;

  async run() {
    const {flags} = await this.parse(ClusterBootstrap);
    const {'bootstrap-kubeconfig': kubeconfig, 'bootstrap-context': context, 'class-file': classFile} = flags;
    const cluster = await this.readCluster(flags);
    const {name} = cluster.document.metadata;
    if (cluster.document.spec.mode !== 'controller')
      throw new TriremeError('mode.unsupported', `${name} is in ${cluster.document.spec.mode} mode: a cluster that manages itself is one of controller mode.`);
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', `Make ${name} from ${context}?`);
    const {prepareBootstrap, bootstrapParts} = await import('../../modes/controller/pivot/prepare.ts');
    const save = flags.into === undefined ? resolve(cluster.source.folder, `${name}.kubeconfig`) : resolve(flags.into);
    const prepared = await prepareBootstrap(
      {
        cluster,
        from: {context, ...(kubeconfig === undefined ? {} : {kubeconfig: resolve(kubeconfig)})},
        library: await this.openLibrary(flags),
        asked: askedByFlags(flags),
        prepare: this.prepareOptions(flags),
        save,
        ...(classFile === undefined ? {} : {classFile: resolve(classFile)}),
      },
      this.scopeOptions({}),
    );
    try {
      const {plan, scope} = prepared;
      for (const part of bootstrapParts) {
        const steps = plan.phases.filter(({title}) => title.startsWith(part)).reduce((sum, phase) => sum + phase.steps.length, 0);
        if (steps > 0) this.out.note(`${part}: ${steps} ${steps === 1 ? 'step' : 'steps'}`);
      }
      const {timeout: _each, ...rest} = flags;
      const shown = await this.present(
        {
          plan: plan as unknown as Plan<Scope>,
          cluster,
          scope,
          next: ['trireme plan', 'trireme status', `KUBECONFIG=${save} kubectl get clusters`],
          again: 'Run the same command again: it goes on where it was.',
        },
        // what follows a failure would stand on what isn't there
        {...rest, 'max-failures': 0},
      );
      if (shown.run?.outcome === 'succeeded') await this.#remember(flags);
      return shown;
    } finally {
      await prepared.scope.close();
    }
  }

  /** The file names the new management cluster now. */
  async #remember(flags: {readonly file?: readonly string[]; readonly cluster?: string}): Promise<void> {
    try {
      await rememberCluster(stateFolder(), await this.readCluster(flags));
    } catch (error) {
      this.out.warn({code: 'clusters.not-recorded', message: `The list of known clusters can't be written: ${(error as Error).message}`});
    }
  }
}
