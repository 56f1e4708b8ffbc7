import {Flags} from '@oclif/core';
import {join} from 'node:path';
import {z} from 'zod';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({cluster: z.string(), simulated: z.literal(true), exitCode: z.int()});

export default class SandboxShell extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Open a shell, or run a program, whose trireme commands use simulated hosts.';
  static override examples = ['<%= config.bin %> sandbox shell', '<%= config.bin %> sandbox shell -- trireme apply --yes'];
  static override strict = false;
  static override flags = {
    'control-planes': Flags.integer({summary: 'How many control planes.', env: 'TRIREME_CONTROL_PLANES', default: 3, min: 1, max: 7}),
    workers: Flags.integer({summary: 'How many workers.', env: 'TRIREME_WORKERS', default: 1, min: 0, max: 50}),
  };
  static override resultSchema = () => result;

  async run() {
    const {argv, flags} = await this.parse(SandboxShell);
    const {startSandbox} = await import('../../sandbox/sandbox.ts');
    const {openShell} = await import('../../sandbox/session.ts');
    const sandbox = await startSandbox({controlPlanes: flags['control-planes'], workers: flags.workers, program: join(this.config.root, 'bin/run.js')});
    try {
      this.out.note(`SIMULATED hosts are up: ${sandbox.hosts.map((host) => host.name).join(', ')}. Their file: ${sandbox.file}\nThey end with this shell.`);
      const exitCode = await openShell(sandbox, argv as string[], {root: this.config.root, signal: this.signal, toStderr: this.out.isForPrograms});
      return {cluster: sandbox.clusterName, simulated: true as const, exitCode};
    } finally {
      await sandbox.stop();
    }
  }
}
