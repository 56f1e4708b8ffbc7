import {Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {problemOf, type Problem} from '../../kernel/problem.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {clusterFlags, concurrencyFlag, limitFlag, parseDuration} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import {problemResult, type ResultOf} from '../base-results.ts';
import {scriptOf} from '../base-script.ts';

const result = z.strictObject({
  hosts: z.array(z.strictObject({host: z.string(), code: z.int().nullable(), stdout: z.string(), stderr: z.string(), problem: problemResult.optional()})),
});

export default class HostExec extends HostsCommand<ResultOf<typeof result>> {
  static override summary = 'Run a command on hosts, many at once.';
  static override description = 'One word is taken as a shell script; several are run as they are. Each line of output begins with its host.';
  static override examples = [
    '<%= config.bin %> host exec -- uptime',
    "<%= config.bin %> host exec --as-root --limit role=worker -- 'journalctl -u kubelet | tail -3'",
  ];
  static override strict = false;
  static override flags = {
    ...clusterFlags,
    limit: limitFlag,
    'as-root': Flags.boolean({summary: 'Run it as root, by sudo.', env: 'TRIREME_AS_ROOT'}),
    timeout: Flags.string({summary: 'How long the command may take on a host.', env: 'TRIREME_TIMEOUT', helpValue: 'DURATION', default: '5m'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {argv, flags} = await this.parse(HostExec);
    const words = argv.map(String);
    const deadline = parseDuration(flags.timeout, 'timeout');
    const cluster = await this.readCluster(flags);
    const script = scriptOf(words, {command: 'host exec', document: cluster.document});
    return this.withHostsOf(cluster, flags, async (open) => {
      const outcomes = await this.eachHost(open, async ({host}) => {
        const runner = await open.scope.runner(host);
        return runner.run(script, {root: flags['as-root'], deadline, signal: this.signal, onLine: (stream, line) => this.#line(host, stream, line)});
      });
      const hosts = outcomes.map((one) => {
        if ('problem' in one) return {host: one.host, code: null, stdout: '', stderr: '', problem: one.problem};
        const {code, stdout, stderr} = one.value;
        return {host: one.host, code, stdout, stderr, ...(code === 0 ? {} : {problem: failed(one.host, code)})};
      });
      await this.failHosts(hosts.flatMap((host) => ('problem' in host && host.problem !== undefined ? [host.problem] : [])));
      return {hosts};
    });
  }

  #line(host: string, stream: 'stdout' | 'stderr', line: string): void {
    const text = `${this.out.style.color.bold(host)}: ${sanitizeLine(line)}`;
    if (stream === 'stdout') this.out.print(text);
    else if (!this.out.isForPrograms) this.out.note(text);
  }
}

function failed(host: string, code: number): Problem {
  return problemOf(new TriremeError('host.command-failed', `The command ended with exit code ${code} on ${host}.`, {host, details: {code}}));
}
