import {Args, Flags} from '@oclif/core';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {HostClusterScope} from '../../hostcluster/scope.ts';
import type {Intent, Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {isOfHosts, verbFlags, VerbCommand, waitFlag} from '../base-verb.ts';

export default class MachineReplace extends VerbCommand {
  static override summary = 'Have a new machine made for this one, or a host join again as new.';
  static override description =
    'In controller mode the Machine object is deleted, and its owner makes a new one. In agent mode the host is drained, taken out of the cluster, reset, and joins again as new; one that is not reached is only taken out. The last control plane, or one whose loss would cost etcd its majority, is refused.';
  static override examples = ['<%= config.bin %> machine replace web-md-0-x7k2p --wait', '<%= config.bin %> machine replace h3 --confirm h3'];
  static override args = {machine: Args.string({description: 'Name of the machine, of its node, or of the host.', required: true, ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    confirm: Flags.string({summary: "Agent mode: the host's name, the answer to the question beforehand.", env: 'TRIREME_CONFIRM', helpValue: 'HOST'}),
    wait: waitFlag,
  };

  async run() {
    const {args, flags} = await this.parse(MachineReplace);
    const intent: Intent = {verb: 'machine-replace', machine: args.machine};
    const target = await this.resolveTarget(flags);
    if (isOfHosts(target)) {
      const {askControlPlanes} = await import('../../hostcluster/observe.ts');
      const {planReplace: planReplaceHost} = await import('../../hostcluster/replace.ts');
      return this.runOnHosts<HostClusterFacts>(target, flags, {
        intent,
        confirm: {
          name: args.machine,
          given: flags.confirm,
          what: `${args.machine} is taken out of ${target.cluster.document.metadata.name} with all that is on it, and joins again as new.`,
        },
        plan: async (cluster, facts, scope) => {
          // who is in etcd, and answers, is asked at this moment
          const told = await askControlPlanes(cluster, without(facts, args.machine), scope as unknown as HostClusterScope);
          const known = told === undefined ? facts : {...facts, told};
          return planReplaceHost(cluster, known, args.machine, {mode: target.cluster.document.spec.mode}) as unknown as Plan<Scope>;
        },
      });
    }
    const {planReplace} = await import('../../modes/controller/verbs/machine.ts');
    return this.runOnObjects(target, flags, {intent, plan: (live) => planReplace(live, args.machine, {wait: flags.wait})});
  }
}

/** The host itself isn't asked about its own leaving. */
function without(facts: HostClusterFacts, host: string): Pick<HostClusterFacts, 'hosts'> {
  return {hosts: facts.hosts.filter((one) => one.host !== host)};
}
