import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {createSshContext, type SshContext} from '../../ssh/context.ts';
import type {HostTarget} from '../../ssh/target.ts';
import {recordHostKeys} from '../../ssh/known-hosts.ts';
import {clusterFlags, concurrencyFlag, limitFlag, yesFlag} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import {problemResult, type ResultOf} from '../base-results.ts';
import {jumpTargets, lookAtHost, type SeenHost} from '../base-trust.ts';

const keyRow = z.strictObject({
  type: z.string(),
  fingerprint: z.string(),
  verdict: z.enum(['trusted', 'changed', 'revoked', 'unknown']),
  recorded: z.boolean(),
});
const result = z.strictObject({
  hosts: z.array(z.strictObject({host: z.string(), file: z.string().optional(), keys: z.array(keyRow), problem: problemResult.optional()})),
});
type Row = ResultOf<typeof result>['hosts'][number];

export default class HostTrust extends HostsCommand<ResultOf<typeof result>> {
  static override summary = "Record hosts' keys in known_hosts, after showing their fingerprints.";
  static override description =
    "Compare the fingerprints with the hosts' own (ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub) before you say yes. Jump hosts come first. A changed key is only replaced with --replace; a revoked one never.";
  static override examples = ['<%= config.bin %> host trust', '<%= config.bin %> host trust h1 --replace'];
  static override args = {host: Args.string({description: 'Name of a host; default: all of the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    limit: limitFlag,
    replace: Flags.boolean({summary: 'Replace recorded keys that changed.', env: 'TRIREME_REPLACE'}),
    yes: yesFlag,
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(HostTrust);
    this.requireAnswer(flags.yes, '--yes', "Record the hosts' keys?");
    return this.withHosts(
      flags,
      async (open) => {
        const context = createSshContext({warn: (message, host) => this.out.warn({code: 'ssh.configuration', message, host})});
        const hops = new Map<string, HostTarget>();
        for (const target of open.targets) for (const hop of await jumpTargets(target, context)) hops.set(`${hop.address}:${hop.port ?? 22}`, hop);
        const rows: Row[] = [];
        for (const hop of hops.values()) rows.push(...(await this.#trust([hop], context, flags, 1))); // one leads to the next
        rows.push(...(await this.#trust(open.targets, context, flags, open.concurrency)));
        await this.failHosts(rows.flatMap((row) => row.problem ?? []) as Parameters<typeof this.failHosts>[0]);
        return {hosts: rows};
      },
      args.host,
    );
  }

  async #trust(
    targets: readonly HostTarget[],
    context: SshContext,
    flags: {readonly yes: boolean; readonly replace: boolean},
    concurrency: number,
  ): Promise<readonly Row[]> {
    const looked = await this.eachTarget(targets, concurrency, (target) => lookAtHost(target, context));
    const seen = looked.flatMap((one) => ('value' in one ? [one.value] : []));
    const isWanted = (verdict: string) => verdict === 'unknown' || (verdict === 'changed' && flags.replace);
    const fresh = seen.filter((host) => host.keys.some((key) => isWanted(key.verdict)));
    this.#show(seen);
    if (fresh.length > 0) {
      await this.confirm(`Record the keys of ${fresh.map((host) => host.host).join(', ')}?`, {given: flags.yes, flag: '--yes'});
      for (const host of fresh)
        await recordHostKeys({
          file: host.file,
          name: host.name,
          hashed: host.hashed,
          replace: flags.replace,
          keys: host.keys.filter((key) => isWanted(key.verdict)).map((key) => key.key),
        });
    }
    return looked.map((one): Row => {
      if ('problem' in one) return {host: one.host, keys: [], problem: one.problem};
      const {host, file, keys} = one.value;
      const bad = keys.find((key) => !isWanted(key.verdict) && key.verdict !== 'trusted');
      return {
        host,
        file,
        keys: keys.map(({type, fingerprint, verdict}) => ({type, fingerprint, verdict, recorded: verdict === 'trusted' || isWanted(verdict)})),
        ...(bad === undefined ? {} : {problem: refusal(host, bad.verdict)}),
      };
    });
  }

  #show(hosts: readonly SeenHost[]): void {
    const {color} = this.out.style;
    for (const {host, name, keys} of hosts) {
      for (const key of keys)
        this.out.print(
          `${color.bold(host)} ${name}: ${key.type} ${key.fingerprint} ${key.verdict === 'trusted' ? color.green('known') : color.yellow(key.verdict)}`,
        );
    }
  }
}

function refusal(host: string, verdict: string) {
  const error =
    verdict === 'revoked'
      ? new TriremeError('host.key-revoked', `${host} shows a key that is marked @revoked.`, {host})
      : new TriremeError('host.key-changed', `${host} shows another key than the recorded one; it was left as it is.`, {
          host,
          hints: [`If the host was installed anew: trireme host trust ${host} --replace`],
        });
  return {code: error.code, message: error.message, hints: [...error.hints], exit: error.exit, host};
}
