import {Args, Flags} from '@oclif/core';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {HostClusterScope} from '../../hostcluster/scope.ts';
import type {Intent, Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {parseDuration} from '../base-flags.ts';
import {isOfHosts, verbFlags, VerbCommand} from '../base-verb.ts';

export default class MachineDrain extends VerbCommand {
  static override summary = "Move the pods off a machine's node.";
  static override description =
    'The node is cordoned, and each pod evicted, which keeps PodDisruptionBudgets. What has not left when time is up is named, with what holds it.';
  static override examples = [
    '<%= config.bin %> machine drain web-md-0-x7k2p',
    '<%= config.bin %> machine drain web-md-0-x7k2p --delete-emptydir-data --drain-timeout 30m',
  ];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    force: Flags.boolean({summary: 'Evict pods, too, that nobody makes again.', env: 'TRIREME_FORCE'}),
    'delete-emptydir-data': Flags.boolean({summary: 'Evict pods, too, whose data in an emptyDir is lost.', env: 'TRIREME_DELETE_EMPTYDIR_DATA'}),
    'drain-timeout': Flags.string({summary: 'How long the pods are given to leave.', env: 'TRIREME_DRAIN_TIMEOUT', helpValue: 'DURATION', default: '10m'}),
  };

  async run() {
    const {args, flags} = await this.parse(MachineDrain);
    const intent: Intent = {verb: 'machine-drain', machine: args.machine};
    const target = await this.resolveTarget(flags);
    const choice = {force: flags.force, deleteEmptyDirData: flags['delete-emptydir-data'], deadline: parseDuration(flags['drain-timeout'], 'drain-timeout')};
    if (isOfHosts(target)) {
      const {lookAtHost, planNodeVerb} = await import('../../hostcluster/node-verbs.ts');
      return this.runOnHosts<HostClusterFacts>(target, flags, {
        intent,
        next: [`trireme machine uncordon ${args.machine}`],
        plan: async (cluster, facts, scope) => {
          const node = await lookAtHost(cluster, facts, scope as unknown as HostClusterScope, args.machine, this.signal);
          return planNodeVerb(cluster, facts, args.machine, node, {verb: 'drain', drain: choice}) as unknown as Plan<Scope>;
        },
      });
    }
    const {planDrain, requireNode} = await import('../../modes/controller/verbs/drain.ts');
    const {lookAtNode} = await import('../../kube/node-pods.ts');
    const {withWorkload} = await import('../../modes/controller/workload.ts');
    return this.runOnObjects(target, flags, {
      intent,
      plan: async (live, scope) => {
        const {node} = requireNode(live, args.machine);
        const facts = await withWorkload(scope, live.name, (api) => lookAtNode(api, node, this.signal));
        return planDrain(live, args.machine, facts, choice);
      },
      next: [`trireme machine uncordon ${args.machine}`],
    });
  }
}
