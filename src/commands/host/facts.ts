import {Args} from '@oclif/core';
import {z} from 'zod';
import {errorOf} from '../../kernel/problem.ts';
import {factRows} from '../../hosts/fact-rows.ts';
import {renderTable} from '../../output/table.ts';
import {clusterFlags, concurrencyFlag} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({host: z.string(), simulated: z.boolean(), facts: z.record(z.string(), z.unknown())});

export default class HostFacts extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Show what a host says of itself.';
  static override description = 'Everything that plans and preflight read, gathered by one script in one round trip; -o json and -o yaml show all of it.';
  static override examples = ['<%= config.bin %> host facts h1', '<%= config.bin %> host facts h1 -o yaml'];
  static override args = {host: Args.string({description: 'Name of the host.', required: true, ignoreStdin: true})};
  static override flags = {...clusterFlags, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(HostFacts);
    const [{gatherFacts}, {observation}] = await Promise.all([import('../../hosts/gather-facts.ts'), import('../../modes/agent/gather.ts')]);
    return this.withHosts(
      flags,
      async ({cluster, scope, targets}) => {
        const [one] = await gatherFacts(targets, observation(cluster, scope));
        if (one === undefined || 'problem' in one) throw errorOf((one as Extract<typeof one, {problem: unknown}>).problem);
        const {facts} = one;
        if (this.out.format === 'name') this.out.print(one.host);
        else
          this.out.print(
            renderTable(
              factRows(facts),
              [
                {title: 'FACT', cell: ([name]) => name},
                {title: 'VALUE', cell: ([, value]) => value},
              ],
              {style: this.out.style},
            ),
          );
        return {host: one.host, simulated: facts.simulated, facts: {...facts}};
      },
      args.host,
    );
  }
}
