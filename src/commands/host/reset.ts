import {Args, Flags} from '@oclif/core';
import {TriremeError} from '../../kernel/errors.ts';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {clusterFlags, concurrencyFlag, runFlags} from '../base-flags.ts';
import {isOfHosts, VerbCommand} from '../base-verb.ts';

export default class HostReset extends VerbCommand {
  static override summary = 'Take everything of ours off a host.';
  static override description =
    'The agent, Kubernetes, containers, their data, mounts, interfaces and firewall rules go; what was there before stays, and so do logs: what is kept on purpose is listed. A member of a cluster is refused: it has to leave first, by the file or by machine replace. With --force and its typed name it is reset all the same.';
  static override examples = ['<%= config.bin %> host reset h3', '<%= config.bin %> host reset h3 --force --confirm h3'];
  static override args = {host: Args.string({description: "Host's name in the file.", required: true, ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    yes: runFlags.yes,
    'dry-run': runFlags['dry-run'],
    'break-lock': runFlags['break-lock'],
    timeout: runFlags.timeout,
    concurrency: concurrencyFlag,
    force: Flags.boolean({summary: 'Reset a member of a cluster, too, or a host of another cluster. Its name is asked for.', env: 'TRIREME_FORCE'}),
    confirm: Flags.string({summary: "With --force: the host's name, the answer to the question beforehand.", env: 'TRIREME_CONFIRM', helpValue: 'HOST'}),
  };

  async run() {
    const {args, flags} = await this.parse(HostReset);
    const target = await this.resolveTarget(flags);
    if (!isOfHosts(target)) throw new TriremeError('mode.unsupported', 'Only hosts that we log in to can be reset; machines of other modes are replaced.');
    const {planReset} = await import('../../hostcluster/take-apart.ts');
    return this.runOnHosts<HostClusterFacts>(target, flags, {
      plan: async (cluster, facts) => planReset(cluster, facts, [args.host], {mode: cluster.document.spec.mode, force: flags.force}) as unknown as Plan<Scope>,
      isRemovalAsked: true,
      ...(flags.force ? {confirm: {name: args.host, given: flags.confirm, what: `${args.host} is reset, whatever it is a member of.`}} : {}),
      next: [],
    });
  }
}
