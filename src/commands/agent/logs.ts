import {Args} from '@oclif/core';
import {z} from 'zod';
import {sanitizeLine} from '../../output/sanitize.ts';
import {clusterFlags, concurrencyFlag} from '../base-flags.ts';
import {HostsCommand, logFlags} from '../base-hosts.ts';
import {readJournal} from '../base-journal.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({host: z.string(), lines: z.array(z.string())});

export default class AgentLogs extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Show what the agent on a host has to say.';
  static override examples = ['<%= config.bin %> agent logs h1', '<%= config.bin %> agent logs h1 --follow'];
  static override args = {host: Args.string({description: 'Name of the host.', required: true, ignoreStdin: true})};
  static override flags = {...clusterFlags, ...logFlags, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(AgentLogs);
    return this.withHosts(
      flags,
      async ({scope}) => {
        const lines = await readJournal(await scope.runner(args.host), {
          units: ['trireme-agent'],
          lines: flags.lines,
          follow: flags.follow,
          signal: this.signal,
          onLine: (line) => this.out.print(sanitizeLine(line)),
        });
        return {host: args.host, lines};
      },
      args.host,
    );
  }
}
