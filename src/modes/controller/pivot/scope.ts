// Both management clusters of a pivot: the one to begin from is open, the new one is opened when a step needs it, for it may not be there before.
import {isTriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {valueAt, type KubeObject} from '../../../kube/object.ts';
import type {Plan} from '../../../plan/plan.ts';
import type {Scope} from '../../mode.ts';
import {markOf, movedFromAnnotation} from '../move/names.ts';
import {planBetween} from '../move/open.ts';
import {MoveScope} from '../move/scope.ts';
import {ControllerScope} from '../scope.ts';
import {coreResource} from '../topology/gather.ts';
import {fetchKubeconfig} from '../workload.ts';
import {readRecord} from './record.ts';

export interface PlannedMove {
  readonly plan: Plan<MoveScope>;
  readonly scope: MoveScope;
}

export class PivotScope implements Scope {
  readonly bootstrap: ControllerScope;
  /** The cluster's name. */
  readonly name: string;
  #target: Promise<ControllerScope> | undefined;
  #move: Promise<PlannedMove | undefined> | undefined;

  constructor(bootstrap: ControllerScope, name: string) {
    this.bootstrap = bootstrap;
    this.name = name;
  }

  /** The new cluster's kubeconfig: as the pivot kept it, else as Cluster API made it. Throws `cluster.not-made`. */
  async kubeconfig(signal: AbortSignal): Promise<string> {
    const record = await readRecord(this.bootstrap, this.name, signal);
    return record?.state === 'moving' && record.kubeconfig !== '' ? record.kubeconfig : fetchKubeconfig(this.bootstrap, this.name, signal);
  }

  /** The new cluster; opened once, and nothing is asked of it by that. Throws `cluster.not-made`. */
  target(signal: AbortSignal): Promise<ControllerScope> {
    if (this.#target === undefined) {
      const opening = this.#open(signal);
      this.#target = opening;
      // a failure isn't kept: it may be made by the next look
      opening.catch(() => {
        this.#target = undefined;
      });
    }
    return this.#target;
  }

  async #open(signal: AbortSignal): Promise<ControllerScope> {
    const {namespace, options} = this.bootstrap;
    const text = await this.kubeconfig(signal);
    const {connect} = await import('../../../kube/client.ts');
    const {redactor, warn} = options;
    const api = await connect({content: {text, place: `of ${this.name}`}, signal: options.signal, redactor, warn});
    return new ControllerScope(api, namespace, options);
  }

  /** The move as both sides stand, planned once; undefined when the cluster manages itself already. */
  move(signal: AbortSignal): Promise<PlannedMove | undefined> {
    if (this.#move === undefined) {
      const planning = this.#planMove(signal);
      this.#move = planning;
      planning.catch(() => this.forgetMove());
    }
    return this.#move;
  }

  /** Have the sides looked at again: controllers have stopped, so what is there now is what is copied. */
  forgetMove(): void {
    this.#move = undefined;
  }

  async #planMove(signal: AbortSignal): Promise<PlannedMove | undefined> {
    const {api: source, namespace} = this.bootstrap;
    const {api: target} = await this.target(signal);
    if (standingOf(await findCluster(source, this, signal)) === 'absent' && standingOf(await findCluster(target, this, signal)) === 'working') return undefined;
    const plan = await planBetween({source, target}, {clusters: [`${namespace}/${this.name}`], namespace, signal});
    return {plan, scope: new MoveScope(source, target)};
  }

  async close(): Promise<void> {
    const target = await this.#target?.catch(() => undefined);
    await target?.close();
    await this.bootstrap.close();
  }
}

/** The Cluster object; undefined where it, or Cluster API, isn't there. */
export async function findCluster(
  api: KubeApi,
  of: {readonly name: string; readonly bootstrap: {readonly namespace: string}},
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const core = await coreOf(api);
  return core === undefined ? undefined : api.get(core.cluster, {name: of.name, namespace: of.bootstrap.namespace}, {signal});
}

/** Undefined where Cluster API isn't installed. */
export async function coreOf(api: KubeApi): Promise<Awaited<ReturnType<typeof coreResource>> | undefined> {
  try {
    return await coreResource(api);
  } catch (error) {
    if (isTriremeError(error) && error.code === 'api.kind-unknown') return undefined;
    throw error;
  }
}

/** `moving`: a move of it has begun, on either side of it. `paused`: by somebody else. */
export type Standing = 'absent' | 'working' | 'paused' | 'moving';

export function standingOf(cluster: KubeObject | undefined): Standing {
  if (cluster === undefined) return 'absent';
  const {annotations} = cluster.metadata;
  if (markOf(annotations) !== undefined || annotations?.[movedFromAnnotation] !== undefined) return 'moving';
  return valueAt(cluster, 'spec', 'paused') === true ? 'paused' : 'working';
}
