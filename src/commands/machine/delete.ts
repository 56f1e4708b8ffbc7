import {Args} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class MachineDelete extends VerbCommand {
  static override summary = 'Delete a machine, and make its pool smaller by one.';
  static override description = 'The machine is marked to go first, then its pool is scaled: in the file where one is known, else on the live objects.';
  static override examples = ['<%= config.bin %> machine delete web-md-0-x7k2p --wait'];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {...verbFlags, wait: waitFlag};

  async run() {
    const {args, flags} = await this.parse(MachineDelete);
    const intent: Intent = {verb: 'machine-delete', machine: args.machine};
    const target = await this.resolveTarget(flags);
    const {pickVictim, planMachineDelete, poolWithout} = await import('../../modes/controller/verbs/machine.ts');
    const {smallerPoolEdits} = await import('../../modes/controller/verbs/file-edits.ts');
    return this.runOnFile(target, flags, {
      intent,
      wait: flags.wait,
      plan: (live) => planMachineDelete(live, args.machine, {wait: flags.wait}),
      edits: (cluster, live) => {
        const {pool, size} = poolWithout(live, args.machine);
        return smallerPoolEdits(cluster, pool.name, size);
      },
      first: (live) => [{title: 'Choose the machine', steps: [pickVictim(live, poolWithout(live, args.machine).machine)]}],
    });
  }
}
