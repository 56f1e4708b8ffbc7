// What a package for hosts holds: the agent's own files for any host, and for one of the file all that a push would bring it.
import {join} from 'node:path';
import {TriremeError} from '../../kernel/errors.ts';
import {errorOf} from '../../kernel/problem.ts';
import {cacheFolder} from '../../kernel/folders.ts';
import {blobsOf} from '../../hostcluster/content.ts';
import type {Architecture, MemberFacts} from '../../hostcluster/facts.ts';
import {withKnownContent} from '../../hostcluster/known-content.ts';
import type {AgentPackage} from '../../hostcluster/package.ts';
import {agentProgram, FileDigests, nodeRuntime, programVersion} from '../../hostcluster/program.ts';
import {agentPaths} from '../../hostcluster/protocol.ts';
import {secretsForRole} from '../../hostcluster/secrets.ts';
import {hostsOf, membershipOf, nodeAddressesOf, wantedOf} from '../../hostcluster/wanted.ts';
import {refuseForeignHosts} from '../../hostcluster/refusals.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {gatherAgentFacts} from './gather.ts';
import type {AgentScope} from './scope.ts';

type AgentPart = Omit<AgentPackage, 'content' | 'enrolment'>;

/** The agent's own files for an architecture. Throws `agent.runtime-missing`. */
export async function agentPart(architecture: Architecture, cluster: DesiredCluster | undefined): Promise<AgentPart> {
  const digests = new FileDigests(join(cacheFolder(), 'file-digests.json'));
  const {runtime: configured, root = agentPaths.program} = cluster?.document.spec.agent ?? {};
  const options = {folder: cluster?.source.folder ?? process.cwd(), ...(configured === undefined ? {} : {configured})};
  const [program, runtime] = await Promise.all([agentProgram(digests), nodeRuntime(architecture, digests, options)]);
  if ('problem' in runtime) throw errorOf(runtime.problem);
  return {version: programVersion(), architecture, root, program, runtime};
}

export interface HostPart {
  readonly content: AgentPackage['content'];
  readonly enrolment: NonNullable<AgentPackage['enrolment']>;
}

export interface HostPartOptions {
  readonly host: string;
  readonly architecture: Architecture;
  readonly signal: AbortSignal;
  onProgress(name: string, received: number, total: number): void;
}

/** All that this host of the file needs to join, as of now; the cluster must run. Throws `host.not-found`, `cluster.not-made`, `bundle.*`. */
export async function hostPart(cluster: DesiredCluster, scope: AgentScope, options: HostPartOptions): Promise<HostPart> {
  const host = hostsOf(cluster).find((one) => one.name === options.host);
  if (host === undefined)
    throw new TriremeError('host.not-found', `No host of the file is named ${options.host}.`, {
      hints: [
        `Its hosts: ${hostsOf(cluster)
          .map((one) => one.name)
          .join(', ')}`,
      ],
    });
  const seen = await gatherAgentFacts(cluster, scope);
  refuseForeignHosts(cluster, seen);
  const facts = withKnownContent(cluster, seen);
  const membership = membershipOf(cluster, facts);
  if (!membership.started || membership.id === '')
    throw new TriremeError('cluster.not-made', `${cluster.document.metadata.name} doesn't run yet, so ${host.name} can't be given what it needs to join.`, {
      hints: ['Make the cluster first: trireme apply'],
    });
  const content = facts.content[options.architecture];
  if (content === undefined)
    throw new TriremeError('bundle.incomplete', `The content for ${options.architecture} isn't known: no host of this architecture was seen.`, {
      hints: ['Name the architecture of the host: --arch'],
    });
  const member: MemberFacts = {
    host: host.name,
    architecture: options.architecture,
    networks: [],
    programDigest: undefined,
    runtimeDigest: undefined,
    agentActive: false,
    seen: undefined,
    content: [],
    simulated: cluster.document.spec.kubernetes.distribution === 'simulated',
  };
  if (nodeAddressesOf(cluster.document.spec, host, member).length === 0)
    throw new TriremeError('plan.refused', `The address of ${host.name}'s node isn't known: nobody can look at the host.`, {
      host: host.name,
      hints: ['Write it into the file: nodeAddress'],
    });
  const wanted = wantedOf(cluster, facts, host, member);
  const controlPlanes = hostsOf(cluster).filter((one) => one.role === 'control-plane' && one.enrol !== 'file');
  const secrets = await scope.secrets.read(controlPlanes.map((one) => one.name));
  if (secrets === undefined)
    throw new TriremeError('cluster.not-made', "None of the control planes that answer has the cluster's secrets.", {
      hints: ['Bring back a control plane that was a member, and try again.'],
    });
  const digests = blobsOf(wanted.content).map((blob) => blob.digest);
  const blobs = await scope.fetch(digests, {signal: options.signal, onProgress: options.onProgress});
  return {content: blobs, enrolment: {kind: 'TriremeEnrolment', wanted, secrets: secretsForRole(secrets, wanted.role)}};
}
