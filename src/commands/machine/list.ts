import {Args} from '@oclif/core';
import {renderMachines} from '../../output/machine-text.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import {ObserveCommand} from '../base-observe.ts';
import type {ResultOf} from '../base-results.ts';
import type {machineListResult} from '../base-watched-results.ts';

export default class MachineList extends ObserveCommand<ResultOf<typeof machineListResult>> {
  static override summary = "List a cluster's machines, with how each stands.";
  static override examples = ['<%= config.bin %> machine list', '<%= config.bin %> machine list berth -n fleet --context management -o wide'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {...clusterFlags, ...managementFlags, concurrency: concurrencyFlag};
  static override resultSchema = async () => (await import('../base-watched-results.ts')).machineListResult;

  async run() {
    const {args, flags} = await this.parse(MachineList);
    return this.withTarget(await this.resolveTarget(flags, args.cluster ?? flags.cluster), flags, async (opened) => {
      const {name, mode, simulated, machines} = await this.look(opened);
      const {columns} = this.out.terminal.stdout;
      if (this.out.format === 'name') this.out.print(machines.map((machine) => sanitizeLine(machine.name)).join('\n'));
      else if (machines.length === 0) this.out.note(`${sanitizeLine(name)} has no machines.`);
      else
        this.out.print(
          renderMachines(machines, {style: this.out.style, now: Date.now(), wide: this.out.format === 'wide', ...(columns === undefined ? {} : {columns})}),
        );
      return {cluster: name, mode, simulated, machines};
    });
  }
}
