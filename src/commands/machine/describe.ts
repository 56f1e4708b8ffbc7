import {Args} from '@oclif/core';
import {renderMachine} from '../../output/machine-text.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import {ObserveCommand} from '../base-observe.ts';
import type {machineResult, ResultOf} from '../base-results.ts';

export default class MachineDescribe extends ObserveCommand<ResultOf<typeof machineResult>> {
  static override summary = 'Show everything about one machine.';
  static override examples = [
    '<%= config.bin %> machine describe web-1',
    '<%= config.bin %> machine describe berth-md-0-7xs5t-kbf9l -c berth -n fleet --context management',
  ];
  static override args = {machine: Args.string({description: 'Name of the machine, or of its node.', required: true, ignoreStdin: true})};
  static override flags = {...clusterFlags, ...managementFlags, concurrency: concurrencyFlag};
  static override resultSchema = async () => (await import('../base-results.ts')).machineResult;

  async run() {
    const {args, flags} = await this.parse(MachineDescribe);
    return this.withTarget(await this.resolveTarget(flags), flags, async (opened) => {
      const machine = this.requireMachine(await this.look(opened, {brief: false}), args.machine);
      const {columns} = this.out.terminal.stdout;
      const options = {style: this.out.style, now: Date.now(), ...(columns === undefined ? {} : {columns})};
      this.out.print(this.out.format === 'name' ? sanitizeLine(machine.name) : renderMachine(machine, options));
      return machine;
    });
  }
}
