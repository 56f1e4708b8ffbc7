import {Flags} from '@oclif/core';
import {wordOfType, type ProviderType} from '../../modes/controller/providers/provider.ts';
import {parseDuration} from '../base-flags.ts';
import {ProviderCommand, providerFlags, providerRunFlags, providerRunResult} from '../base-provider.ts';
import type {ResultOf} from '../base-results.ts';

const typeFlag = (type: ProviderType, more: string) => {
  const word = wordOfType(type);
  return Flags.string({
    summary: `${word.charAt(0).toUpperCase()}${word.slice(1)} provider; repeatable.${more}`,
    env: `TRIREME_${word.toUpperCase().replaceAll('-', '_')}`,
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'NAME[:VERSION]',
  });
};

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
    core: typeFlag('CoreProvider', ' Default: cluster-api.'),
    bootstrap: typeFlag('BootstrapProvider', ' Default: kubeadm; - for none.'),
    'control-plane': typeFlag('ControlPlaneProvider', ' Default: kubeadm; - for none.'),
    infrastructure: typeFlag('InfrastructureProvider', ''),
    ipam: typeFlag('IPAMProvider', ''),
    'runtime-extension': typeFlag('RuntimeExtensionProvider', ''),
    addon: typeFlag('AddonProvider', ''),
    'target-namespace': Flags.string({summary: "Namespace for the providers; default: each one's own.", env: 'TRIREME_TARGET_NAMESPACE', helpValue: 'NAME'}),
    resume: Flags.boolean({summary: 'Go on with the last run, which did not succeed, with the providers that it was for.', env: 'TRIREME_RESUME'}),
  };
  static override resultSchema = () => providerRunResult;

  async run() {
    const {flags} = await this.parse(ProviderInit);
    const timeout = flags.timeout === undefined ? {} : {timeout: parseDuration(flags.timeout, 'timeout')};
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', 'Install the providers?');
    const [{prepareInit}, {subjectOf}, {askedByRun}] = await Promise.all([
      import('../../modes/controller/providers/prepare-init.ts'),
      import('../../modes/controller/providers/plan-init.ts'),
      import('../../modes/controller/providers/resume.ts'),
    ]);
    const library = await this.openLibrary(flags);
    return this.withApi(flags, async (scope) => {
      const unfinished = flags.resume ? await this.unfinishedRun(subjectOf(scope.api), 'provider init') : undefined;
      const asked = {
        CoreProvider: flags.core,
        BootstrapProvider: flags.bootstrap,
        ControlPlaneProvider: flags['control-plane'],
        InfrastructureProvider: flags.infrastructure,
        IPAMProvider: flags.ipam,
        RuntimeExtensionProvider: flags['runtime-extension'],
        AddonProvider: flags.addon,
      };
      const plan = await prepareInit(scope.api, library, unfinished === undefined ? asked : askedByRun(unfinished.events), {
        ...timeout,
        ...(flags['target-namespace'] === undefined ? {} : {namespace: flags['target-namespace']}),
        ...(flags['webhook-certificates'] === undefined ? {} : {certificates: flags['webhook-certificates']}),
        hide: (secret) => this.redactor.add(secret),
        signal: this.signal,
        warn: (message) => this.out.warn({code: 'provider.contract-unknown', message}),
      });
      return this.presentPlan(plan, scope, flags, unfinished?.header.run);
    });
  }
}
