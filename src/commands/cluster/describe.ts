import {Args} from '@oclif/core';
import {renderClusterTree} from '../../output/cluster-text.ts';
import {ClusterCommand} from '../base-cluster.ts';
import {clusterFlags, concurrencyFlag} from '../base-flags.ts';
import {clusterViewResult, type ResultOf} from '../base-results.ts';

export default class ClusterDescribe extends ClusterCommand<ResultOf<typeof clusterViewResult>> {
  static override summary = 'Show everything of a cluster as a tree.';
  static override examples = ['<%= config.bin %> cluster describe', '<%= config.bin %> cluster describe berth -o yaml'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {...clusterFlags, concurrency: concurrencyFlag};
  static override resultSchema = () => clusterViewResult;

  async run() {
    const {args, flags} = await this.parse(ClusterDescribe);
    const name = args.cluster ?? flags.cluster;
    const cluster = await this.readCluster({...flags, ...(name === undefined ? {} : {cluster: name})});
    return this.withScope(cluster, flags, async (mode, scope) => {
      const view = await mode.observe(cluster, await mode.facts(cluster, scope), scope);
      this.out.print(this.out.format === 'name' ? view.machines.map((machine) => machine.name).join('\n') : renderClusterTree(view, this.out.style));
      return view;
    });
  }
}
