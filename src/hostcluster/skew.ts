// Which changes of the Kubernetes version a cluster may take, and in which part of it. Pure; the rules are in spec/versions.ts.
import {TriremeError} from '../kernel/errors.ts';
import type {Warning} from '../plan/plan.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {compareVersions, kubeletProblem, minorOf, parseVersion, upgradeProblem} from '../spec/versions.ts';
import {isReached, type HostClusterFacts, type MemberFacts} from './facts.ts';
import {hostsOf, nodesIn, observationOf, runningVersion} from './wanted.ts';

/** A host that isn't at the wanted version yet. */
interface Behind {
  readonly host: string;
  readonly running: string;
}

/** Throws `plan.refused` for a downgrade, a skipped minor, and whatever would leave a kubelet newer than an API server or too old for one. */
export function refuseSkew(cluster: DesiredCluster, facts: HostClusterFacts, chosen: ReadonlySet<string>): void {
  const to = cluster.document.spec.kubernetes.version;
  const members = membersOf(cluster, facts);
  const behind = members.filter((one) => one.running !== to);
  if (behind.length === 0) return;
  for (const one of members) refuseJump(one, to);
  const planes = behind.filter((one) => one.role === 'control-plane');
  const workers = behind.filter((one) => one.role === 'worker');
  const left = planes.filter((one) => !chosen.has(one.host));
  const touched = workers.filter((one) => chosen.has(one.host));
  const known = new Set(nodesIn(facts).map((node) => node.name));
  const silent = hostsOf(cluster).filter((host) => host.role === 'control-plane' && !answers(facts, host.name) && (known.size === 0 || known.has(host.name)));
  const joining = hostsOf(cluster).filter((host) => chosen.has(host.name) && answers(facts, host.name) && !members.some((one) => one.host === host.name));
  if (joining.length > 0 && planes.length > 0)
    throw refusal(
      `${joining.map((host) => host.name).join(', ')} would join with ${to} while API servers are at ${planes[0]?.running}, and a kubelet may not be newer than an API server.`,
      [`Upgrade first: trireme apply --limit ${members.map((one) => one.host).join(',')}`, 'Or add hosts first, at the version that runs.'],
    );
  if (touched.length > 0 && left.length > 0)
    throw refusal(`The limit leaves out ${names(left)}, and a kubelet may not be newer than an API server.`, [
      `Take ${left.length === 1 ? 'it' : 'them'} in, or upgrade control planes first.`,
    ]);
  if (silent.length > 0 && members.some((one) => chosen.has(one.host) && one.running !== to))
    throw refusal(
      `${silent.map((host) => host.name).join(', ')} can't be reached: an upgrade would leave its API server behind, and a kubelet may not be newer than it.`,
      ['Bring it back, or take it out of the cluster first.'],
    );
  // those that stay behind must still be understood
  for (const one of workers) {
    const problem = chosen.has(one.host) || planes.length === 0 ? undefined : kubeletProblem(one.running, to);
    if (problem !== undefined) throw refusal(`${one.host}: ${problem.message}`, [`Upgrade ${one.host} first.`], problem.rule);
  }
}

/** What else should be known before. */
export function versionWarnings(cluster: DesiredCluster, facts: HostClusterFacts): readonly Warning[] {
  const to = cluster.document.spec.kubernetes.version;
  const planes = membersOf(cluster, facts).filter((one) => one.role === 'control-plane');
  const behind = planes.filter((one) => one.running !== to);
  const endpoint = cluster.document.spec.endpoint.host;
  if (behind.length === 0) return [];
  const own = hostsOf(cluster).find(
    (host) => behind.some((one) => one.host === host.name) && [host.address, host.name, ...addressesOf(host.nodeAddress)].includes(endpoint),
  );
  if (planes.length === 1 || own !== undefined)
    return [
      {
        code: 'api.interrupted',
        message: `While ${own?.name ?? behind[0]?.host} is upgraded the Kubernetes API doesn't answer for a moment${planes.length === 1 ? ': there is no other control plane' : `: the endpoint ${endpoint} is that host`}. What runs goes on.`,
      },
    ];
  return [];
}

const addressesOf = (value: string | readonly string[] | undefined) => (value === undefined ? [] : typeof value === 'string' ? [value] : value);

function refuseJump({host, role, running}: Behind & {readonly role: string}, to: string): void {
  const [a, b] = [parseVersion(running), parseVersion(to)];
  if (a === undefined || b === undefined) return;
  if (role === 'control-plane' || compareVersions(b, a) < 0) {
    const problem = upgradeProblem(running, to);
    if (problem === undefined) return;
    const hint =
      problem.rule === 'version.downgrade'
        ? `Take spec.kubernetes.version back to ${running}.`
        : `Go to ${minorOf({...a, minor: a.minor + 1})} first: trireme cluster upgrade --to`;
    throw refusal(`${host}: ${problem.message}`, [hint], problem.rule);
  }
}

function membersOf(cluster: DesiredCluster, facts: HostClusterFacts): readonly (Behind & {readonly role: string})[] {
  return hostsOf(cluster).flatMap((host) => {
    const observation = observationOf(facts, host.name);
    const running = observation !== undefined && isReached(observation) ? runningVersion(observation as MemberFacts) : undefined;
    return running === undefined ? [] : [{host: host.name, role: host.role, running}];
  });
}

function answers(facts: HostClusterFacts, host: string): boolean {
  const observation = observationOf(facts, host);
  return observation !== undefined && isReached(observation);
}

function refusal(message: string, hints: readonly string[], rule?: string): TriremeError {
  return new TriremeError('plan.refused', message, {hints, ...(rule === undefined ? {} : {details: {rule}})});
}

const names = (list: readonly Behind[]) => list.map((one) => `${one.host} (${one.running})`).join(', ');
