import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {renderEventLine, renderEvents} from '../../output/observed-text.ts';
import {clusterFlags, managementFlags} from '../base-flags.ts';
import {eventResult, type ResultOf} from '../base-results.ts';
import {TargetCommand} from '../base-target.ts';

const result = z.strictObject({cluster: z.string(), simulated: z.boolean(), events: z.array(eventResult)});

export default class ClusterEvents extends TargetCommand<ResultOf<typeof result>> {
  static override summary = "Show what was reported about a cluster's objects, oldest first.";
  static override description =
    'Events of every object of the cluster in its management cluster, which keeps them for an hour or so. With --watch and -o ndjson each is a line.';
  static override examples = [
    '<%= config.bin %> cluster events berth',
    '<%= config.bin %> cluster events berth --warnings',
    '<%= config.bin %> cluster events berth --watch',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    warnings: Flags.boolean({summary: 'Warnings only.', env: 'TRIREME_WARNINGS'}),
    watch: Flags.boolean({char: 'w', summary: 'Show those that come, too, until Ctrl-C.', env: 'TRIREME_WATCH'}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterEvents);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    return this.withManagement(target, {}, 'events', async (scope, name) => {
      const {observeEvents, watchEvents} = await import('../../modes/controller/observe/observe.ts');
      if (flags.watch) {
        for await (const event of watchEvents(scope, name, {warningsOnly: flags.warnings, signal: this.signal}))
          this.out.stream(this.out.format === 'ndjson' ? JSON.stringify(event) : renderEventLine(event, this.out.style));
        this.signal.throwIfAborted();
      }
      const events = await observeEvents(scope, name, {warningsOnly: flags.warnings});
      const {columns} = this.out.terminal.stdout;
      if (events.length === 0) this.out.note(`Nothing was reported about ${name} lately.`);
      else
        this.out.print(
          renderEvents(events, {style: this.out.style, now: Date.now(), wide: this.out.format === 'wide', ...(columns === undefined ? {} : {columns})}),
        );
      return {cluster: name, simulated: scope.api.simulated, events};
    });
  }
}
