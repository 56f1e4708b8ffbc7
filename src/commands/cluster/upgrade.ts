import {Args, Flags} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {TriremeError} from '../../kernel/errors.ts';
import {limitFlag, runFlags} from '../base-flags.ts';
import {isOfHosts, verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class ClusterUpgrade extends VerbCommand {
  static override summary = 'Bring a cluster to another version of Kubernetes.';
  static override description =
    "What can't be done is refused before anything is written: a downgrade, a skipped minor (in controller mode unless the class lists the versions between), an upgrade while another isn't done. In agent mode every host gets its content before the first one is touched; control planes go one by one, workers by rollout.maxUnavailable, each drained before and uncordoned after.";
  static override examples = [
    '<%= config.bin %> cluster upgrade --to v1.36.3 --dry-run',
    '<%= config.bin %> cluster upgrade web --to v1.36.3 --wait --timeout 1h',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    to: Flags.string({summary: 'The version, such as v1.36.3.', env: 'TRIREME_TO', helpValue: 'VERSION', required: true}),
    wait: waitFlag,
    limit: limitFlag,
    'max-failures': runFlags['max-failures'],
  };

  async run() {
    const {args, flags} = await this.parse(ClusterUpgrade);
    const to = flags.to.startsWith('v') ? flags.to : `v${flags.to}`;
    const intent: Extract<Intent, {verb: 'upgrade'}> = {verb: 'upgrade', to};
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (isOfHosts(target)) {
      const {hostUpgradeEdits} = await import('../../hostcluster/file-edits.ts');
      return this.runOnHostsFile(target, flags, {
        intent,
        operation: 'upgrade',
        edits: hostUpgradeEdits(to),
        ...(flags.limit === undefined ? {} : {limit: flags.limit}),
      });
    }
    if (flags.limit !== undefined)
      throw new TriremeError('usage.invalid', '--limit chooses hosts; in controller mode the cluster is upgraded as a whole.', {hints: ['Leave --limit out.']});
    const {planUpgrade} = await import('../../modes/controller/verbs/upgrade.ts');
    const {upgradeEdits} = await import('../../modes/controller/verbs/file-edits.ts');
    return this.runOnFile(target, flags, {
      intent,
      wait: flags.wait,
      plan: (live) => planUpgrade(live, intent, {wait: flags.wait}),
      edits: () => upgradeEdits(to),
    });
  }
}
