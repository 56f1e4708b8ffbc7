// The part of the plan that makes the cluster from the bootstrap cluster: the plan of `apply`, also where neither Cluster API nor the class is there yet.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import {listAt, textAt} from '../../../kube/object.ts';
import type {Phase, Plan, Step} from '../../../plan/plan.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import {controllerMode} from '../controller-mode.ts';
import type {Library} from '../providers/facts.ts';
import type {AskedProviders} from '../providers/plan-init.ts';
import {parseProviderRequest} from '../providers/provider.ts';
import type {ControllerScope} from '../scope.ts';
import {readClass} from '../topology/cluster-class.ts';
import type {TopologyFacts} from '../topology/facts.ts';
import {namespaceExists, rightsToApply} from '../topology/gather.ts';
import {coreVersions, type CoreVersion} from '../topology/names.ts';
import {planTopology} from '../topology/plan-topology.ts';
import {requireRights} from '../topology/rights.ts';
import {namespaceStep} from '../topology/steps.ts';
import {classStep, readClassManifest, type ClassManifest} from './class-manifest.ts';
import {coreOf} from './scope.ts';

export interface MakeRequest {
  readonly cluster: DesiredCluster;
  readonly scope: ControllerScope;
  readonly library: Library;
  /** The providers as they will be in the bootstrap cluster, with versions. */
  readonly asked: AskedProviders;
  /** Absolute. */
  readonly classFile?: string;
  /** Of a wait, in ms. */
  readonly timeout: number;
}

const converge = {verb: 'converge'} as const;

/** Throws as `apply` does: `plan.refused` with the file's lines, `api.conflict`, `api.forbidden`. */
export async function planMaking(request: MakeRequest): Promise<Plan<ControllerScope>> {
  const {cluster, scope} = request;
  const {controller} = cluster.document.spec;
  const core = await coreOf(scope.api);
  if (controller?.template !== undefined) {
    if (core === undefined)
      throw new TriremeError(
        'plan.refused',
        `${cluster.document.metadata.name} is made of a template, and what a template makes is planned where its kinds are served.`,
        {
          hints: [`Install the providers first: trireme provider init --context ${scope.api.context}`, 'Then run this again.'],
        },
      );
    return planSeen(cluster, scope);
  }
  const seen = core === undefined ? undefined : ((await controllerMode.facts(cluster, scope)) as TopologyFacts);
  if (seen?.class !== undefined) return planOf(cluster, seen);
  const name = controller?.class ?? '';
  const namespace = controller?.classNamespace ?? scope.namespace;
  const manifest = await readClassManifest(request.library, {
    name,
    namespace,
    asked: request.asked,
    ...(request.classFile === undefined ? {} : {file: request.classFile}),
  });
  if (manifest === undefined)
    throw new TriremeError(
      'plan.refused',
      `There's no ClusterClass ${name} in the bootstrap cluster, and no repository of its infrastructure provider has clusterclass-${name}.yaml.`,
      {
        hints: ['Name the file that describes it: --class-file FILE', 'Nothing was changed.'],
      },
    );
  const facts =
    seen === undefined ? await factsAhead(request, manifest) : {...seen, class: readClass(manifest.class), dryRun: skipped('the class is not there yet')};
  const plan = planOf(cluster, facts);
  const first: Phase<ControllerScope> = {
    title: 'Make the class',
    steps: [
      ...((await namespaceExists(scope.api, namespace, scope.options.signal)) ? [] : [classNamespaceStep(namespace)]),
      classStep(manifest, request.timeout),
      acceptStep(cluster, request.timeout),
    ],
  };
  return {...plan, phases: [first, ...plan.phases]};
}

const skipped = (why: string) => ({outcome: 'skipped', why}) as const;

async function planSeen(cluster: DesiredCluster, scope: ControllerScope): Promise<Plan<ControllerScope>> {
  const facts = await controllerMode.facts(cluster, scope);
  const plan = controllerMode.plan(cluster, facts, converge);
  requireRights(facts);
  return plan;
}

function planOf(cluster: DesiredCluster, facts: TopologyFacts): Plan<ControllerScope> {
  const plan = planTopology(cluster, facts, converge);
  requireRights(facts);
  return plan;
}

function classNamespaceStep(namespace: string): Step<ControllerScope> {
  return {...namespaceStep(namespace), id: `class-namespace:${namespace}`};
}

/** What a management cluster without Cluster API would say once it has it: the class is as its manifest has it. */
async function factsAhead({cluster, scope, library, asked}: MakeRequest, manifest: ClassManifest): Promise<TopologyFacts> {
  const {api, namespace} = scope;
  const {signal} = scope.options;
  const [exists, serverVersion, rights, coreVersion] = await Promise.all([
    namespaceExists(api, namespace, signal),
    api.serverVersion({signal}),
    api.access(rightsToApply(namespace, cluster.document.metadata.name, cluster.layers.length > 0), {signal}),
    coreVersionAhead(library, asked),
  ]);
  const missingRights = rights.filter((answer) => !answer.allowed && !(exists && answer.resource === 'namespaces'));
  return {
    way: 'class',
    simulated: api.simulated,
    serverVersion,
    coreVersion,
    namespace: {name: namespace, exists},
    classes: [manifest.class.metadata.name],
    class: readClass(manifest.class),
    pools: [],
    missingRights,
    dryRun: skipped('Cluster API is not installed there yet; it is asked before the Cluster is made'),
  };
}

/** The newest version of the core group that the core provider's components will serve and that is spoken here. */
async function coreVersionAhead(library: Library, asked: AskedProviders): Promise<CoreVersion> {
  const [core = 'cluster-api'] = asked.CoreProvider ?? [];
  const {objects} = await library.components(parseProviderRequest(core, 'CoreProvider'));
  const crd = objects.find(({metadata}) => metadata.name === 'clusters.cluster.x-k8s.io');
  const served = listAt(crd, 'spec', 'versions').map((version) => textAt(version, 'name'));
  const found = coreVersions.find((version) => served.includes(version));
  if (found === undefined)
    throw new TriremeError('provider.incompatible', `The core provider ${core} defines no Cluster of ${coreVersions.join(' or ')}.`, {
      hints: ['Choose another version: --core cluster-api:VERSION'],
    });
  return found;
}

/** Plans once more when Cluster API is there, its own checks included, before the Cluster is written. */
function acceptStep(cluster: DesiredCluster, timeout: number): Step<ControllerScope> {
  const {name} = cluster.document.metadata;
  return {
    id: 'cluster:accepted',
    title: `Ask Cluster API whether it takes ${name}`,
    effect: 'none',
    check: async ({scope}) => {
      const facts = (await controllerMode.facts(cluster, scope)) as TopologyFacts;
      return facts.live === undefined ? 'needed' : 'satisfied';
    },
    apply: async ({scope, stopping}) => {
      const look = async (): Promise<TopologyFacts | undefined> => {
        try {
          const facts = (await controllerMode.facts(cluster, scope)) as TopologyFacts;
          return facts.class === undefined || facts.class.notReady !== undefined ? undefined : facts;
        } catch (error) {
          // webhooks of providers that were just installed begin to answer one after the other
          if (isTriremeError(error) && error.code === 'api.failed') return undefined;
          throw error;
        }
      };
      const facts = await waitFor(look, {timeout, interval: 500, signal: stopping});
      if (facts === undefined)
        throw new TriremeError('wait.timed-out', `The ClusterClass ${cluster.document.spec.controller?.class ?? ''} doesn't get ready.`, {
          hints: [`Look at it: kubectl --context ${scope.api.context} describe clusterclass`],
        });
      planOf(cluster, facts);
    },
  };
}
