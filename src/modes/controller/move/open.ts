// Opens both sides of a move, looks at them, and plans. Nothing is written.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {requireAccess} from '../../../kube/access.ts';
import type {Plan} from '../../../plan/plan.ts';
import type {ScopeOptions} from '../../mode.ts';
import {readFolder} from './folder.ts';
import {planMove} from './plan.ts';
import {readSide} from './read.ts';
import {rightsOfMove} from './rights.ts';
import {planSave} from './save.ts';
import {MoveScope} from './scope.ts';

/** One side: a management cluster as kubectl finds it, or a folder. */
export interface MoveSide {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  /** Absolute. */
  readonly directory?: string;
}

export interface MoveRequest {
  /** Names; empty: all. */
  readonly clusters: readonly string[];
  readonly allNamespaces: boolean;
  readonly from: MoveSide;
  readonly to: MoveSide;
}

export interface OpenMove {
  readonly plan: Plan<MoveScope>;
  readonly scope: MoveScope;
}

/** Close the scope in the end. Throws `api.*`, `cluster.not-found`, `usage.invalid`, `plan.refused`, and `file.*` for a folder. */
export async function openMove(request: MoveRequest, options: ScopeOptions): Promise<OpenMove> {
  const {from, to, clusters} = request;
  if (from.directory !== undefined) return openRestore(from.directory, to, clusters, options);
  const source = await open(from, options);
  const namespace = request.allNamespaces ? undefined : (from.namespace ?? source.namespace);
  if (to.directory !== undefined) {
    const scope = new MoveScope(source, source);
    return closingOnFailure(scope, async () => {
      const facts = await readSide(source, namespace, options.signal);
      await requireAccess(source, rightsOfMove(facts.kinds, namespace, 'source'), {signal: options.signal});
      return planSave(facts, {clusters, folder: to.directory ?? '', simulated: source.simulated});
    });
  }
  const target = await open(to, options);
  return closingOnFailure(new MoveScope(source, target), () => planBetween({source, target}, {clusters, namespace, signal: options.signal}));
}

/** Looks at both sides, asks for the rights, and plans; `namespace` undefined: all of them. */
export async function planBetween(
  {source, target}: {readonly source: KubeApi; readonly target: KubeApi},
  {clusters, namespace, signal}: {readonly clusters: readonly string[]; readonly namespace: string | undefined; readonly signal: AbortSignal},
): Promise<Plan<MoveScope>> {
  const [here, there] = await Promise.all([readSide(source, namespace, signal), readSide(target, namespace, signal)]);
  await requireAccess(source, rightsOfMove(here.kinds, namespace, 'source'), {signal});
  await requireAccess(target, rightsOfMove(there.kinds, namespace, 'target'), {signal});
  return planMove({source: here, target: there}, {clusters, simulated: source.simulated || target.simulated});
}

async function openRestore(directory: string, to: MoveSide, clusters: readonly string[], options: ScopeOptions): Promise<OpenMove> {
  const target = await open(to, options);
  try {
    const there = await readSide(target, undefined, options.signal);
    const {facts, source, index} = await readFolder(directory, there.kinds);
    if (index === undefined)
      options.warn(`${directory} has no index: it was written by another tool, or its writing was cut off, and whether it's whole can't be told.`);
    if (facts.id === there.id)
      throw new TriremeError('usage.invalid', `${directory} was saved from this very management cluster (${target.server}).`, {
        hints: ['Name another one: --to-context or --to-kubeconfig'],
      });
    await requireAccess(target, rightsOfMove(there.kinds, undefined, 'target'), {signal: options.signal});
    const plan = planMove({source: facts, target: there}, {clusters, simulated: target.simulated, isRestore: true});
    const warning = {
      code: 'move.restore',
      message: 'A folder is a copy: these clusters must not be worked on by the management cluster that they were saved from any more.',
    };
    return {plan: {...plan, warnings: [...plan.warnings, warning]}, scope: new MoveScope(source, target)};
  } catch (error) {
    target.close();
    throw error;
  }
}

async function closingOnFailure(scope: MoveScope, plan: () => Promise<Plan<MoveScope>>): Promise<OpenMove> {
  try {
    return {plan: await plan(), scope};
  } catch (error) {
    await scope.close();
    throw error;
  }
}

async function open(side: MoveSide, options: ScopeOptions): Promise<KubeApi> {
  const {connect} = await import('../../../kube/client.ts');
  const {kubeconfig, context} = side;
  return connect({
    ...(kubeconfig === undefined ? {} : {kubeconfig}),
    ...(context === undefined ? {} : {context}),
    signal: options.signal,
    redactor: options.redactor,
    // every kind there is gets listed, old ones too: that they are deprecated is nothing that the user chose
    warn: (message) => {
      if (!message.endsWith(' is deprecated')) options.warn(message);
    },
  });
}
