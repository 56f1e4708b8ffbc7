import {Args} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {attachTerminal, terminalSize} from '../../output/raw-terminal.ts';
import type {SshHostRunner} from '../../ssh/ssh-runner.ts';
import {clusterFlags} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({host: z.string(), exitCode: z.int()});

export default class HostShell extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Open a login shell on a host.';
  static override description =
    'It goes the way that Trireme goes: the same user, keys, jump hosts and host-key checks. For scripts there is trireme host exec.';
  static override examples = ['<%= config.bin %> host shell h1'];
  static override args = {host: Args.string({description: 'Name of the host.', required: true, ignoreStdin: true})};
  static override flags = {...clusterFlags};
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(HostShell);
    const size = terminalSize();
    if (size === undefined)
      throw new TriremeError('usage.invalid', 'A shell needs a terminal, and standard input or output is none.', {
        hints: [`trireme host exec --limit ${args.host} -- COMMAND`],
      });
    return this.withHosts(
      flags,
      async ({scope}) => {
        const runner = (await scope.runner(args.host)) as SshHostRunner;
        return {host: args.host, exitCode: await attachTerminal(await runner.shell(size))};
      },
      args.host,
    );
  }
}
