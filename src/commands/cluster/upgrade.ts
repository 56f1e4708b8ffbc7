import {Args, Flags} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class ClusterUpgrade extends VerbCommand {
  static override summary = 'Bring a cluster to another version of Kubernetes.';
  static override description =
    "What Cluster API would refuse is refused before anything is written: a downgrade, a skipped minor (unless the class lists the versions between), an upgrade while another isn't done.";
  static override examples = [
    '<%= config.bin %> cluster upgrade --to v1.36.3 --dry-run',
    '<%= config.bin %> cluster upgrade web --to v1.36.3 --wait --timeout 1h',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    to: Flags.string({summary: 'The version, such as v1.36.3.', env: 'TRIREME_TO', helpValue: 'VERSION', required: true}),
    wait: waitFlag,
  };

  async run() {
    const {args, flags} = await this.parse(ClusterUpgrade);
    const to = flags.to.startsWith('v') ? flags.to : `v${flags.to}`;
    const intent: Extract<Intent, {verb: 'upgrade'}> = {verb: 'upgrade', to};
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
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
