// What hosts say for a bug report: facts, the agent's state and record, logs, and the cluster's view and events. What is wanted of a host is told by digest
// where a person's own text is in it: files and manifests may hold anything.
import {digestOf} from '../../kernel/digest.ts';
import {isTriremeError} from '../../kernel/errors.ts';
import {mapPool} from '../../kernel/pool.ts';
import {askControlPlanes, viewOf} from '../../hostcluster/observe.ts';
import type {AgentState, Wanted} from '../../hostcluster/protocol.ts';
import {shellQuote} from '../../hostcluster/shell.ts';
import {hostsOf} from '../../hostcluster/wanted.ts';
import type {HostObservation} from '../../hosts/facts.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import {agentClusterEvents} from './events.ts';
import {gatherMembers} from './gather.ts';
import type {AgentScope} from './scope.ts';

export interface SupportEntry {
  readonly name: string;
  readonly text: string;
}

export interface SupportOptions {
  /** Lines of each unit's journal. */
  readonly lines: number;
  readonly signal: AbortSignal;
  /** What couldn't be had, and why. */
  missed(what: string, why: string): void;
}

const units = ['trireme-agent', 'kubelet', 'containerd', 'systemd-networkd', 'sshd', 'ssh'];
/** In ms. */
const deadline = 60_000;
/** Events of the agent, the latest. */
const mostEvents = 2000;

/** Never throws for a host that doesn't answer: it is missed, and said so. */
export async function collectFromHosts(cluster: DesiredCluster, scope: AgentScope, options: SupportOptions): Promise<readonly SupportEntry[]> {
  const {signal, missed} = options;
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      missed(what, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  // first of all the cluster's own secrets: what is known can't slip through
  const controlPlanes = hostsOf(cluster).filter((host) => host.role === 'control-plane');
  await attempt("the cluster's secrets, to keep them out", () => scope.secrets.read(controlPlanes.map((host) => host.name)));
  const facts = await gatherMembers(cluster, scope);
  const told = await attempt('what a control plane says', () => askControlPlanes(cluster, facts, scope));
  const events = await attempt('events', () =>
    agentClusterEvents(scope, {warningsOnly: false, signal, warn: (message, host) => missed(`events of ${host}`, message)}),
  );
  const hosts = await mapPool(scope.targets, scope.options.concurrency, async ({host}): Promise<readonly SupportEntry[]> => {
    const observation = facts.observations.find((one) => one.host === host);
    const state = await attempt(`state of the agent on ${host}`, async () => (await scope.link(host)).state({signal}));
    const record = await attempt(`record of the agent on ${host}`, async () => {
      const link = await scope.link(host);
      return link.recorded(Math.max(0, (state?.lastSeq ?? 0) - mostEvents), {signal});
    });
    const logs = await attempt(`logs of ${host}`, () => journal(scope, host, options));
    return [
      ...(observation === undefined ? [] : [json(`hosts/${host}/facts.json`, factsOf(observation))]),
      ...(state === undefined ? [] : [json(`hosts/${host}/agent.json`, withoutTexts(state))]),
      ...(record === undefined ? [] : [{name: `hosts/${host}/agent-events.ndjson`, text: record.map((event) => `${JSON.stringify(event)}\n`).join('')}]),
      ...(logs === undefined ? [] : [{name: `hosts/${host}/journal.txt`, text: logs}]),
    ];
  });
  signal.throwIfAborted();
  return [
    json('cluster/view.json', viewOf(cluster, facts, told, 'agent')),
    ...(events === undefined ? [] : [json('cluster/events.json', events)]),
    ...hosts.flatMap((one) => {
      if (one.status === 'fulfilled') return one.value;
      if (!isTriremeError(one.reason)) throw one.reason;
      return [];
    }),
  ];
}

const json = (name: string, value: unknown): SupportEntry => ({name, text: `${JSON.stringify(value, null, 2)}\n`});

async function journal(scope: AgentScope, host: string, {lines, signal}: SupportOptions): Promise<string> {
  const runner = await scope.runner(host);
  const each = units.map((unit) => `echo "== ${unit}"; journalctl --no-pager -o short-iso -n ${lines} -u ${shellQuote(unit)} 2>&1 || true`);
  const {stdout} = await runner.run(`export LC_ALL=C; ${each.join('; ')}`, {root: true, deadline, signal, repeatable: true});
  return stdout;
}

function factsOf(observation: HostObservation): unknown {
  if (!('facts' in observation)) return observation;
  const {facts} = observation;
  // the agent's own state is beside it
  return {...observation, facts: {...facts, agent: {...facts.agent, seen: undefined}}};
}

function withoutTexts(state: AgentState): unknown {
  return {...state, wanted: state.wanted === null ? null : wantedWithoutTexts(state.wanted)};
}

function wantedWithoutTexts(wanted: Wanted): unknown {
  return {
    ...wanted,
    files: wanted.files.map(({content, ...file}) => ({...file, content: told(content)})),
    layers: wanted.layers.map(({manifest, ...layer}) => ({...layer, manifest: told(manifest)})),
  };
}

const told = (text: string) => `${Buffer.byteLength(text)} bytes, ${digestOf(text)}`;
