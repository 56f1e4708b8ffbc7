import {Args} from '@oclif/core';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {HostClusterScope} from '../../hostcluster/scope.ts';
import type {Intent, Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {isOfHosts, verbFlags, VerbCommand} from '../base-verb.ts';

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
    if (isOfHosts(target)) {
      const {lookAtHost, planNodeVerb} = await import('../../hostcluster/node-verbs.ts');
      return this.runOnHosts<HostClusterFacts>(target, flags, {
        intent,
        plan: async (cluster, facts, scope) => {
          const node = await lookAtHost(cluster, facts, scope as unknown as HostClusterScope, args.machine, this.signal);
          return planNodeVerb(cluster, facts, args.machine, node, {verb: 'uncordon'}) as unknown as Plan<Scope>;
        },
      });
    }
    const {planCordon, requireNode} = await import('../../modes/controller/verbs/drain.ts');
    const {lookAtNode} = await import('../../kube/node-pods.ts');
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
