import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {limitFlag, runFlags} from '../base-flags.ts';
import {hostVerbFlags, isOfHosts, VerbCommand} from '../base-verb.ts';

export default class AgentUpgrade extends VerbCommand {
  static override summary = "Bring the agents on the hosts to this program's version.";
  static override description =
    'The new agent is put beside the old one and started: on one host first, then on the others. One that does not stay up goes back to the version before by itself, and says so. Nothing of Kubernetes is touched; trireme apply does the same beside its other work.';
  static override examples = ['<%= config.bin %> agent upgrade --dry-run', '<%= config.bin %> agent upgrade --yes --limit h4'];
  static override flags = {...hostVerbFlags, limit: limitFlag, 'max-failures': runFlags['max-failures']};

  async run() {
    const {flags} = await this.parse(AgentUpgrade);
    const target = await this.resolveTarget(flags);
    if (!isOfHosts(target)) throw new TriremeError('mode.unsupported', 'There are agents on hosts of agent mode only.');
    const [{planAgentUpgrade}, {selectTargets}] = await Promise.all([import('../../hostcluster/agent-upgrade.ts'), import('../../hosts/inventory.ts')]);
    return this.runOnHosts<HostClusterFacts>(target, flags, {
      intent: {verb: 'agent-upgrade'},
      next: ['trireme agent status'],
      plan: async (cluster, facts, scope) => {
        const hosts = selectTargets((scope as unknown as AgentScope).targets, flags.limit).map((one) => one.host);
        return planAgentUpgrade(cluster, facts, {hosts}) as unknown as Plan<Scope>;
      },
    });
  }
}
