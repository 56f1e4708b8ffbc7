import {Args} from '@oclif/core';
import {spawn} from 'node:child_process';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import {KubeconfigCommand} from '../base-kubeconfig.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({cluster: z.string(), exitCode: z.int()});

export default class ClusterShell extends KubeconfigCommand<ResultOf<typeof result>> {
  static override summary = "Open a shell, or run a program, with a cluster's kubeconfig.";
  static override description =
    'KUBECONFIG names a private file that is removed afterwards; your own kubeconfig is not touched. Ends with 1 when the program ends with a failure.';
  static override examples = ['<%= config.bin %> cluster shell web', '<%= config.bin %> cluster shell web -- kubectl get nodes'];
  static override usage = 'cluster shell [CLUSTER] [-- PROGRAM ...]';
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {...clusterFlags, ...managementFlags, concurrency: concurrencyFlag};
  static override resultSchema = () => result;

  async run() {
    // what is behind -- is the program's own
    const end = this.argv.indexOf('--');
    const program = end === -1 ? [] : this.argv.slice(end + 1);
    const {args, flags} = await this.parse(ClusterShell, end === -1 ? this.argv : this.argv.slice(0, end));
    const {nameKubeconfig, parseKubeconfig, renderKubeconfig} = await import('../../kube/kubeconfig.ts');
    const {withPrivateFile} = await import('../../modes/controller/workload.ts');
    const {cluster, text} = await this.fetchKubeconfig(flags, args.cluster ?? flags.cluster);
    const kubeconfig = renderKubeconfig(nameKubeconfig(parseKubeconfig(text, cluster), cluster, cluster));
    const [command = process.env['SHELL'] ?? '/bin/sh', ...rest] = program;
    if (program.length === 0) this.out.note(`A shell with the kubeconfig of ${cluster}. It ends with exit.`);
    const exitCode = await withPrivateFile(kubeconfig, (path) => this.#run(command, rest, path));
    if (exitCode !== 0) this.failWith(new TriremeError('exec.failed', `${command} ended with ${exitCode}.`), {isShown: true});
    return {cluster, exitCode};
  }

  #run(command: string, args: readonly string[], kubeconfig: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const env = {...process.env, KUBECONFIG: kubeconfig};
      const child = spawn(command, args, {env, stdio: this.out.isForPrograms ? ['inherit', 2, 2] : 'inherit'});
      const onAbort = () => child.kill('SIGTERM');
      this.signal.addEventListener('abort', onAbort, {once: true});
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ENOENT' ? new TriremeError('exec.not-found', `The program ${command} isn't installed.`, {cause: error}) : error),
      );
      child.on('close', (code, killed) => {
        this.signal.removeEventListener('abort', onAbort);
        resolve(killed === null ? (code ?? 1) : 130);
      });
    });
  }
}
