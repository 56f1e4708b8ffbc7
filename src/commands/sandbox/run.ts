import {Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({cluster: z.string(), simulated: z.literal(true), controlPlanes: z.int(), workers: z.int(), ms: z.number()});

export default class SandboxRun extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Play the main job on simulated hosts: plan, apply, status, and a second apply.';
  static override description =
    'Everything runs on this computer: real SSH and real agents against hosts that are folders and processes. Nothing of yours is touched, and nothing is left.';
  static override examples = ['<%= config.bin %> sandbox run', '<%= config.bin %> sandbox run --workers 3'];
  static override flags = {
    'control-planes': Flags.integer({summary: 'How many control planes.', env: 'TRIREME_CONTROL_PLANES', default: 3, min: 1, max: 7}),
    workers: Flags.integer({summary: 'How many workers.', env: 'TRIREME_WORKERS', default: 1, min: 0, max: 50}),
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(SandboxRun);
    const {startSandbox} = await import('../../sandbox/sandbox.ts');
    const {runInSandbox} = await import('../../sandbox/session.ts');
    const controlPlanes = flags['control-planes'];
    const started = Date.now();
    const sandbox = await startSandbox({controlPlanes, workers: flags.workers});
    try {
      this.out.note(`SIMULATED hosts are up: ${sandbox.hosts.map((host) => `${host.name} (ssh port ${host.port})`).join(', ')}`);
      for (const args of [['validate'], ['apply', '--yes'], ['status'], ['apply', '--yes']]) {
        this.out.note(`\n$ trireme ${args.join(' ')}`);
        const code = await runInSandbox(sandbox, this.out.isForPrograms ? [...args, '--quiet'] : args, {
          root: this.config.root,
          signal: this.signal,
          toStderr: this.out.isForPrograms,
        });
        if (code !== 0)
          throw new TriremeError(
            this.signal.aborted ? 'run.interrupted' : 'run.failed',
            `trireme ${args.join(' ')} ended with exit code ${code} in the sandbox.`,
            {hints: ['Look for yourself: trireme sandbox shell']},
          );
      }
      this.out.print(
        [
          `\nSIMULATED: ${controlPlanes} control plane${controlPlanes === 1 ? '' : 's'} and ${flags.workers} worker${flags.workers === 1 ? '' : 's'} Ready.`,
          '',
          'Try next:',
          '  trireme sandbox shell        a shell whose trireme uses such hosts: break something and apply again',
          '  trireme init --help          write the file for hosts of your own',
          '  trireme preflight            see what is wrong with them before anything is changed',
        ].join('\n'),
      );
      return {cluster: sandbox.clusterName, simulated: true as const, controlPlanes, workers: flags.workers, ms: Date.now() - started};
    } finally {
      await sandbox.stop();
    }
  }
}
