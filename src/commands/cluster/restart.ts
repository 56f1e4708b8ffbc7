import {Args, Flags} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class ClusterRestart extends VerbCommand {
  static override summary = 'Replace machines by new ones of the same kind, one after the other.';
  static override description = 'Without --control-plane and --pool all of them are. The file is not changed: what is wanted stays the same.';
  static override examples = ['<%= config.bin %> cluster restart web --pool md-0 --wait', '<%= config.bin %> cluster restart --control-plane'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    'control-plane': Flags.boolean({summary: 'The control plane.', env: 'TRIREME_CONTROL_PLANE'}),
    pool: Flags.string({summary: 'Only this pool; repeatable.', env: 'TRIREME_POOL', multiple: true, multipleNonGreedy: true, helpValue: 'NAME'}),
    wait: waitFlag,
  };

  async run() {
    const {args, flags} = await this.parse(ClusterRestart);
    const intent: Extract<Intent, {verb: 'restart'}> = {
      verb: 'restart',
      at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(flags['control-plane'] ? {controlPlane: true} : {}),
      ...(flags.pool === undefined ? {} : {pools: flags.pool}),
    };
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    const {planRestart} = await import('../../modes/controller/verbs/restart.ts');
    return this.runOnObjects(target, flags, {intent, plan: (live) => planRestart(live, intent, {wait: flags.wait})});
  }
}
