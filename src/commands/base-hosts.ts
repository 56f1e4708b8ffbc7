// What commands on single hosts share: the file's hosts, limited, and connections to them.
import {Flags} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {mapPool} from '../kernel/pool.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import type {InventoryTarget} from '../hosts/inventory.ts';
import type {AgentScope} from '../modes/agent/scope.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {ClusterCommand, type ClusterFlags, type ScopeFlags} from './base-cluster.ts';

export interface HostsFlags extends ClusterFlags, ScopeFlags {
  readonly limit?: readonly string[];
}

export interface OpenHosts {
  readonly cluster: DesiredCluster;
  readonly scope: AgentScope;
  readonly targets: readonly InventoryTarget[];
  readonly concurrency: number;
}

export type HostResult<T> = {readonly host: string; readonly value: T} | {readonly host: string; readonly problem: Problem};

/** Lines of a log. */
export const logFlags = {
  lines: Flags.integer({summary: 'How many lines back.', env: 'TRIREME_LINES', min: 0, default: 100}),
  follow: Flags.boolean({summary: 'Go on with new lines until Ctrl-C.', env: 'TRIREME_FOLLOW'}),
};

export abstract class HostsCommand<R> extends ClusterCommand<R> {
  /** Reads the file and opens a scope on those of its hosts that the limit names; `only` is one host by name. */
  protected async withHosts<T>(flags: HostsFlags, work: (open: OpenHosts) => Promise<T>, only?: string): Promise<T> {
    return this.withHostsOf(await this.readCluster(flags), flags, work, only);
  }

  /** As withHosts, for a file that was read already. */
  protected async withHostsOf<T>(cluster: DesiredCluster, flags: HostsFlags, work: (open: OpenHosts) => Promise<T>, only?: string): Promise<T> {
    const {selectTargets} = await import('../hosts/inventory.ts');
    return this.withScope(cluster, flags, async (mode, scope) => {
      if (mode.name !== 'agent')
        throw new TriremeError('mode.unsupported', `${cluster.document.metadata.name} is in ${mode.name} mode; its machines aren't reached by SSH.`);
      const agentScope = scope as AgentScope;
      const targets =
        only === undefined
          ? (selectTargets(agentScope.targets as readonly InventoryTarget[], flags.limit) as readonly InventoryTarget[])
          : [agentScope.target(only) as InventoryTarget];
      return work({cluster, scope: agentScope, targets, concurrency: flags.concurrency ?? this.settings.concurrency});
    });
  }

  /** Works on every host, and reports those that failed: the others go on. */
  protected eachHost<T>({targets, concurrency}: OpenHosts, work: (target: InventoryTarget) => Promise<T>): Promise<readonly HostResult<T>[]> {
    return this.eachTarget(targets, concurrency, work);
  }

  /** As eachHost, for anything that has a host's name. */
  protected async eachTarget<H extends {readonly host: string}, T>(
    targets: readonly H[],
    concurrency: number,
    work: (target: H) => Promise<T>,
  ): Promise<readonly HostResult<T>[]> {
    const settled = await mapPool(targets, concurrency, (target) => work(target));
    this.signal.throwIfAborted();
    return settled.map((one, index) => {
      const {host} = targets[index] as H;
      return one.status === 'fulfilled' ? {host, value: one.value} : {host, problem: {host, ...problemOf(one.reason)}};
    });
  }

  /** Shows every host's problem and lets the worst decide the exit code. */
  protected async failHosts(problems: readonly Problem[]): Promise<void> {
    if (problems.length === 0) return;
    const {exitCodeOf} = await import('../kernel/errors.ts');
    const exit = exitCodeOf(problems.map((problem) => problem.exit));
    for (const problem of problems) this.out.problem(problem);
    this.failWith({...(problems.find((problem) => problem.exit === exit) as Problem), exit}, {isShown: true});
  }
}
