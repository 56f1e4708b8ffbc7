import {Flags} from '@oclif/core';
import {stateFolder} from '../../kernel/folders.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {HostClusterScope} from '../../hostcluster/scope.ts';
import {shellQuote} from '../../hostcluster/shell.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {limitFlag, runFlags} from '../base-flags.ts';
import {scriptOf} from '../base-script.ts';
import {hostVerbFlags, isOfHosts, VerbCommand} from '../base-verb.ts';

const reboots = ['auto', 'always', 'never'] as const;

export default class HostMaintain extends VerbCommand {
  static override summary = 'Run a command on hosts one after the other, each out of service meanwhile.';
  static override description =
    'Each host is cordoned and drained, the command run on it as root, the host rebooted if it asks for that (/run/reboot-required), and uncordoned once it is Ready: control planes one by one, workers by rollout.maxUnavailable. A host that fails stays cordoned and stops the rest (rollout.maxFailures). One word is taken as a shell script; several are run as they are.';
  static override examples = [
    "<%= config.bin %> host maintain -- 'apt-get update && apt-get -y upgrade'",
    '<%= config.bin %> host maintain --limit role=worker --reboot always -- true',
    "<%= config.bin %> host maintain --resume -- 'apt-get update && apt-get -y upgrade'",
  ];
  static override strict = false;
  static override flags = {
    ...hostVerbFlags,
    limit: limitFlag,
    reboot: Flags.option({summary: 'Whether hosts are rebooted after the command.', env: 'TRIREME_REBOOT', options: reboots, default: 'auto' as const})(),
    resume: Flags.boolean({summary: 'Go on with the last maintenance, which did not succeed: hosts that are done stay so.', env: 'TRIREME_RESUME'}),
    'max-failures': runFlags['max-failures'],
  };

  async run() {
    const {argv, flags} = await this.parse(HostMaintain);
    const words = argv.map(String);
    const target = await this.resolveTarget(flags);
    if (!isOfHosts(target)) throw new TriremeError('mode.unsupported', 'Machines of this mode are replaced rather than maintained: trireme machine replace');
    const script = scriptOf(words, {command: 'host maintain', document: target.cluster.document});
    const again = `trireme host maintain --resume -- ${words.map(shellQuote).join(' ')}`;
    const [{planMaintain}, {readRecord}, {selectTargets}, {firstStartOf}] = await Promise.all([
      import('../../hostcluster/maintain.ts'),
      import('../../hostcluster/steps/maintain-step.ts'),
      import('../../hosts/inventory.ts'),
      import('../../plan/ledger.ts'),
    ]);
    const {name} = target.cluster.document.metadata;
    const earlier = flags.resume ? await firstStartOf(stateFolder(), name, 'maintain') : undefined;
    if (flags.resume && earlier === undefined)
      throw new TriremeError('run.not-found', `There's no unfinished maintenance of ${name} to go on with.`, {hints: ['trireme history']});
    return this.runOnHosts<HostClusterFacts>(target, flags, {
      intent: {verb: 'host-maintain'},
      again,
      ...(earlier === undefined ? {} : {resumed: earlier.run}),
      plan: async (cluster, facts, scope) => {
        const hosts = selectTargets((scope as unknown as AgentScope).targets, flags.limit).map((one) => one.host);
        const open = scope as unknown as HostClusterScope;
        const records =
          earlier === undefined
            ? []
            : await Promise.all(hosts.map(async (host) => [host, await readRecord({scope: open, signal: this.signal}, host).catch(() => undefined)] as const));
        return planMaintain(cluster, facts, {
          hosts,
          script,
          shown: words.join(' '),
          reboot: flags.reboot,
          since: earlier?.startedAt ?? new Date().toISOString(),
          resumes: earlier !== undefined,
          records: Object.fromEntries(records),
          again,
        }) as unknown as Plan<Scope>;
      },
    });
  }
}
