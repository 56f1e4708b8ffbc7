// Reading: hosts, content and our own program, at the same time as far as one doesn't need the other.
import {join, resolve} from 'node:path';
import type {ContentRequest} from '../../bundle/resolve.ts';
import {problemOf} from '../../kernel/problem.ts';
import {isAbortError, isTriremeError} from '../../kernel/errors.ts';
import {cacheFolder} from '../../kernel/folders.ts';
import {reachedHosts, type Architecture, type HostClusterFacts, type MemberObservation} from '../../hostcluster/facts.ts';
import {imagesOfCluster} from '../../hostcluster/manifest-images.ts';
import {askControlPlanes} from '../../hostcluster/observe.ts';
import {statesOfMembers, strangersIn} from '../../hostcluster/strangers.ts';
import {agentProgram, FileDigests, nodeRuntime, programVersion} from '../../hostcluster/program.ts';
import {agentPaths} from '../../hostcluster/protocol.ts';
import {findRemovedApis} from '../../hostcluster/removed-apis.ts';
import {runningVersion} from '../../hostcluster/wanted.ts';
import {gatherFacts, type GatherOptions} from '../../hosts/gather-facts.ts';
import type {InventoryTarget} from '../../hosts/inventory.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {memberOf, type AgentFacts} from './facts.ts';
import type {AgentScope} from './scope.ts';

/** Everything that planning and status read. Rejects only when it is aborted, or this installation is broken. */
export async function gatherAgentFacts(cluster: DesiredCluster, scope: AgentScope): Promise<AgentFacts> {
  const digests = new FileDigests(join(cacheFolder(), 'file-digests.json'));
  const [observations, agent] = await Promise.all([gatherFacts(scope.targets, observation(cluster, scope)), agentProgram(digests)]);
  const hosts = observations.map(memberOf);
  const architectures = [...new Set(reachedHosts({hosts}).map((host) => host.architecture))].toSorted();
  const [runtimes, content, left, removed] = await Promise.all([
    runtimesFor(cluster, architectures, digests),
    contentFor(cluster, architectures, scope),
    hostsThatLeft(cluster, hosts, scope),
    removedApisFor(cluster, hosts, scope),
  ]);
  return {observations, hosts, program: {version: programVersion(), agent, runtimes}, ...content, ...left, ...removed};
}

/** Hosts that the cluster has and the file doesn't name: reached as their nodes say, and observed like the others. */
async function hostsThatLeft(
  cluster: DesiredCluster,
  hosts: HostClusterFacts['hosts'],
  scope: AgentScope,
): Promise<Pick<HostClusterFacts, 'strangers' | 'told'>> {
  const suspected = statesOfMembers(cluster, {hosts}).flatMap((state) => strangersIn(cluster, state));
  if (suspected.length === 0) return {};
  // what is on disk may be some seconds old: a host that was taken out a moment ago would still be in it
  const told = await askControlPlanes(cluster, {hosts}, scope);
  if (told === undefined) return {};
  const strangers = strangersIn(cluster, told);
  const targets = await scope.adopt(strangers);
  const observations = await gatherFacts(targets, observation(cluster, scope));
  return {told, strangers: observations.map(memberOf)};
}

/** The hosts alone, without the content that a plan would need: for what only looks, or asks agents. */
export async function gatherMembers(cluster: DesiredCluster, scope: AgentScope): Promise<Pick<AgentFacts, 'observations' | 'hosts'>> {
  const observations = await gatherFacts(scope.targets, observation(cluster, scope));
  return {observations, hosts: observations.map(memberOf)};
}

/** How this cluster's hosts are observed: by one script, over the scope's connections. */
export function observation(cluster: DesiredCluster, scope: AgentScope): GatherOptions<InventoryTarget> {
  const {spec} = cluster.document;
  const sysctls = [spec.configuration?.sysctls, ...(spec.agent?.hosts ?? []).map((host) => host.configuration?.sysctls)].flatMap((map) =>
    Object.keys(map ?? {}),
  );
  return {
    open: (target) => scope.runner(target.host),
    script: {
      agent: {
        program: spec.agent?.root ?? agentPaths.program,
        seen: agentPaths.seen,
        lock: agentPaths.lock,
        content: agentPaths.content,
        socket: agentPaths.socket,
      },
      endpoint: spec.endpoint.host,
      sysctls: [...new Set(sysctls)],
    },
    concurrency: scope.options.concurrency,
    signal: scope.options.signal,
  };
}

async function runtimesFor(
  cluster: DesiredCluster,
  architectures: readonly Architecture[],
  digests: FileDigests,
): Promise<HostClusterFacts['program']['runtimes']> {
  const configured = cluster.document.spec.agent?.runtime;
  const found = await Promise.all(
    architectures.map(
      async (architecture) =>
        [architecture, await nodeRuntime(architecture, digests, {folder: cluster.source.folder, ...(configured === undefined ? {} : {configured})})] as const,
    ),
  );
  return Object.fromEntries(found);
}

/** A failure is kept: a status needs no content, and a plan may learn it from the hosts. */
async function contentFor(
  cluster: DesiredCluster,
  architectures: readonly Architecture[],
  scope: AgentScope,
): Promise<Pick<HostClusterFacts, 'content' | 'contentProblem'>> {
  if (architectures.length === 0) return {content: {}};
  try {
    const pinned = await scope.pin(contentRequest(cluster, architectures, scope.options.signal));
    for (const warning of pinned.warnings) scope.options.warn(warning);
    return {content: pinned.content};
  } catch (error) {
    if (isAbortError(error) || !isTriremeError(error)) throw error;
    return {content: {}, contentProblem: problemOf(error)};
  }
}

/** Asked only where another version is wanted than runs. A control plane that doesn't answer costs a warning, not the plan. */
async function removedApisFor(cluster: DesiredCluster, hosts: readonly MemberObservation[], scope: AgentScope): Promise<Pick<HostClusterFacts, 'removedApis'>> {
  const to = cluster.document.spec.kubernetes.version;
  const roles = new Map((cluster.document.spec.agent?.hosts ?? []).map((host) => [host.name, host.role]));
  const planes = reachedHosts({hosts}).filter((host) => roles.get(host.host) === 'control-plane' && runningVersion(host) !== undefined);
  if (planes.every((host) => runningVersion(host) === to)) return {};
  try {
    return {removedApis: await findRemovedApis(scope, {controlPlanes: planes.map((host) => host.host), to, signal: scope.options.signal})};
  } catch (error) {
    if (isAbortError(error) || !isTriremeError(error)) throw error;
    scope.options.warn(`It isn't known who uses APIs that ${to} doesn't serve any more: ${error.message}`);
    return {};
  }
}

/** What the bundle room is asked for: the version's content, and the images that the profile's manifests name. */
export function contentRequest(cluster: DesiredCluster, architectures: readonly Architecture[], signal?: AbortSignal): ContentRequest {
  const {spec} = cluster.document;
  const {folder} = cluster.source;
  const bundle = spec.agent?.bundle;
  const place = bundle === undefined || bundle.startsWith('oci://') ? bundle : resolve(folder, bundle);
  return {
    version: spec.kubernetes.version,
    distribution: spec.kubernetes.distribution,
    architectures,
    images: imagesOfCluster(cluster),
    folder,
    lockFile: resolve(folder, spec.bundle?.lock ?? 'trireme.lock'),
    ...(place === undefined ? {} : {bundle: place}),
    ...(spec.bundle?.sources === undefined ? {} : {sources: spec.bundle.sources}),
    ...(spec.bundle?.authority === undefined ? {} : {authority: resolve(folder, spec.bundle.authority)}),
    ...(signal === undefined ? {} : {signal}),
  };
}
