import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({simulated: z.literal(true)});

export default class SandboxDash extends BaseCommand<z.input<typeof result>> {
  static override summary = 'Open the dashboard on a living sandbox fleet: clusters of all modes, upgrades, faults, and everything can be used.';
  static override description =
    'A management cluster with several clusters and a cluster of hosts come up on this computer while you watch, and things happen to them by themselves. Nothing of yours is touched, and nothing is left. What follows is given to trireme dash.';
  static override examples = [
    '<%= config.bin %> sandbox dash',
    '<%= config.bin %> sandbox dash -- --theme colour-blind',
    '<%= config.bin %> sandbox dash -- --screen-reader',
  ];
  static override strict = false;
  static override resultSchema = () => result;

  async run() {
    const {argv} = await this.parse(SandboxDash);
    const [{startFleetSandbox}, {runInSandbox}] = await Promise.all([import('../../sandbox/fleet/fleet-sandbox.ts'), import('../../sandbox/session.ts')]);
    const {root} = this.config;
    const sandbox = await startFleetSandbox({root});
    try {
      const exitCode = await runInSandbox(sandbox, ['dash', ...(argv as string[])], {root, signal: this.signal, toStderr: this.out.isForPrograms});
      if (exitCode !== 0 && !this.signal.aborted)
        throw new TriremeError('run.failed', `trireme dash ended with exit code ${exitCode} in the sandbox.`, {hints: ['What it said stands above.']});
      return {simulated: true as const};
    } finally {
      await sandbox.stop();
    }
  }
}
