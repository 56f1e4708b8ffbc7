import {Args} from '@oclif/core';
import {parseDuration} from '../base-flags.ts';
import {verbFlags, VerbCommand, waitByDefaultFlag} from '../base-verb.ts';

/** How long the confirmation is waited for when --timeout doesn't say. */
const confirmation = '2m';

export default class ClusterPause extends VerbCommand {
  static override summary = 'Keep Cluster API from working on a cluster.';
  static override description = 'Ends when every object of the cluster confirms it; those that have not are named.';
  static override examples = ['<%= config.bin %> cluster pause', '<%= config.bin %> cluster pause web --context prod -n fleet'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {...verbFlags, wait: waitByDefaultFlag};

  async run() {
    const {args, flags} = await this.parse(ClusterPause);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    const {planPause} = await import('../../modes/controller/verbs/pause.ts');
    return this.runOnObjects(target, flags, {
      intent: {verb: 'pause'},
      plan: (live) => planPause(live, 'pause', {wait: flags.wait, deadline: parseDuration(flags.timeout ?? confirmation, 'timeout')}),
    });
  }
}
