// A person's command on a host that is out of service, the reboot that it asks for, and the way back.
import {digestOf} from '../../kernel/digest.ts';
import {TriremeError} from '../../kernel/errors.ts';
import {waitFor} from '../../kernel/retry.ts';
import {nodes} from '../../kube/node-pods.ts';
import {listAt, textAt} from '../../kube/object.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import {agentPaths} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {rootedPath, shellQuote} from '../shell.ts';
import {apiOf, type NodeStepOptions} from './drain-step.ts';

export type Reboot = 'auto' | 'always' | 'never';

export interface Maintenance extends NodeStepOptions {
  readonly role: 'control-plane' | 'worker';
  /** On simulated hosts nothing is run, and nothing rebooted: that would be this computer. */
  readonly simulated: boolean;
  /** A shell script. */
  readonly script: string;
  /** The command as it was typed, for people. */
  readonly shown: string;
  readonly reboot: Reboot;
  /** ISO 8601. */
  readonly since: string;
  /** What was done since isn't done again. */
  readonly resumes: boolean;
}

/** What a host notes of its last maintenance. */
export interface MaintenanceRecord {
  /** Digest of the script. */
  readonly command: string;
  /** ISO 8601, by the operator's clock. */
  readonly at: string;
  /** The host's boot in which the command was run. */
  readonly boot: string;
  /** The host came back from it. */
  readonly finished?: boolean;
}

const recordPath = `${agentPaths.state}/maintained.json`;
const bootId = '/proc/sys/kernel/random/boot_id';
/** In ms, where no --timeout was given. */
const times = {command: 60 * 60_000, reboot: 20 * 60_000, back: 10 * 60_000, look: 15_000, interval: 1000};

type Context = StepContext<HostClusterScope>;
type Reading = Pick<Context, 'scope' | 'signal'>;

async function read({scope, signal}: Reading, host: string, script: string): Promise<string> {
  const {stdout} = await (await scope.runner(host)).run(script, {root: true, deadline: times.look, repeatable: true, signal});
  return stdout.trim();
}

/** What the host notes; undefined when it notes nothing that can be read. */
export async function readRecord(context: Reading, host: string): Promise<MaintenanceRecord | undefined> {
  try {
    return JSON.parse(await read(context, host, `cat ${rootedPath(recordPath)} 2>/dev/null || true`)) as MaintenanceRecord;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The record of this very maintenance. */
async function ownRecord(context: Reading, work: Maintenance): Promise<MaintenanceRecord | undefined> {
  const record = await readRecord(context, work.host);
  return record?.command === digestOf(work.script) && record.at >= work.since ? record : undefined;
}

/** Runs the command as root; its lines are shown. */
export function commandStep(work: Maintenance): Step<HostClusterScope> {
  const {host} = work;
  const id = `maintain:${host}`;
  return {
    id,
    title: 'Run the command',
    host,
    effect: 'drain',
    check: async (context) => (work.resumes && (await ownRecord(context, work)) !== undefined ? 'satisfied' : 'needed'),
    apply: async ({scope, signal, emit}) => {
      const runner = await scope.runner(host);
      const at = new Date().toISOString();
      const note = noteScript({command: digestOf(work.script), at, boot: '$boot'});
      // the script comes by standard input: it may hold what nobody else on the host shall read
      const script = work.simulated
        ? `boot=simulated\n${note}`
        : `boot=$(cat ${bootId})\nt=$(mktemp) || exit 1; trap 'rm -f "$t"' EXIT; cat >"$t"\n/bin/sh "$t" </dev/null || exit $?\n${note}`;
      const result = await runner.run(script, {
        root: true,
        stdin: work.script,
        deadline: scope.patience ?? times.command,
        signal,
        onLine: (stream, line) => emit({type: 'step.output', step: id, host, stream, line, asked: true}),
      });
      if (result.code === 0) return work.simulated ? 'not run: the host is simulated' : undefined;
      const last = result.stderr.trim().split('\n').at(-1);
      throw new TriremeError(
        'host.command-failed',
        `The command ended with ${result.code} on ${host}: ${last === undefined || last === '' ? 'it says nothing more' : last}`,
        {
          host,
          hints: [`${host} stays cordoned. Once it's well: trireme machine uncordon ${host}`],
          details: {code: result.code},
        },
      );
    },
  };
}

/** Writes the record whole or not at all; `$boot` is the shell's. */
function noteScript(record: {readonly command: string; readonly at: string; readonly boot: string}): string {
  const path = rootedPath(recordPath);
  return `mkdir -p ${rootedPath(agentPaths.state)} && printf '{"command":"%s","at":"%s","boot":"%s"}\\n' ${shellQuote(record.command)} ${shellQuote(record.at)} "$boot" >${path}.new${placeNew(path)}`;
}

/** The new record gets its name, so that a power cut leaves it or the one before. */
function placeNew(path: string): string {
  return ` && { sync ${path}.new 2>/dev/null || sync; } && mv -f ${path}.new ${path} && { sync ${rootedPath(agentPaths.state)} 2>/dev/null || sync; }`;
}

/** Debian's mark, and one for whoever has none of their own. */
const asksForReboot = '[ -e /run/reboot-required ] || [ -e /var/run/reboot-required ] || [ -e /run/trireme/reboot-required ] && echo yes || true';

/** Reboots the host where it has to be, and waits until it has. */
export function rebootStep(work: Maintenance): Step<HostClusterScope> {
  const {host} = work;
  const hasRebooted = async (context: Reading, boot: string) => {
    const now = await read(context, host, `cat ${bootId}`);
    return now !== '' && now !== boot;
  };
  return {
    id: `reboot:${host}`,
    title: work.reboot === 'always' ? 'Reboot' : 'Reboot if needed',
    host,
    effect: work.reboot === 'never' ? 'none' : 'reboot',
    check: async (context) => {
      if (work.reboot === 'never' || work.simulated) return 'satisfied';
      const record = await ownRecord(context, work);
      if (record !== undefined && (await hasRebooted(context, record.boot))) return 'satisfied';
      return work.reboot === 'always' || (await read(context, host, asksForReboot)) === 'yes' ? 'needed' : 'satisfied';
    },
    apply: async (context) => {
      const {scope, signal, stopping} = context;
      const started = Date.now();
      const boot = await read(context, host, `cat ${bootId}`);
      // from a process of its own, so that this answers before the connection goes
      await (await scope.runner(host)).run('nohup sh -c "sleep 1; systemctl reboot" >/dev/null 2>&1 </dev/null &', {root: true, deadline: times.look, signal});
      const timeout = scope.patience ?? times.reboot;
      const isBack = await waitFor(
        async () => {
          try {
            if (await hasRebooted(context, boot)) return true;
          } catch {
            signal.throwIfAborted();
            await scope.forget(host);
          }
          return undefined;
        },
        {timeout, interval: times.interval, signal: AbortSignal.any([signal, stopping])},
      );
      if (isBack === true) return `after ${Math.round((Date.now() - started) / 1000)} s`;
      throw new TriremeError('wait.timed-out', `${host} didn't come back from its reboot within ${timeout / 60_000} minutes.`, {
        host,
        hints: [`Look at its screen. It stays cordoned; once it's back: trireme machine uncordon ${host}`],
      });
    },
  };
}

/** Waits until the host's agent answers, its node is Ready in this very boot, and a control plane's own API server is ready; then notes the end. */
export function backStep(work: Maintenance): Step<HostClusterScope> {
  const {host, node} = work;
  const whyNot = async (context: Reading): Promise<string | undefined> => {
    const {scope, signal} = context;
    const state = await (await scope.link(host)).state({signal});
    if (!state.converged) return 'its agent is still at work';
    const found = await apiOf(context, work).get(nodes, {name: node}, {signal});
    const ready = listAt(found, 'status', 'conditions').find((one) => textAt(one, 'type') === 'Ready');
    if (textAt(ready, 'status') !== 'True') return `its node isn't Ready: ${textAt(ready, 'message') ?? 'it is not told why'}`;
    if (work.simulated) return undefined;
    if (textAt(found, 'status', 'nodeInfo', 'bootID') !== (await read(context, host, `cat ${bootId}`))) return "its kubelet hasn't told of this boot yet";
    if (work.role !== 'control-plane') return undefined;
    const answer = await (await scope.link(host)).kubernetes({method: 'GET', path: '/readyz', own: true}, {signal});
    return answer.status === 200 ? undefined : `its API server isn't ready: ${answer.text.slice(0, 200)}`;
  };
  return {
    id: `back:${host}`,
    title: 'Wait until it is Ready',
    host,
    effect: 'none',
    check: async () => 'needed', // the end is noted in any case
    apply: async (context) => {
      const {scope, signal, stopping} = context;
      const timeout = scope.patience ?? times.back;
      let why: string | undefined;
      const isBack = await waitFor(
        async () => {
          try {
            why = await whyNot(context);
          } catch (error) {
            signal.throwIfAborted();
            why = (error as Error).message;
            await scope.forget(host);
          }
          return why === undefined ? true : undefined;
        },
        {timeout, interval: times.interval, signal: AbortSignal.any([signal, stopping])},
      );
      if (isBack !== true)
        throw new TriremeError('wait.timed-out', `${host} isn't well ${timeout / 60_000} minutes after its maintenance: ${why ?? ''}`, {
          host,
          hints: [`It stays cordoned. See why: trireme status`, `Once it's well: trireme machine uncordon ${host}`],
        });
      const record = await ownRecord(context, work);
      if (record !== undefined) {
        const path = rootedPath(recordPath);
        const text = JSON.stringify({...record, finished: true});
        await (await scope.runner(host)).run(`printf '%s\\n' ${shellQuote(text)} >${path}.new${placeNew(path)}`, {root: true, deadline: times.look, signal});
      }
      scope.progress.converged.add(host);
      return 'is well';
    },
  };
}
