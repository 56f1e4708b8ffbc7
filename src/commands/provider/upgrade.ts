import {Args, Flags} from '@oclif/core';
import {parseDuration} from '../base-flags.ts';
import {ProviderCommand, providerFlags, providerRunFlags, providerRunResult} from '../base-provider.ts';
import type {ResultOf} from '../base-results.ts';

export default class ProviderUpgrade extends ProviderCommand<ResultOf<typeof providerRunResult>> {
  static override summary = 'Upgrade Cluster API providers, within one contract and in their order.';
  static override description =
    'Without names, everything that has something newer (provider list shows it), and cert-manager where it is ours. Old controllers are stopped first; workload clusters go on running meanwhile. CRDs and what is kept in them stay. Refuses what would leave objects behind in versions that nobody reads.';
  static override examples = [
    '<%= config.bin %> provider upgrade',
    '<%= config.bin %> provider upgrade --dry-run',
    '<%= config.bin %> provider upgrade cluster-api:v1.14.2 bootstrap-kubeadm:v1.14.2 control-plane-kubeadm:v1.14.2',
  ];
  static override strict = false;
  static override args = {provider: Args.string({description: 'LABEL or LABEL:VERSION, such as infrastructure-aws:v2.13.0; repeatable.', ignoreStdin: true})};
  static override flags = {
    ...providerFlags,
    ...providerRunFlags,
    resume: Flags.boolean({summary: 'Go on with the last upgrade, which did not succeed.', env: 'TRIREME_RESUME'}),
  };
  static override resultSchema = () => providerRunResult;

  async run() {
    const {flags, argv} = await this.parse(ProviderUpgrade);
    const timeout = flags.timeout === undefined ? {} : {timeout: parseDuration(flags.timeout, 'timeout')};
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', 'Upgrade the providers?');
    const [{prepareUpgrade}, {subjectOf}, {labelsOfRun}] = await Promise.all([
      import('../../modes/controller/providers/prepare-upgrade.ts'),
      import('../../modes/controller/providers/plan-init.ts'),
      import('../../modes/controller/providers/resume.ts'),
    ]);
    const library = await this.openLibrary(flags);
    return this.withApi(flags, async (scope) => {
      const unfinished = flags.resume ? await this.unfinishedRun(subjectOf(scope.api), 'provider upgrade') : undefined;
      const plan = await prepareUpgrade(scope.api, library, unfinished === undefined ? argv.map(String) : labelsOfRun(unfinished.events), {
        ...timeout,
        ...(flags['webhook-certificates'] === undefined ? {} : {certificates: flags['webhook-certificates']}),
        hide: (secret) => this.redactor.add(secret),
        signal: this.signal,
        warn: (message) => this.out.warn({code: 'provider.contract-unknown', message}),
      });
      return this.presentPlan(plan, scope, flags, unfinished?.header.run);
    });
  }
}
