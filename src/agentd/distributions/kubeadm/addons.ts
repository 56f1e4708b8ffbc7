// The profile's layers on the cluster, in order: each is applied when the ones before are healthy. One control plane at a time does it.
import {sleep} from '../../../kernel/cancel.ts';
import {digestOf} from '../../../kernel/digest.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {WantedLayer} from '../../../hostcluster/protocol.ts';
import {tryLease} from '../../lease.ts';
import {lastLine} from '../../host-system.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {adminApi, adminKubeconfig} from './access.ts';
import {whyUnhealthy} from './layer-health.ts';
import type {LayerRecord} from './observe.ts';

type Layers = Readonly<Record<string, LayerRecord>>;

const leaseName = 'trireme-addons';

export const addons: Reconciler = {
  name: 'addons',
  needs: ['control-plane'],
  inputs: ['layers', 'bootstrap'],
  outputs: ['objects of the profile'],
  interval: 20_000,
  steps: async (target) => {
    if (target.wanted.layers.length === 0) return [];
    if (!(await isOurTurn(target))) return target.wanted.layers.map(watchStep);
    return target.wanted.layers.flatMap((layer) => [applyStep(layer), healthStep(layer)]);
  },
};

/** The control plane that started the cluster goes first; another takes over when it has been silent for a while. */
async function isOurTurn(target: Target): Promise<boolean> {
  const api = await adminApi(target);
  if (api === undefined) return false;
  if (!target.wanted.bootstrap && (await api.get(`/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${leaseName}`)) === undefined) return false;
  return (await tryLease(api, leaseName, target.host.name)) === target.host.name;
}

async function note({records}: Target, name: string, record: LayerRecord): Promise<void> {
  await records.set('layers', {...records.get<Layers>('layers'), [name]: record});
}

const recordOf = ({records}: Target, name: string) => records.get<Layers>('layers')?.[name];

function applyStep(layer: WantedLayer): AgentStep {
  const id = `layer:${layer.name}`;
  const digest = digestOf(layer.manifest);
  return {
    id,
    title: `Apply ${layer.name}`,
    effect: 'none',
    check: async ({scope}) => (recordOf(scope, layer.name)?.digest === digest ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {host} = context.scope;
      const args = ['--kubeconfig', host.path(adminKubeconfig), 'apply', '--server-side', '--force-conflicts', '--field-manager=trireme', '-f', '-'];
      // objects of a kind that this very manifest defines are refused for a moment, until the API serves the new kind
      for (let attempt = 1; ; attempt += 1) {
        const result = await host.run(`${host.bin}/kubectl`, args, {
          stdin: layer.manifest,
          deadline: 180_000,
          signal: context.signal,
          onLine: (stream, line) => context.emit({type: 'step.output', step: id, host: host.name, stream, line}),
        });
        if (result.code === 0) break;
        if (attempt >= 4 || !/no matches for kind|ensure CRDs are installed/.test(result.stderr))
          throw new TriremeError('agent.failed', `The layer ${layer.name} can't be applied: ${lastLine(result)}`, {
            host: host.name,
            hints: ["Look at the layer's manifest in the profile."],
          });
        await sleep(2000, context.signal);
      }
      await note(context.scope, layer.name, {digest, ready: false, message: 'applied, not healthy yet'});
    },
  };
}

/** In ms; a layer that takes longer is failed, and looked at again later. */
const patience = 10 * 60 * 1000;

async function healthOf(context: Pick<AgentStepContext, 'scope' | 'signal'>, layer: WantedLayer): Promise<string | undefined> {
  const api = await adminApi(context.scope);
  if (api === undefined) return 'there is no kubeconfig yet';
  try {
    return await whyUnhealthy(api, layer.manifest, context.signal);
  } catch (error) {
    // a busy API that misses one look is a reason to look again, not a failure that counts towards giving the host up
    if (isTriremeError(error) && error.code === 'host.unreachable') return error.message;
    throw error;
  }
}

async function look(context: Pick<AgentStepContext, 'scope' | 'signal'>, layer: WantedLayer): Promise<string | undefined> {
  const why = await healthOf(context, layer);
  await note(context.scope, layer.name, {
    digest: recordOf(context.scope, layer.name)?.digest ?? '',
    ready: why === undefined,
    ...(why === undefined ? {} : {message: why}),
  });
  return why;
}

function healthStep(layer: WantedLayer): AgentStep {
  return {
    id: `layer-health:${layer.name}`,
    title: `Wait until ${layer.name} is healthy`,
    effect: 'none',
    check: async (context) =>
      recordOf(context.scope, layer.name)?.digest === digestOf(layer.manifest) && (await look(context, layer)) === undefined ? 'satisfied' : 'needed',
    apply: async (context) => {
      const until = Date.now() + patience;
      for (let said = ''; ;) {
        const why = await look(context, layer);
        if (why === undefined) return;
        if (why !== said) context.emit({type: 'step.output', step: `layer-health:${layer.name}`, host: context.scope.host.name, stream: 'stdout', line: why});
        said = why;
        if (Date.now() > until)
          throw new TriremeError('run.unhealthy', `The layer ${layer.name} isn't healthy after ten minutes: ${why}`, {
            host: context.scope.host.name,
            hints: ['kubectl get pods -A', 'kubectl get events -A'],
          });
        await sleep(2000, context.signal);
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
