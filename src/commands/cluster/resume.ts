import {Args} from '@oclif/core';
import {parseDuration} from '../base-flags.ts';
import {verbFlags, VerbCommand, waitByDefaultFlag} from '../base-verb.ts';

/** How long the confirmation is waited for when --timeout doesn't say. */
const confirmation = '2m';

export default class ClusterResume extends VerbCommand {
  static override summary = 'Let Cluster API work on a paused cluster again.';
  static override description = 'Ends when every object of the cluster confirms it; those that have not are named.';
  static override examples = ['<%= config.bin %> cluster resume', '<%= config.bin %> cluster resume web --context prod -n fleet'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {...verbFlags, wait: waitByDefaultFlag};

  async run() {
    const {args, flags} = await this.parse(ClusterResume);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    const {planPause} = await import('../../modes/controller/verbs/pause.ts');
    return this.runOnObjects(target, flags, {
      intent: {verb: 'resume'},
      plan: (live) => planPause(live, 'resume', {wait: flags.wait, deadline: parseDuration(flags.timeout ?? confirmation, 'timeout')}),
    });
  }
}
