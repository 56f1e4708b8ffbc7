// What planning reads, out of all that was seen of the hosts.
import {isIP} from 'node:net';
import {TriremeError} from '../../kernel/errors.ts';
import {problemOf, type Problem} from '../../kernel/problem.ts';
import type {HostClusterFacts, MemberFacts, MemberObservation} from '../../hostcluster/facts.ts';
import {agentPaths, type AgentState} from '../../hostcluster/protocol.ts';
import {mountOf, type HostFacts, type HostObservation} from '../../hosts/facts.ts';

export interface AgentFacts extends HostClusterFacts {
  /** Everything that was seen of each host, in the order of the file: for preflight and `host facts`. */
  readonly observations: readonly HostObservation[];
}

/** The facts of one host that count for a plan; a host that agent mode can't work on becomes a problem. */
export function memberOf(observation: HostObservation): MemberObservation {
  if ('problem' in observation) return observation;
  const {host, facts} = observation;
  if (facts.architecture === undefined) {
    return {
      host,
      problem: unsupported(
        'host.architecture-unsupported',
        host,
        `${host} has the processor architecture ${facts.kernel.architecture}, and agent mode knows amd64 and arm64.`,
        'Take the host out of the file.',
      ),
    };
  }
  if (facts.initSystem !== 'systemd') {
    return {
      host,
      problem: unsupported(
        'host.systemd-missing',
        host,
        `${host} runs ${facts.initSystem || 'something unknown'} as its first process, and agent mode needs systemd.`,
        'Use a distribution with systemd.',
      ),
    };
  }
  const member: MemberFacts = {
    host,
    architecture: facts.architecture,
    networks: networksOf(facts),
    programDigest: facts.agent.programDigest,
    runtimeDigest: facts.agent.runtimeDigest,
    agentActive: facts.agent.active,
    seen: stateIn(facts.agent.seen),
    content: facts.content,
    simulated: facts.simulated,
  };
  return member;
}

/** MiB: with less, neither the agent nor its state can be written. */
const leastFree = 2;

/** Why nothing can be done on a host; undefined when something can. Beside what plans refuse, a disk so full that they would fail. */
export function obstructionOf(observation: HostObservation): Problem | undefined {
  const member = memberOf(observation);
  if ('problem' in member) return member.problem;
  if (!('facts' in observation)) return undefined;
  const {host, facts} = observation;
  const full = mountOf(facts, agentPaths.content);
  if (full === undefined || full.size === 0 || full.free >= leastFree) return undefined;
  const message = `The file system ${full.path} of ${host}, which holds ${agentPaths.content}, is full: ${full.free} of ${full.size} MiB are free.`;
  return problemOf(new TriremeError('host.disk-full', message, {host, hints: [`Make room: trireme host exec --limit ${host} -- df -h ${full.path}`]}));
}

function unsupported(code: 'host.architecture-unsupported' | 'host.systemd-missing', host: string, message: string, hint: string) {
  return problemOf(new TriremeError(code, message, {host, hints: [hint]}));
}

/** Addresses in CIDR form, those of the default route's interface first, and its own address first of all. */
function networksOf(facts: HostFacts): readonly string[] {
  const {defaultRoute} = facts;
  const up = facts.interfaces.filter((one) => one.up && one.name !== 'lo');
  const ordered = [...up.filter((one) => one.name === defaultRoute?.interface), ...up.filter((one) => one.name !== defaultRoute?.interface)];
  const addresses = ordered.flatMap((one) => one.addresses).filter((address) => isIP(address.split('/')[0] ?? '') !== 0);
  const own = addresses.filter((address) => address.split('/')[0] === defaultRoute?.address);
  // the host's view of itself can lack an interface (simulated hosts): its route's address still counts
  const known =
    own.length > 0 || defaultRoute === undefined || defaultRoute.address === ''
      ? own
      : [`${defaultRoute.address}/${isIP(defaultRoute.address) === 6 ? 128 : 32}`];
  return [...new Set([...known, ...addresses])];
}

/** seen.json of a version that wrote something else counts as unseen: the agent is then brought up to date first. */
function stateIn(seen: unknown): AgentState | undefined {
  const state = seen as Partial<AgentState> | undefined | null;
  if (state === undefined || state === null || typeof state !== 'object') return undefined;
  const isState =
    typeof state.protocol === 'number' &&
    typeof state.version === 'string' &&
    'wanted' in state &&
    typeof state.wantedDigest === 'string' &&
    Array.isArray(state.reconcilers) &&
    Array.isArray(state.nodes);
  return isState ? (state as AgentState) : undefined;
}
