// Takes everything of ours off a host, by what the agent noted before and while it worked. It may be run again after a power cut: the notes go last.
import {TriremeError} from '../../kernel/errors.ts';
import {agentPaths, type Wanted} from '../../hostcluster/protocol.ts';
import {baselineOf} from '../baseline.ts';
import {simulatedHost} from '../distributions/simulated/host.ts';
import {realHost, type HostSystem} from '../host-system.ts';
import {Records} from '../records.ts';
import {readJson} from '../state.ts';
import {cleanNetwork} from './network.ts';
import {removeFiles, removeIfEmpty, removeTree, unmountAll} from './places.ts';
import {ResetLog, type ResetReport} from './report.ts';
import {removeServedAddress} from './served-address.ts';
import {endWorkloads} from './workloads.ts';

export interface ResetOptions {
  /** `TRIREME_ROOT`; empty on a real host. */
  readonly root: string;
  /** Folder of the agent's program, `spec.agent.root`. */
  readonly program: string;
  /** Whose host it has to be: `NAME` of the node and `ID` of the cluster. Absent: anybody's. */
  readonly expected?: {readonly node: string; readonly cluster: string};
}

interface Installed {
  readonly stamps: Readonly<Record<string, string>>;
}

/** What stays on purpose, where it's there. */
const logs = {
  '/var/log/pods': 'logs of pods',
  '/var/log/containers': 'links into the logs of pods',
} as const;

/** Resets this host. The agent must have been stopped. Throws `cluster.foreign` when it's another's. */
export async function resetHost(options: ResetOptions): Promise<ResetReport> {
  const at = (path: string) => `${options.root}${path}`;
  const wanted = await readJson<Wanted>(at(agentPaths.wanted));
  requireExpected(wanted, options);
  const records = await Records.open(at(`${agentPaths.state}/records.json`));
  const host =
    options.root === '' ? realHost(wanted?.node.name ?? 'this host', '/usr/local/bin') : simulatedHost(wanted?.node.name ?? 'this host', options.root);
  const baseline = baselineOf(records);
  const log = new ResetLog();
  const installed = records.keys.filter((key) => key.startsWith('installed.')).map((key) => records.get<Installed>(key));
  const programs = installed.flatMap((one) => Object.keys(one?.stamps ?? {}));
  if (host.simulated) await removeTree(host, '/run/systemd');
  else await endWorkloads(host, programs, log);
  await unmountAll(host, baseline, log);
  const served = host.simulated ? undefined : servedBy(wanted);
  if (served !== undefined) await log.attempt(`address ${served}`, () => removeServedAddress(host, served, log));
  if (!host.simulated) await cleanNetwork(host, baseline, log);
  await removeFiles(host, baseline, {programs, files: records.get<Readonly<Record<string, boolean>>>('files') ?? {}}, log);
  await restoreSysctls(host, records.get<Readonly<Record<string, string | null>>>('sysctl.before') ?? {}, log);
  for (const [path, why] of Object.entries(logs)) {
    await removeIfEmpty(host, path);
    if (await host.exists(path)) log.kept(path, why);
  }
  if (!host.simulated) {
    log.kept('journal', "what services said is the system's log");
    log.kept('kernel modules', 'overlay and br_netfilter stay loaded until the next boot');
  }
  await removeAgent(host, options, log);
  return log.report;
}

/** The endpoint's address, where this host was one of those that serve it. What lies on disk may be another version's. */
function servedBy(wanted: Partial<Wanted> | undefined): string | undefined {
  return wanted?.endpoint?.vip === undefined ? undefined : wanted.endpoint.host;
}

function requireExpected(wanted: Wanted | undefined, {expected}: ResetOptions): void {
  if (wanted === undefined || expected === undefined) return;
  if (wanted.node.name === expected.node && (expected.cluster === '' || wanted.cluster.id === expected.cluster)) return;
  throw new TriremeError(
    'cluster.foreign',
    `This host is ${wanted.node.name} of the cluster ${wanted.cluster.name} (${wanted.cluster.id}): nothing was touched.`,
  );
}

async function restoreSysctls(host: HostSystem, before: Readonly<Record<string, string | null>>, log: ResetLog): Promise<void> {
  for (const [path, value] of Object.entries(before)) {
    await log.attempt(path, async () => {
      if (value !== null && (await host.exists(path))) await host.write(path, value);
      else if (host.simulated) await host.remove(path);
    });
  }
}

/** Its unit and program, and in the end its state, without which the rest couldn't be found again. */
async function removeAgent(host: HostSystem, {program}: ResetOptions, log: ResetLog): Promise<void> {
  // with something left the next try needs the runtime and the notes
  if (log.report.failed.length > 0) return;
  for (const path of [agentPaths.unit, `${agentPaths.unit}.new`, agentPaths.command]) await host.remove(path);
  await host.remove(`/etc/systemd/system/multi-user.target.wants/${agentPaths.unit.split('/').at(-1)}`);
  await removeTree(host, program);
  await removeTree(host, agentPaths.state);
  log.removed('the agent');
}
