// Whether machines are really new. Right after a change the counts of a MachineDeployment and of the Cluster are still those of before, although
// they say that the change was seen: what counts is which MachineSet the machines belong to, and what the control plane says of itself.
import {sleep} from '../../../kernel/cancel.ts';
import {canonicalJson} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {ObjectKey, Resource} from '../../../kube/api.ts';
import {type KubeObject, numberAt, textAt, valueAt} from '../../../kube/object.ts';
import type {StepContext} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import {preferredVersion} from './gather.ts';
import {machineDeploymentLabel} from './names.ts';
import type {Progress} from './settled.ts';

type Context = StepContext<ControllerScope>;

const done: Progress = {done: true, waitingFor: ''};
const waiting = (waitingFor: string): Progress => ({done: false, waitingFor});

/** In ms. */
const interval = 1000;

/** Looks until it is so. Throws `wait.timed-out` when what is waited for stays the same for `patience` ms. */
export async function lookUntil(context: Context, look: () => Promise<Progress>, patience: number): Promise<void> {
  const signal = AbortSignal.any([context.signal, context.stopping]);
  let until = Date.now() + patience;
  for (let said = ''; ;) {
    const {done: isDone, waitingFor} = await look();
    if (isDone) return;
    if (waitingFor !== said) until = Date.now() + patience;
    said = waitingFor;
    if (Date.now() > until)
      throw new TriremeError('wait.timed-out', `Nothing changes any more: ${waitingFor}.`, {
        hints: ['trireme cluster describe', 'trireme apply --resume  (goes on waiting)'],
      });
    await sleep(interval, signal);
  }
}

/** The parts of a machine's template that make a MachineSet of its own. */
function templateOf(object: KubeObject): string {
  const spec = valueAt(object, 'spec', 'template', 'spec');
  return canonicalJson([
    valueAt(spec, 'version'),
    textAt(spec, 'infrastructureRef', 'name'),
    textAt(spec, 'bootstrap', 'configRef', 'name'),
    textAt(spec, 'failureDomain'),
  ]);
}

/** All machines of a MachineDeployment are of the MachineSet of its present template, and available; those of others are gone. Pure. */
export function deploymentIsNew(deployment: KubeObject, sets: readonly KubeObject[]): Progress {
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 0;
  const current = sets.filter((set) => templateOf(set) === templateOf(deployment));
  if (current.length === 0) return waiting('its new machines are not begun yet');
  const sum = (list: readonly KubeObject[], field: string) => list.reduce((total, set) => total + (numberAt(set, 'status', field) ?? 0), 0);
  const available = sum(current, 'availableReplicas');
  if (available < wanted) return waiting(`${available} of ${wanted} new machines are available`);
  const old = sum(
    sets.filter((set) => !current.includes(set)),
    'replicas',
  );
  return old > 0 ? waiting(`${old} old ${old === 1 ? 'machine is' : 'machines are'} still there`) : done;
}

/** Reads a MachineDeployment and its MachineSets. */
export async function lookAtDeployment({scope, signal}: Context, deployments: Resource, name: string, namespace: string): Promise<Progress> {
  const {api} = scope;
  const deployment = await api.get(deployments, {name, namespace}, {signal});
  if (deployment === undefined) return waiting('it is gone');
  const sets = await api.list(
    {...deployments, plural: 'machinesets', kind: 'MachineSet'},
    {namespace, labelSelector: `${machineDeploymentLabel}=${name}`, signal},
  );
  return deploymentIsNew(deployment, sets.items);
}

/** What the control plane says of its present generation. Pure; fields that its kind doesn't have aren't waited for. */
export function controlPlaneIsNew(object: KubeObject): Progress {
  const seen = numberAt(object, 'status', 'observedGeneration');
  if (seen !== undefined && seen < (object.metadata.generation ?? 0)) return waiting('the control plane has not looked at the change yet');
  const wanted = numberAt(object, 'spec', 'replicas');
  if (wanted === undefined) return done;
  const updated = numberAt(object, 'status', 'upToDateReplicas') ?? numberAt(object, 'status', 'updatedReplicas');
  if (updated !== undefined && updated < wanted) return waiting(`${updated} of ${wanted} control planes are up to date`);
  const have = numberAt(object, 'status', 'replicas');
  return have === undefined || have === wanted ? done : waiting(`there are ${have} control planes, ${wanted} are wanted`);
}

/** Reads the control plane that a Cluster refers to. */
export async function lookAtControlPlane({scope, signal}: Context, cluster: KubeObject): Promise<Progress> {
  const {api} = scope;
  const ref = valueAt(cluster, 'spec', 'controlPlaneRef');
  const [kind, name] = [textAt(ref, 'kind'), textAt(ref, 'name')];
  if (kind === undefined || name === undefined) return done;
  const apiVersion = textAt(ref, 'apiVersion') ?? (await preferredVersion(api, textAt(ref, 'apiGroup') ?? '', signal));
  const key: ObjectKey = {name, namespace: cluster.metadata.namespace ?? ''};
  const object = await api.get(await api.resource({apiVersion, kind}), key, {signal});
  return object === undefined ? waiting(`the ${kind} ${name} is gone`) : controlPlaneIsNew(object);
}
