import {Args} from '@oclif/core';
import type {Intent} from '../../modes/mode.ts';
import {verbFlags, VerbCommand} from '../base-verb.ts';

export default class MachineUncordon extends VerbCommand {
  static override summary = "Let pods come to a machine's node again.";
  static override description = "It is done through the workload cluster's API, with the kubeconfig that Cluster API keeps.";
  static override examples = ['<%= config.bin %> machine uncordon web-md-0-x7k2p'];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {...verbFlags};

  async run() {
    const {args, flags} = await this.parse(MachineUncordon);
    const intent: Intent = {verb: 'machine-uncordon', machine: args.machine};
    const target = await this.resolveTarget(flags);
    const {planCordon, requireNode} = await import('../../modes/controller/verbs/drain.ts');
    const {lookAtNode} = await import('../../modes/controller/verbs/drain-facts.ts');
    const {withWorkload} = await import('../../modes/controller/workload.ts');
    return this.runOnObjects(target, flags, {
      intent,
      plan: async (live, scope) => {
        const {node} = requireNode(live, args.machine);
        const facts = await withWorkload(scope, live.name, (api) => lookAtNode(api, node, this.signal));
        return planCordon(live, args.machine, facts, 'uncordon');
      },
    });
  }
}
