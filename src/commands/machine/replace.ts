import {Args} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class MachineReplace extends VerbCommand {
  static override summary = 'Have a new machine made for this one.';
  static override description =
    'The Machine object is deleted; its owner makes a new one. The last control plane, or one whose loss would cost etcd its majority, is refused.';
  static override examples = ['<%= config.bin %> machine replace web-md-0-x7k2p --wait'];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {...verbFlags, wait: waitFlag};

  async run() {
    const {args, flags} = await this.parse(MachineReplace);
    const intent: Intent = {verb: 'machine-replace', machine: args.machine};
    const target = await this.resolveTarget(flags);
    const {planReplace} = await import('../../modes/controller/verbs/machine.ts');
    return this.runOnObjects(target, flags, {intent, plan: (live) => planReplace(live, args.machine, {wait: flags.wait})});
  }
}
