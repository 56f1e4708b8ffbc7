import {Args, Flags} from '@oclif/core';
import {forgetCluster} from '../../fleet/known-clusters.ts';
import {stateFolder} from '../../kernel/folders.ts';
import {verbFlags, VerbCommand, waitByDefaultFlag} from '../base-verb.ts';

export default class ClusterDelete extends VerbCommand {
  static override summary = 'Delete a cluster with all its machines.';
  static override description =
    'Only the Cluster object is deleted; Cluster API takes down workers, control plane and infrastructure. What is left, and what holds it, is shown until all is gone.';
  static override examples = ['<%= config.bin %> cluster delete web', '<%= config.bin %> cluster delete web --confirm web --timeout 30m'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    confirm: Flags.string({summary: "The cluster's name: the answer to the question beforehand.", env: 'TRIREME_CONFIRM', helpValue: 'NAME'}),
    wait: waitByDefaultFlag,
  };

  async run() {
    const {args, flags} = await this.parse(ClusterDelete);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (target.kind === 'file') await this.requireCapability(target.cluster, 'delete');
    const name = target.kind === 'live' ? target.name : target.cluster.document.metadata.name;
    const question = `${name} and all its machines are deleted, with all that runs on them.`;
    if (!flags['dry-run']) this.requireAnswer(flags.confirm !== undefined, '--confirm NAME', question);
    const {planDelete} = await import('../../modes/controller/verbs/delete.ts');
    const {renderPlan} = await import('../../output/plan-text.ts');
    return this.runOnObjects(
      target,
      // the typed name is the answer
      {...flags, yes: true},
      {
        intent: {verb: 'delete'},
        others: true,
        plan: (live) => planDelete(live, {wait: flags.wait}),
        ask: async (plan) => {
          if (flags.confirm === undefined) this.out.note(renderPlan(plan, {style: this.out.terminal.errorStyle}));
          await this.confirmName(name, flags.confirm, question);
        },
        next: [],
        after: async () => {
          if (!flags.wait) return;
          if (target.kind === 'file' && target.files.length > 0)
            this.out.note(`${target.files.join(', ')} still describes it: trireme apply would make it again.`);
          await forgetCluster(stateFolder(), name).catch(() => false); // the list only saves typing
        },
      },
    );
  }
}
