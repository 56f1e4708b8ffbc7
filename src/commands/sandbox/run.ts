import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {SessionPlace} from '../../sandbox/session.ts';
import {BaseCommand} from '../base-command.ts';

const modes = ['agent', 'controller'] as const;
const result = z.strictObject({cluster: z.string(), mode: z.enum(modes), simulated: z.literal(true), controlPlanes: z.int(), workers: z.int(), ms: z.number()});

export default class SandboxRun extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Play the main job in a sandbox: plan, apply, status, and a second apply.';
  static override description =
    'Everything runs on this computer. Agent mode: real SSH and real agents against hosts that are folders and processes. Controller mode: a management API in this process with simulated controllers; a cluster is made, scaled, upgraded and deleted. Nothing of yours is touched, and nothing is left.';
  static override examples = ['<%= config.bin %> sandbox run', '<%= config.bin %> sandbox run --workers 3', '<%= config.bin %> sandbox run controller'];
  static override args = {mode: Args.string({description: 'What to play; default: agent.', options: [...modes], ignoreStdin: true})};
  static override flags = {
    mode: Flags.string({summary: 'What to play: agent mode or controller mode.', env: 'TRIREME_MODE', options: [...modes], default: 'agent'}),
    'control-planes': Flags.integer({
      summary: 'How many control planes; default: 3 in agent mode, 1 in controller mode.',
      env: 'TRIREME_CONTROL_PLANES',
      min: 1,
      max: 7,
    }),
    workers: Flags.integer({summary: 'How many workers; default: 1 in agent mode, 2 in controller mode.', env: 'TRIREME_WORKERS', min: 0, max: 50}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(SandboxRun);
    const mode = (args.mode ?? flags.mode) as (typeof modes)[number];
    const size = {controlPlanes: flags['control-planes'] ?? (mode === 'agent' ? 3 : 1), workers: flags.workers ?? (mode === 'agent' ? 1 : 2)};
    const started = Date.now();
    const {clusterName, ended} = mode === 'agent' ? await this.#playHosts(size) : await this.#playManagement(size);
    this.out.print(`\n${ended}`);
    return {cluster: clusterName, mode, simulated: true as const, ...size, ms: Date.now() - started};
  }

  async #playHosts({controlPlanes, workers}: Size): Promise<Played> {
    const {startSandbox} = await import('../../sandbox/sandbox.ts');
    const sandbox = await startSandbox({controlPlanes, workers});
    try {
      this.out.note(`SIMULATED hosts are up: ${sandbox.hosts.map((host) => `${host.name} (ssh port ${host.port})`).join(', ')}`);
      await this.#play(sandbox, [['validate'], ['apply', '--yes'], ['status'], ['apply', '--yes']]);
      const ended = [
        `SIMULATED: ${controlPlanes} control plane${controlPlanes === 1 ? '' : 's'} and ${workers} worker${workers === 1 ? '' : 's'} Ready.`,
        '',
        'Try next:',
        '  trireme sandbox shell           a shell whose trireme uses such hosts: break something and apply again',
        '  trireme sandbox run controller  the same for Cluster API, with a simulated management cluster',
        '  trireme init --help             write the file for hosts of your own',
        '  trireme preflight               see what is wrong with them before anything is changed',
      ];
      return {clusterName: sandbox.clusterName, ended: ended.join('\n')};
    } finally {
      await sandbox.stop();
    }
  }

  async #playManagement({controlPlanes, workers}: Size): Promise<Played> {
    const {controllerShow, startControllerSandbox} = await import('../../sandbox/controller-sandbox.ts');
    const sandbox = await startControllerSandbox({controlPlanes, workers});
    try {
      this.out.note(`A SIMULATED management cluster is up: ${sandbox.management.server}`);
      await this.#play(sandbox, controllerShow(workers));
      const ended = [
        'SIMULATED: a cluster was made, scaled, upgraded and deleted through a management API.',
        '',
        'Try next:',
        '  trireme sandbox shell --mode controller   a shell with such a management cluster; kubectl works in it, too',
        '  trireme provider init --help              bring Cluster API to a cluster of your own',
        '  trireme init --help                       write the file for your own management cluster',
      ];
      return {clusterName: sandbox.clusterName, ended: ended.join('\n')};
    } finally {
      await sandbox.stop();
    }
  }

  async #play(place: SessionPlace, commands: readonly (readonly string[])[]): Promise<void> {
    const {runInSandbox} = await import('../../sandbox/session.ts');
    for (const args of commands) {
      this.out.note(`\n$ trireme ${args.join(' ')}`);
      const code = await runInSandbox(place, this.out.isForPrograms ? [...args, '--quiet'] : args, {
        root: this.config.root,
        signal: this.signal,
        toStderr: this.out.isForPrograms,
      });
      if (code !== 0)
        throw new TriremeError(
          this.signal.aborted ? 'run.interrupted' : 'run.failed',
          `trireme ${args.join(' ')} ended with exit code ${code} in the sandbox.`,
          {
            hints: ['Look for yourself: trireme sandbox shell'],
          },
        );
    }
  }
}

interface Size {
  readonly controlPlanes: number;
  readonly workers: number;
}

interface Played {
  readonly clusterName: string;
  readonly ended: string;
}
