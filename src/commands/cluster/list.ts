import {existsSync} from 'node:fs';
import {Flags} from '@oclif/core';
import {stateFolder} from '../../kernel/folders.ts';
import {followFleet, type FleetStore} from '../../fleet/fleet-store.ts';
import {listRows, type ListedCluster} from '../../fleet/list-rows.ts';
import {listKnownClusters, type KnownCluster} from '../../fleet/known-clusters.ts';
import {isTriremeError} from '../../kernel/errors.ts';
import type {ControllerScope} from '../../modes/controller/scope.ts';
import type {ClusterView} from '../../modes/mode.ts';
import {renderFleet} from '../../output/fleet-text.ts';
import {createRedraw} from '../../output/redraw.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {defaultFile} from '../base-cluster.ts';
import {allNamespacesFlag, managementFlags} from '../base-flags.ts';
import type {ResultOf} from '../base-results.ts';
import type {clusterListResult} from '../base-watched-results.ts';
import {TargetCommand} from '../base-target.ts';

export default class ClusterList extends TargetCommand<ResultOf<typeof clusterListResult>> {
  static override summary = 'List the clusters that are known on this computer, and those of a management cluster.';
  static override description =
    'Without flags nothing is asked: the list holds what was worked with on this computer. A flag that names a management cluster adds all clusters that live there, with how they stand; --live asks the hosts of agent-mode clusters.';
  static override examples = [
    '<%= config.bin %> cluster list',
    '<%= config.bin %> cluster list -A',
    '<%= config.bin %> cluster list --context management -n fleet -o wide',
    '<%= config.bin %> cluster list -A --watch',
  ];
  static override flags = {
    ...managementFlags,
    'all-namespaces': allNamespacesFlag,
    live: Flags.boolean({summary: 'Ask the hosts of agent-mode clusters, too, how each stands.', env: 'TRIREME_LIVE'}),
    watch: Flags.boolean({char: 'w', summary: 'Show every change of the management cluster until Ctrl-C.', env: 'TRIREME_WATCH'}),
  };
  static override resultSchema = async () => (await import('../base-watched-results.ts')).clusterListResult;

  async run() {
    const {flags} = await this.parse(ClusterList);
    const known = await listKnownClusters(stateFolder());
    const isLive = flags['all-namespaces'] || flags.watch || [flags.kubeconfig, flags.context, flags.namespace].some((one) => one !== undefined);
    if (!isLive) return this.#show(listRows(known, flags.live ? await this.#askHosts(known) : []));
    const {ControllerScope} = await import('../../modes/controller/scope.ts');
    const scope = await ControllerScope.open(flags, this.scopeOptions({}));
    const namespace = flags['all-namespaces'] ? undefined : scope.namespace;
    try {
      if (flags.watch) await this.#watch(scope, namespace);
      const {observeFleet} = await import('../../modes/controller/observe/observe.ts');
      const ofHosts = flags.live ? await this.#askHosts(known) : [];
      return this.#show(listRows(known, [...(await observeFleet(scope, namespace)), ...ofHosts]));
    } finally {
      await scope.close();
    }
  }

  /** One look at each known cluster of hosts; one that can't be looked at is told, and stays in the list as it is known. */
  async #askHosts(known: readonly KnownCluster[]): Promise<readonly ClusterView[]> {
    const views: ClusterView[] = [];
    for (const one of known.filter((entry) => entry.mode === 'agent')) {
      try {
        const cluster = await this.readCluster({file: one.files, cluster: one.name});
        views.push(await this.withScope(cluster, {}, async (mode, scope) => mode.observe(cluster, await mode.facts(cluster, scope), scope)));
      } catch (error) {
        this.signal.throwIfAborted();
        if (!isTriremeError(error)) throw error;
        this.out.warn({code: error.code, message: `${one.name}: ${error.message}`});
      }
    }
    return views;
  }

  #show(clusters: readonly ListedCluster[]) {
    if (this.out.format === 'name') this.out.print(clusters.map((cluster) => sanitizeLine(cluster.name)).join('\n'));
    else if (clusters.length === 0)
      this.out.note(
        existsSync(defaultFile) ? `No clusters yet. Make what ${defaultFile} describes: trireme apply` : 'No clusters yet. Write a file with: trireme init',
      );
    else this.out.print(this.#text(clusters));
    return {clusters};
  }

  #text(clusters: readonly ListedCluster[]): string {
    const {columns} = this.out.terminal.stdout;
    return renderFleet(clusters, {style: this.out.style, now: Date.now(), wide: this.out.format === 'wide', ...(columns === undefined ? {} : {columns})});
  }

  async #watch(scope: ControllerScope, namespace: string | undefined): Promise<void> {
    const {watchFleet} = await import('../../modes/controller/observe/observe.ts');
    if (this.out.format === 'ndjson') {
      for await (const {changed, removed} of watchFleet(scope, namespace, this.signal)) {
        for (const view of changed) this.out.stream(JSON.stringify(listRows([], [view])[0]));
        for (const key of removed) this.out.stream(JSON.stringify({removed: key}));
      }
    } else {
      const store: FleetStore = followFleet([{id: scope.api.context, changes: watchFleet(scope, namespace, this.signal)}]);
      const draw = createRedraw({stream: this.out.terminal.stdout, write: (text) => this.out.stream(text)});
      store.subscribe(() =>
        draw(
          this.#text(
            listRows(
              [],
              store.get().rows.map((row) => row.view),
            ),
          ),
        ),
      );
      await store.done;
      const failure = store.get().sources[scope.api.context]?.failure;
      if (failure !== undefined) throw failure;
    }
    this.signal.throwIfAborted();
  }
}
