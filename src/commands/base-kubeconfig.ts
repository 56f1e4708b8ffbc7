// A cluster's administrator's kubeconfig, whichever mode it is in.
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import type {AgentFacts} from '../modes/agent/facts.ts';
import type {AgentScope} from '../modes/agent/scope.ts';
import type {ControllerScope} from '../modes/controller/scope.ts';
import type {ScopeFlags} from './base-cluster.ts';
import {TargetCommand, type OpenTarget, type TargetFlags} from './base-target.ts';

export interface FetchedKubeconfig {
  readonly cluster: string;
  /** Holds credentials. */
  readonly text: string;
}

/** The kubeconfig that a person uses: the first of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigPath(): string {
  return (process.env['KUBECONFIG'] || join(process.env['HOME'] || homedir(), '.kube', 'config')).split(delimiter)[0] ?? '';
}

export abstract class KubeconfigCommand<R> extends TargetCommand<R> {
  /** Fetched afresh: nothing of it is kept. Throws `cluster.not-made` while there is none. */
  protected async fetchKubeconfig(flags: TargetFlags & ScopeFlags, name: string | undefined): Promise<FetchedKubeconfig> {
    const target = await this.resolveTarget(flags, name);
    return this.withTarget(target, flags, (opened) => this.#fetch(opened));
  }

  async #fetch(opened: OpenTarget): Promise<FetchedKubeconfig> {
    const cluster = opened.kind === 'live' ? opened.name : opened.cluster.document.metadata.name;
    if (opened.kind === 'live' || opened.mode.name === 'controller') {
      const {fetchKubeconfig} = await import('../modes/controller/workload.ts');
      return {cluster, text: await fetchKubeconfig(opened.scope as ControllerScope, cluster)};
    }
    if (opened.mode.name !== 'agent') throw new TriremeError('mode.unsupported', `${cluster} is in ${opened.mode.name} mode, which has no kubeconfig yet.`);
    const {fetchClusterKubeconfig} = await import('../modes/agent/agent-mode.ts');
    const facts = (await opened.mode.facts(opened.cluster, opened.scope)) as AgentFacts;
    return {cluster, text: await fetchClusterKubeconfig(opened.cluster, facts, opened.scope as AgentScope)};
  }
}
