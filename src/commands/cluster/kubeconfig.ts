import {Args, Flags} from '@oclif/core';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {AgentFacts} from '../../modes/agent/facts.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import {ClusterCommand} from '../base-cluster.ts';
import {clusterFlags, concurrencyFlag} from '../base-flags.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  cluster: z.string(),
  context: z.string(),
  /** The kubeconfig itself, when it was printed rather than merged. Holds credentials. */
  kubeconfig: z.string().optional(),
  merged: z.strictObject({path: z.string(), changed: z.boolean(), backup: z.string().optional(), currentContext: z.string()}).optional(),
});

export default class ClusterKubeconfig extends ClusterCommand<ResultOf<typeof result>> {
  static override summary = "Print an administrator's kubeconfig, or merge it into yours.";
  static override description =
    'It is printed unless --merge or --into is given. Merging goes by name, keeps a backup, and switches the current context only when asked.';
  static override examples = [
    '<%= config.bin %> cluster kubeconfig > berth.kubeconfig',
    '<%= config.bin %> cluster kubeconfig --merge --switch',
    '<%= config.bin %> cluster kubeconfig berth --into ~/.kube/berth',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    merge: Flags.boolean({summary: 'Merge it into $KUBECONFIG, else ~/.kube/config.', env: 'TRIREME_MERGE'}),
    into: Flags.string({summary: 'Merge it into this file.', env: 'TRIREME_INTO', helpValue: 'FILE'}),
    context: Flags.string({summary: "Name of cluster and context in it; default: the cluster's.", env: 'TRIREME_CONTEXT', helpValue: 'NAME'}),
    switch: Flags.boolean({summary: 'Make it the current context.', env: 'TRIREME_SWITCH'}),
    overwrite: Flags.boolean({summary: "Take the place of entries with our names that are another cluster's.", env: 'TRIREME_OVERWRITE'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterKubeconfig);
    const name = args.cluster ?? flags.cluster;
    const cluster = await this.readCluster({...flags, ...(name === undefined ? {} : {cluster: name})});
    const {nameKubeconfig, parseKubeconfig, renderKubeconfig, writeMergedKubeconfig} = await import('../../kube/kubeconfig.ts');
    const {fetchClusterKubeconfig} = await import('../../modes/agent/agent-mode.ts');
    const text = await this.withScope(cluster, flags, async (mode, scope) => {
      if (mode.name !== 'agent') throw new TriremeError('mode.unsupported', `In ${mode.name} mode the kubeconfig comes from the management cluster.`);
      return fetchClusterKubeconfig(cluster, (await mode.facts(cluster, scope)) as AgentFacts, scope as AgentScope);
    });
    const clusterName = cluster.document.metadata.name;
    const context = flags.context ?? clusterName;
    const incoming = nameKubeconfig(parseKubeconfig(text, clusterName), context, clusterName);
    if (!flags.merge && flags.into === undefined) {
      const kubeconfig = renderKubeconfig(incoming);
      this.out.print(kubeconfig);
      return {cluster: clusterName, context, kubeconfig};
    }
    const path = flags.into ?? (process.env['KUBECONFIG'] || join(process.env['HOME'] || homedir(), '.kube', 'config')).split(delimiter)[0] ?? '';
    const merged = await writeMergedKubeconfig(path, incoming, {overwrite: flags.overwrite, switchContext: flags.switch});
    this.out.note(
      `${merged.changed ? 'Merged into' : 'Already in'} ${path}${merged.backup === undefined ? '' : ` (before: ${merged.backup})`}. The current context is ${merged.currentContext || 'none'}.`,
    );
    return {cluster: clusterName, context, merged};
  }
}
