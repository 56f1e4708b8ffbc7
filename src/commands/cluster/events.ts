import {Args, Flags} from '@oclif/core';
import type {AgentScope} from '../../modes/agent/scope.ts';
import type {EventView} from '../../modes/mode.ts';
import {renderEventLine, renderEvents} from '../../output/observed-text.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {clusterFlags, managementFlags} from '../base-flags.ts';
import type {ResultOf} from '../base-results.ts';
import type {clusterEventsResult} from '../base-watched-results.ts';
import {TargetCommand} from '../base-target.ts';

export default class ClusterEvents extends TargetCommand<ResultOf<typeof clusterEventsResult>> {
  static override summary = "Show what was reported about a cluster's objects, oldest first.";
  static override description =
    "Controller mode: events of every object of the cluster in its management cluster, which keeps them for an hour or so. Agent mode: what the agents did and met, and what Kubernetes reports, asked through a control plane's agent. With --watch and -o ndjson each is a line.";
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
  static override resultSchema = async () => (await import('../base-watched-results.ts')).clusterEventsResult;

  async run() {
    const {args, flags} = await this.parse(ClusterEvents);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (target.kind === 'file' && target.cluster.document.spec.mode === 'agent') return this.#ofHosts(target.cluster, flags);
    return this.withManagement(target, {}, 'events', async (scope, name) => {
      const {observeEvents, watchEvents} = await import('../../modes/controller/observe/observe.ts');
      if (flags.watch) {
        for await (const event of watchEvents(scope, name, {warningsOnly: flags.warnings, signal: this.signal}))
          this.out.stream(this.out.format === 'ndjson' ? JSON.stringify(event) : renderEventLine(event, this.out.style));
        this.signal.throwIfAborted();
      }
      const events = await observeEvents(scope, name, {warningsOnly: flags.warnings});
      this.#show(name, events);
      return {cluster: name, simulated: scope.api.simulated, events};
    });
  }

  async #ofHosts(cluster: DesiredCluster, flags: {readonly warnings: boolean; readonly watch: boolean}) {
    const {agentClusterEvents, watchAgentEvents} = await import('../../modes/agent/events.ts');
    const {name} = cluster.document.metadata;
    const warn = (message: string, host: string) => this.out.warn({code: 'facts.incomplete', message, host});
    const options = {warningsOnly: flags.warnings, signal: this.signal, warn};
    return this.withScope(cluster, {}, async (_mode, scope) => {
      if (flags.watch) {
        for await (const event of watchAgentEvents(scope as AgentScope, options))
          this.out.stream(this.out.format === 'ndjson' ? JSON.stringify(event) : renderEventLine(event, this.out.style));
        this.signal.throwIfAborted();
      }
      const events = await agentClusterEvents(scope as AgentScope, options);
      this.#show(name, events);
      return {cluster: name, simulated: cluster.document.spec.kubernetes.distribution === 'simulated', events};
    });
  }

  #show(name: string, events: readonly EventView[]): void {
    const {columns} = this.out.terminal.stdout;
    if (events.length === 0) this.out.note(`Nothing was reported about ${name} lately.`);
    else
      this.out.print(
        renderEvents(events, {style: this.out.style, now: Date.now(), wide: this.out.format === 'wide', ...(columns === undefined ? {} : {columns})}),
      );
  }
}
