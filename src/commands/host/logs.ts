import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {sanitizeLine} from '../../output/sanitize.ts';
import {clusterFlags, concurrencyFlag} from '../base-flags.ts';
import {HostsCommand, logFlags} from '../base-hosts.ts';
import {readJournal} from '../base-journal.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({host: z.string(), lines: z.array(z.string())});
const units = ['trireme-agent', 'kubelet', 'containerd'] as const;

export default class HostLogs extends HostsCommand<ResultOf<typeof result>> {
  static override summary = "Show a host's logs: the agent's, the kubelet's, the container runtime's.";
  static override examples = ['<%= config.bin %> host logs h1', '<%= config.bin %> host logs h1 --unit kubelet --follow'];
  static override args = {host: Args.string({description: 'Name of the host.', required: true, ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...logFlags,
    unit: Flags.string({summary: 'Only this systemd unit; repeatable.', env: 'TRIREME_UNIT', multiple: true, multipleNonGreedy: true, helpValue: 'UNIT'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(HostLogs);
    return this.withHosts(
      flags,
      async ({scope}) => {
        const lines = await readJournal(await scope.runner(args.host), {
          units: flags.unit ?? units,
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
