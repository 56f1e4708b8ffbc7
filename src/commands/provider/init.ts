import {Flags} from '@oclif/core';
import {askedByFlags, ProviderCommand, providerChoiceFlags, providerFlags, providerRunFlags, providerRunResult} from '../base-provider.ts';
import type {ResultOf} from '../base-results.ts';

export default class ProviderInit extends ProviderCommand<ResultOf<typeof providerRunResult>> {
  static override summary = 'Install Cluster API providers into a management cluster.';
  static override description =
    'Core, kubeadm bootstrap and kubeadm control plane are installed too, where none of their type is there. Reads clusterctl.yaml, and writes the inventory that clusterctl reads. Waits until controllers run and webhooks answer; ends with 7, naming the Deployment, when they do not. Run it again after a failure: what is done stays done.';
  static override examples = [
    '<%= config.bin %> provider init --infrastructure docker',
    '<%= config.bin %> provider init --infrastructure aws:v2.13.0 --dry-run',
    '<%= config.bin %> provider init --repository ./repository --infrastructure docker --yes',
    '<%= config.bin %> provider init --resume',
  ];
  static override flags = {
    ...providerFlags,
    ...providerRunFlags,
    ...providerChoiceFlags,
    resume: Flags.boolean({summary: 'Go on with the last run, which did not succeed, with the providers that it was for.', env: 'TRIREME_RESUME'}),
  };
  static override resultSchema = () => providerRunResult;

  async run() {
    const {flags} = await this.parse(ProviderInit);
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', 'Install the providers?');
    const [{prepareInit}, {subjectOf}, {askedByRun}] = await Promise.all([
      import('../../modes/controller/providers/prepare-init.ts'),
      import('../../modes/controller/providers/plan-init.ts'),
      import('../../modes/controller/providers/resume.ts'),
    ]);
    const library = await this.openLibrary(flags);
    return this.withApi(flags, async (scope) => {
      const unfinished = flags.resume ? await this.unfinishedRun(subjectOf(scope.api), 'provider init') : undefined;
      const plan = await prepareInit(
        scope.api,
        library,
        unfinished === undefined ? askedByFlags(flags) : askedByRun(unfinished.events),
        this.prepareOptions(flags),
      );
      return this.presentPlan(plan, scope, flags, unfinished?.header.run);
    });
  }
}
