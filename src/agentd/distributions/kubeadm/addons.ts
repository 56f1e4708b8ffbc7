// The profile's layers on the cluster, in order: each is applied when the ones before are healthy. One control plane at a time does it.
import {deadlineOf} from '../../../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {WantedLayer} from '../../../hostcluster/protocol.ts';
import {applyLayer, leavingLayers, lookAtLayer, readLayerDigests, removeLayer, waitForLayer} from '../../../layers/apply-layers.ts';
import {digestOfLayer} from '../../../layers/inventory.ts';
import {tryLease} from '../../lease.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {adminApi, adminKube} from './access.ts';
import {nodesSeenReady, type LayerRecord} from './observe.ts';

type Layers = Readonly<Record<string, LayerRecord>>;

const leaseName = 'trireme-addons';

export const addons: Reconciler = {
  name: 'addons',
  needs: ['control-plane'],
  inputs: ['layers', 'bootstrap'],
  outputs: ['objects of the profile'],
  // whose turn it isn't only looks, and is asked by operators who wait for it
  interval: ({records, wanted}) => (areReady(records.get<Layers>('layers'), wanted.layers) ? 30_000 : 2000),
  steps: async (target) => {
    const {layers} = target.wanted;
    if (layers.length === 0) return [];
    if (!(await isOurTurn(target))) return layers.map(watchStep);
    const noted = await withCluster(target, (api) => readLayerDigests(api, deadlineOf(30_000)));
    return [...leavingLayers(noted, layers).map(removeStep), ...layers.flatMap((layer) => [applyStep(layer), healthStep(layer)])];
  },
};

function areReady(records: Layers | undefined, layers: readonly WantedLayer[]): boolean {
  return layers.every(({name}) => records?.[name]?.ready === true);
}

/** The control plane that started the cluster goes first; another takes over when it has been silent for a while. */
async function isOurTurn(target: Target): Promise<boolean> {
  const api = await adminApi(target);
  if (api === undefined) return false;
  if (!target.wanted.bootstrap && (await api.get(`/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${leaseName}`)) === undefined) return false;
  return (await tryLease(api, leaseName, target.host.name)) === target.host.name;
}

async function withCluster<T>(target: Target, work: (api: KubeApi) => Promise<T>): Promise<T> {
  const api = await adminKube(target);
  if (api === undefined)
    throw new TriremeError('host.unreachable', `${target.host.name} has no kubeconfig of its cluster yet.`, {
      host: target.host.name,
      hints: [`trireme agent status ${target.host.name}`],
    });
  return work(api);
}

async function note({records}: Target, name: string, record: LayerRecord): Promise<void> {
  await records.set('layers', {...records.get<Layers>('layers'), [name]: record});
}

function optionsOf(context: AgentStepContext, step: string) {
  const {signal, scope, emit} = context;
  const say = (line: string) => emit({type: 'step.output', step, host: scope.host.name, stream: 'stdout', line});
  return {signal, say, layers: scope.wanted.layers};
}

function applyStep(layer: WantedLayer): AgentStep {
  const id = `layer:${layer.name}`;
  const digest = digestOfLayer(layer);
  return {
    id,
    title: `Apply ${layer.name}`,
    effect: 'none',
    check: async ({scope, signal}) => ((await withCluster(scope, (api) => readLayerDigests(api, signal)))[layer.name] === digest ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const said = await withCluster(context.scope, (api) => applyLayer(api, layer, optionsOf(context, id)));
      await note(context.scope, layer.name, {digest, ready: false, message: 'applied, not healthy yet'});
      return said;
    },
  };
}

function removeStep(name: string): AgentStep {
  const id = `layer-leaves:${name}`;
  return {
    id,
    title: `Remove the layer ${name}`,
    effect: 'none',
    check: async () => 'needed',
    apply: async (context) => withCluster(context.scope, (api) => removeLayer(api, name, optionsOf(context, id))),
  };
}

async function look({scope, signal}: Pick<AgentStepContext, 'scope' | 'signal'>, layer: WantedLayer): Promise<string | undefined> {
  const nodes = nodesSeenReady();
  const why = await whyUnhealthy(scope, layer, signal);
  await note(scope, layer.name, {digest: digestOfLayer(layer), ready: why === undefined, ...(why === undefined ? {} : {message: why}), nodes});
  return why;
}

async function whyUnhealthy(target: Target, layer: WantedLayer, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await withCluster(target, (api) => lookAtLayer(api, layer, signal, {briefly: true}))).waitingFor[0];
  } catch (error) {
    // a busy API that misses one look is a reason to look again, not a failure that counts towards giving the host up
    if (isTriremeError(error) && isPassing.has(error.code)) return error.message;
    throw error;
  }
}

const isPassing: ReadonlySet<string> = new Set(['host.unreachable', 'api.unreachable', 'api.kind-unknown']);

function healthStep(layer: WantedLayer): AgentStep {
  const id = `layer-health:${layer.name}`;
  return {
    id,
    title: `Wait until ${layer.name} is healthy`,
    effect: 'none',
    check: async (context) => ((await look(context, layer)) === undefined ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const options = optionsOf(context, id);
      const say = (line: string) => {
        options.say(line);
        // what is waited for is told by every status meanwhile
        void note(context.scope, layer.name, {digest: digestOfLayer(layer), ready: false, message: line}).catch(() => {});
      };
      try {
        await withCluster(context.scope, (api) => waitForLayer(api, layer, {...options, say}));
      } finally {
        if (!context.signal.aborted) await look(context, layer);
      }
    },
  };
}

/** Those whose turn it isn't tell the health all the same. */
function watchStep(layer: WantedLayer): AgentStep {
  return {
    id: `layer-watch:${layer.name}`,
    title: `Look at ${layer.name}`,
    effect: 'none',
    check: async (context) => {
      await look(context, layer);
      return 'satisfied';
    },
    apply: async () => {},
  };
}
