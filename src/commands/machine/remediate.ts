import {Args} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class MachineRemediate extends VerbCommand {
  static override summary = 'Mark a machine as sick, so that its health check has it replaced.';
  static override description = "A machine that no health check looks after is refused: it would stay as it is. There's machine replace for it.";
  static override examples = [
    '<%= config.bin %> machine remediate web-md-0-x7k2p --wait',
    '<%= config.bin %> machine remediate web-md-0-x7k2p -c web --context prod -n fleet',
  ];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {...verbFlags, wait: waitFlag};

  async run() {
    const {args, flags} = await this.parse(MachineRemediate);
    const intent: Intent = {verb: 'machine-remediate', machine: args.machine};
    const target = await this.resolveTarget(flags);
    const {planRemediate} = await import('../../modes/controller/verbs/machine.ts');
    return this.runOnObjects(target, flags, {intent, plan: (live) => planRemediate(live, args.machine, {wait: flags.wait})});
  }
}
