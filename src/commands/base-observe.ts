// What commands that look at one cluster share: one look, or following it, in every mode.
import {sleep} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {ClusterView, LookOptions, MachineView} from '../modes/mode.ts';
import {TargetCommand, type OpenTarget} from './base-target.ts';

/** How often hosts are asked while somebody watches, in ms. */
const interval = 2000;

export abstract class ObserveCommand<R> extends TargetCommand<R> {
  /** One look, brief where people read it. Throws `cluster.not-found` for a cluster that isn't there and that no file describes. */
  protected async look(opened: OpenTarget, {brief = !this.out.isForPrograms}: LookOptions = {}): Promise<ClusterView> {
    if (opened.kind === 'live') {
      const {observeCluster} = await import('../modes/controller/observe/observe.ts');
      return this.#gettingText(observeCluster(opened.scope, opened.name, {brief}));
    }
    const {mode, cluster, scope} = opened;
    // what a plan needs to know isn't asked in controller mode: the view needs none of it
    if (mode.name === 'controller') return this.#gettingText(mode.observe(cluster, {}, scope, {brief}));
    return mode.observe(cluster, await mode.facts(cluster, scope), scope, {brief});
  }

  /** What draws the view is read while the API server works. */
  #gettingText(view: Promise<ClusterView>): Promise<ClusterView> {
    if (!this.out.isForPrograms) void import('../output/observed-text.ts');
    return view;
  }

  /** A view after each change, until the signal aborts; undefined while the cluster isn't there. */
  protected async *follow(opened: OpenTarget, signal: AbortSignal): AsyncGenerator<ClusterView | undefined, void, undefined> {
    const isController = opened.kind === 'live' || opened.mode.name === 'controller';
    if (isController) {
      const {watchCluster} = await import('../modes/controller/observe/observe.ts');
      const name = opened.kind === 'live' ? opened.name : opened.cluster.document.metadata.name;
      yield* watchCluster(opened.scope as ControllerScope, name, signal);
      return;
    }
    while (!signal.aborted) {
      yield await this.look(opened);
      await sleep(interval, signal);
    }
  }

  /** The cluster for people, by how much of it is asked for. */
  protected async text(view: ClusterView, shape: 'summary' | 'tree', options: {readonly all?: boolean} = {}): Promise<string> {
    const {style} = this.out;
    const {columns} = this.out.terminal.stdout;
    const common = {style, wide: this.out.format === 'wide', now: Date.now(), ...(columns === undefined ? {} : {columns})};
    if (view.mode !== 'controller') {
      const {renderCluster, renderClusterTree} = await import('../output/cluster-text.ts');
      return shape === 'tree' ? renderClusterTree(view, common) : renderCluster(view, common);
    }
    const {renderObserved, renderObservedTree} = await import('../output/observed-text.ts');
    const live = {...common, ...(options.all === undefined ? {} : {all: options.all})};
    return shape === 'tree' ? renderObservedTree(view, live) : renderObserved(view, live);
  }

  /** Throws `machine.not-found`, naming the nearest. */
  protected requireMachine(view: ClusterView, name: string): MachineView {
    const found = view.machines.find((machine) => machine.name === name || machine.node === name);
    if (found !== undefined) return found;
    const meant = nearest(
      name,
      view.machines.map((machine) => machine.name),
    );
    throw new TriremeError('machine.not-found', `${view.name} has no machine ${name}.`, {
      hints: [...(meant === undefined ? [] : [`Did you mean ${meant}?`]), `See all of them: trireme machine list ${view.name}`],
    });
  }
}
