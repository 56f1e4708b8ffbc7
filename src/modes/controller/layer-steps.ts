// The profile's layers in a plan of controller mode: what of them is new, and the steps that put them onto the cluster.
import {isTriremeError} from '../../kernel/errors.ts';
import {applyLayer, leavingLayers, lookAtLayer, readLayerDigests, removeLayer, waitForLayer} from '../../layers/apply-layers.ts';
import {digestOfLayer, requireRendered} from '../../layers/inventory.ts';
import type {KubeApi} from '../../kube/api.ts';
import type {Change, HostPlan, Step, StepContext} from '../../plan/plan.ts';
import type {DesiredLayer} from '../../spec/desired.ts';
import type {ControllerScope} from './scope.ts';
import {connectWorkload} from './workload.ts';

/** What the cluster has of the profile's layers: digests by name; why that isn't known, where it isn't. */
export interface LayerFacts {
  readonly digests: Readonly<Record<string, string>>;
  readonly unknown?: string;
}

export const layersUnit = 'layers';

/** Only reads; a cluster that can't be reached yet has no layers that are known. */
export async function readLayerFacts(scope: ControllerScope, of: {readonly name: string}): Promise<LayerFacts> {
  const {signal} = scope.options;
  let api: KubeApi | undefined;
  try {
    api = await connectWorkload(scope, of.name, signal);
    return {digests: await readLayerDigests(api, signal)};
  } catch (error) {
    if (!isTriremeError(error)) throw error;
    return {digests: {}, unknown: error.message};
  } finally {
    api?.close();
  }
}

/** The layers as one part of the plan; undefined without layers. */
export function planLayers(layers: readonly DesiredLayer[], facts: LayerFacts | undefined): HostPlan | undefined {
  if (layers.length === 0) return undefined;
  requireRendered(layers);
  const changes = layers.flatMap((layer): Change[] => {
    const before = facts?.digests[layer.name];
    const now = digestOfLayer(layer);
    if (before === now) return [];
    const why = facts?.unknown === undefined ? {} : {why: `what the cluster has isn't known: ${facts.unknown}`};
    return [
      {path: `${layer.kind}.${layer.name}`, ...(before === undefined || before === '' ? {} : {from: short(before)}), to: short(now), effect: 'none', ...why},
    ];
  });
  const leaving = leavingLayers(facts?.digests ?? {}, layers).map((name): Change => ({
    path: `layer.${name}`,
    from: short(facts?.digests[name] ?? ''),
    effect: 'none',
    why: 'the profile has it no more: what it put is removed',
  }));
  return {
    host: layersUnit,
    role: 'profile',
    state: changes.length + leaving.length === 0 ? 'unchanged' : facts === undefined ? 'new' : 'changed',
    effect: 'none',
    changes: [...leaving, ...changes],
  };
}

function short(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

type Context = StepContext<ControllerScope>;

/** Two steps a layer, one after the other: apply it, wait until it is healthy. Those that leave go first. */
export function layerSteps(layers: readonly DesiredLayer[], of: {readonly name: string}, facts: LayerFacts | undefined): readonly Step<ControllerScope>[] {
  const withCluster = async <T>(context: Context, work: (api: KubeApi) => Promise<T>): Promise<T> => {
    const api = await connectWorkload(context.scope, of.name, context.signal);
    try {
      return await work(api);
    } finally {
      api.close();
    }
  };
  const options = (context: Context, step: string) => ({
    signal: AbortSignal.any([context.signal, context.stopping]),
    say: (line: string) => context.emit({type: 'step.output', step, host: layersUnit, stream: 'stdout', line}),
  });
  const leaving = leavingLayers(facts?.digests ?? {}, layers).map((name): Step<ControllerScope> => ({
    id: `layer-leaves:${name}`,
    title: `Remove the layer ${name}`,
    host: layersUnit,
    effect: 'none',
    check: (context) => withCluster(context, async (api) => (name in (await readLayerDigests(api, context.signal)) ? 'needed' : 'satisfied')),
    apply: (context) => withCluster(context, (api) => removeLayer(api, name, {...options(context, `layer-leaves:${name}`), layers, signal: context.signal})),
  }));
  const arriving = layers.flatMap((layer): readonly Step<ControllerScope>[] => [
    {
      id: `layer:${layer.name}`,
      title: `Apply the layer ${layer.name}`,
      host: layersUnit,
      effect: 'none',
      check: (context) =>
        withCluster(context, async (api) => ((await readLayerDigests(api, context.signal))[layer.name] === digestOfLayer(layer) ? 'satisfied' : 'needed')),
      apply: (context) => withCluster(context, (api) => applyLayer(api, layer, {...options(context, `layer:${layer.name}`), layers, signal: context.signal})),
    },
    {
      id: `layer-health:${layer.name}`,
      title: `Wait until ${layer.name} is healthy`,
      host: layersUnit,
      effect: 'none',
      check: (context) => withCluster(context, async (api) => ((await lookAtLayer(api, layer, context.signal)).healthy ? 'satisfied' : 'needed')),
      apply: (context) => withCluster(context, (api) => waitForLayer(api, layer, options(context, `layer-health:${layer.name}`))),
    },
  ]);
  return [...leaving, ...arriving];
}
