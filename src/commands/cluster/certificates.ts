import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {AgentFacts} from '../../modes/agent/facts.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import type {Scope} from '../../modes/mode.ts';
import {renderCertificates} from '../../output/certificate-text.ts';
import type {Plan} from '../../plan/plan.ts';
import {clusterFlags, concurrencyFlag, limitFlag, managementFlags, parseDuration, runFlags} from '../base-flags.ts';
import {certificateResult, planResult, runResult, type ResultOf} from '../base-results.ts';
import {TargetCommand} from '../base-target.ts';

const result = z.strictObject({
  cluster: z.string(),
  simulated: z.boolean(),
  authorities: z.array(z.strictObject({name: z.string(), fingerprint: z.string(), notAfter: z.string(), hosts: z.array(z.string())})),
  certificates: z.array(certificateResult),
  /** Hosts that could not be looked at. */
  unseen: z.array(z.strictObject({host: z.string(), reason: z.string()})),
  /** With --renew. */
  renewal: z.strictObject({plan: planResult, run: runResult.nullable()}).optional(),
});

export default class ClusterCertificates extends TargetCommand<ResultOf<typeof result>> {
  static override summary = "Show until when a cluster's certificates hold, and renew them.";
  static override description =
    'The agents renew by themselves, 30 days before the end. --renew does now what is due or has expired, control planes one after the other, and starts agents that do not run; with --all everything is made anew.';
  static override examples = [
    '<%= config.bin %> cluster certificates',
    '<%= config.bin %> cluster certificates berth -o json',
    '<%= config.bin %> cluster certificates --renew',
    '<%= config.bin %> cluster certificates --renew --all --yes',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    ...runFlags,
    renew: Flags.boolean({summary: 'Renew those that are due or have expired.', env: 'TRIREME_RENEW'}),
    all: Flags.boolean({summary: 'With --renew: those that are not due, too.', env: 'TRIREME_ALL', dependsOn: ['renew']}),
    limit: limitFlag,
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterCertificates);
    const timeout = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, 'timeout');
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (target.kind === 'live')
      throw new TriremeError('mode.unsupported', `No file is known for ${target.name}: certificates are those of agent mode's hosts.`);
    const {cluster} = target;
    await this.requireCapability(cluster, 'certificates');
    const {name} = cluster.document.metadata;
    if (flags.renew && !flags['dry-run']) this.requireAnswer(flags.yes, '--yes', `Renew certificates of ${name}?`);
    const [{gatherMembers}, {planRenewal}, {selectTargets}] = await Promise.all([
      import('../../modes/agent/gather.ts'),
      import('../../hostcluster/renew.ts'),
      import('../../hosts/inventory.ts'),
    ]);
    return this.withScope(cluster, {...flags, ...(timeout === undefined ? {} : {patience: timeout})}, async (mode, scope) => {
      const agentScope = scope as AgentScope;
      const chosen = selectTargets(agentScope.targets, flags.limit).map((one) => one.host);
      const facts = await gatherMembers(cluster, agentScope);
      if (!flags.renew) return this.#show(name, facts, chosen);
      const plan = planRenewal(cluster, facts, {mode: mode.name, at: new Date().toISOString(), everything: flags.all, hosts: chosen}) as unknown as Plan<Scope>;
      const renewal = await this.present(
        {plan, cluster, scope, next: ['trireme cluster certificates'], again: 'trireme cluster certificates --renew'},
        {...flags, ...(timeout === undefined ? {timeout: undefined} : {timeout})},
      );
      const after = renewal.run === null ? facts : await gatherMembers(cluster, agentScope);
      return {...(await this.#result(name, after, chosen)), renewal};
    });
  }

  async #show(name: string, facts: Facts, chosen: readonly string[]) {
    const result = await this.#result(name, facts, chosen);
    const {columns} = this.out.terminal.stdout;
    if (this.out.format === 'name') this.out.print(result.certificates.map((one) => `${one.host}/${one.name} ${one.state}`).join('\n'));
    else {
      const options = {style: this.out.style, now: Date.now(), wide: this.out.format === 'wide', ...(columns === undefined ? {} : {columns})};
      this.out.print(`${result.simulated ? 'SIMULATED\n' : ''}${renderCertificates(result.certificates, result.authorities, options)}`);
    }
    for (const {host, reason} of result.unseen) this.out.warn({code: 'facts.incomplete', message: reason, host});
    const bad = result.certificates.find((one) => one.state === 'expired') ?? result.certificates.find((one) => one.state === 'due');
    if (bad?.state === 'expired')
      this.failWith(
        new TriremeError('run.unhealthy', `The certificate ${bad.name} on ${bad.host} has expired (${bad.notAfter}).`, {
          host: bad.host,
          hints: ['Make new ones: trireme cluster certificates --renew'],
        }),
      );
    else if (result.certificates.length === 0 && result.unseen.length > 0)
      this.failWith(
        new TriremeError('host.unreachable', `No certificate of ${name} can be seen: ${result.unseen[0]?.reason ?? ''}`, {hints: ['trireme host check']}),
      );
    return result;
  }

  async #result(name: string, facts: Facts, chosen: readonly string[]) {
    const {certificatesOf} = await import('../../hostcluster/certificate-rows.ts');
    const {isReached} = await import('../../hostcluster/facts.ts');
    const members = facts.hosts.filter((one) => chosen.includes(one.host));
    const reached = members.filter(isReached);
    const unseen = members.flatMap((one) => {
      if (!isReached(one)) return [{host: one.host, reason: one.problem.message}];
      const isSilent = one.seen?.member === true && one.seen.certificates === undefined;
      return isSilent ? [{host: one.host, reason: `The agent on ${one.host} is of a version that tells nothing of certificates: trireme apply`}] : [];
    });
    return {cluster: name, simulated: reached.some((one) => one.simulated), ...certificatesOf(reached, new Date().toISOString()), unseen};
  }
}

type Facts = Pick<AgentFacts, 'observations' | 'hosts'>;
