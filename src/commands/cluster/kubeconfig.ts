import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import {kubeconfigPath, KubeconfigCommand} from '../base-kubeconfig.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  cluster: z.string(),
  context: z.string(),
  /** The kubeconfig itself, when it was printed rather than merged. Holds credentials. */
  kubeconfig: z.string().optional(),
  merged: z.strictObject({path: z.string(), changed: z.boolean(), backup: z.string().optional(), currentContext: z.string()}).optional(),
});

export default class ClusterKubeconfig extends KubeconfigCommand<ResultOf<typeof result>> {
  static override summary = "Print an administrator's kubeconfig, or merge it into yours.";
  static override description =
    'It is got afresh each time: from a control plane in agent mode, from the management cluster in controller mode. It is printed unless --merge or --into is given. Merging goes by name, keeps a backup, and switches the current context only when asked.';
  static override examples = [
    '<%= config.bin %> cluster kubeconfig > berth.kubeconfig',
    '<%= config.bin %> cluster kubeconfig --merge --switch',
    '<%= config.bin %> cluster kubeconfig berth --into ~/.kube/berth',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    merge: Flags.boolean({summary: 'Merge it into $KUBECONFIG, else ~/.kube/config.', env: 'TRIREME_MERGE'}),
    into: Flags.string({summary: 'Merge it into this file.', env: 'TRIREME_INTO', helpValue: 'FILE'}),
    'context-name': Flags.string({summary: "Name of cluster and context in it; default: the cluster's.", env: 'TRIREME_CONTEXT_NAME', helpValue: 'NAME'}),
    switch: Flags.boolean({summary: 'Make it the current context.', env: 'TRIREME_SWITCH'}),
    overwrite: Flags.boolean({summary: "Take the place of entries with our names that are another cluster's.", env: 'TRIREME_OVERWRITE'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterKubeconfig);
    const {nameKubeconfig, parseKubeconfig, renderKubeconfig, writeMergedKubeconfig} = await import('../../kube/kubeconfig.ts');
    const {cluster: clusterName, text} = await this.fetchKubeconfig(flags, args.cluster ?? flags.cluster);
    const context = flags['context-name'] ?? clusterName;
    const incoming = nameKubeconfig(parseKubeconfig(text, clusterName), context, clusterName);
    if (!flags.merge && flags.into === undefined) {
      const kubeconfig = renderKubeconfig(incoming);
      this.out.print(kubeconfig);
      return {cluster: clusterName, context, kubeconfig};
    }
    const path = flags.into ?? kubeconfigPath();
    const merged = await writeMergedKubeconfig(path, incoming, {overwrite: flags.overwrite, switchContext: flags.switch});
    this.out.note(
      `${merged.changed ? 'Merged into' : 'Already in'} ${path}${merged.backup === undefined ? '' : ` (before: ${merged.backup})`}. The current context is ${merged.currentContext || 'none'}.`,
    );
    return {cluster: clusterName, context, merged};
  }
}
