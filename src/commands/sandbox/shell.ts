import {Flags} from '@oclif/core';
import {join} from 'node:path';
import {z} from 'zod';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({cluster: z.string(), simulated: z.literal(true), exitCode: z.int()});

export default class SandboxShell extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Open a shell, or run a program, whose trireme commands use a sandbox.';
  static override examples = [
    '<%= config.bin %> sandbox shell',
    '<%= config.bin %> sandbox shell -- trireme apply --yes',
    '<%= config.bin %> sandbox shell --mode controller',
    '<%= config.bin %> sandbox shell --bare --control-planes 1 -- trireme init',
  ];
  static override strict = false;
  static override flags = {
    mode: Flags.string({
      summary: 'Simulated hosts (agent), or a simulated management cluster (controller).',
      env: 'TRIREME_MODE',
      options: ['agent', 'controller'],
      default: 'agent',
    }),
    bare: Flags.boolean({
      summary: "As a new user finds it: no cluster's file, and no host key is known. For trying the wizard: trireme init.",
      env: 'TRIREME_BARE',
    }),
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
    const {argv, flags} = await this.parse(SandboxShell);
    const {openShell} = await import('../../sandbox/session.ts');
    const sandbox = await this.#start(flags.mode === 'controller', {controlPlanes: flags['control-planes'], workers: flags.workers, bare: flags.bare});
    try {
      const exitCode = await openShell(sandbox, argv as string[], {root: this.config.root, signal: this.signal, toStderr: this.out.isForPrograms});
      return {cluster: sandbox.clusterName, simulated: true as const, exitCode};
    } finally {
      await sandbox.stop();
    }
  }

  async #start(isController: boolean, size: {readonly controlPlanes: number | undefined; readonly workers: number | undefined; readonly bare: boolean}) {
    const program = join(this.config.root, 'bin/run.js');
    if (isController) {
      const {startControllerSandbox} = await import('../../sandbox/controller-sandbox.ts');
      const sandbox = await startControllerSandbox({controlPlanes: size.controlPlanes ?? 1, workers: size.workers ?? 2, bare: size.bare, program});
      const next = size.bare ? 'kubectl and trireme know it as their current context. Begin with: trireme init' : `The cluster's file: ${sandbox.file}`;
      this.out.note(`A SIMULATED management cluster is up: ${sandbox.management.server}. ${next}\nIt ends with this shell.`);
      return sandbox;
    }
    const {startSandbox} = await import('../../sandbox/sandbox.ts');
    const sandbox = await startSandbox({controlPlanes: size.controlPlanes ?? 3, workers: size.workers ?? 1, bare: size.bare, program});
    const next = size.bare
      ? `They are in this shell's ssh_config; sudo's password is in ${join(sandbox.folder, 'sudo-password')}\nBegin with: trireme init`
      : `Their file: ${sandbox.file}`;
    this.out.note(`SIMULATED hosts are up: ${sandbox.hosts.map((host) => host.name).join(', ')}. ${next}\nThey end with this shell.`);
    return sandbox;
  }
}
