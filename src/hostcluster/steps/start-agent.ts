// The agent on a host: installed beside the old, started, and asked until it answers.
import {TriremeError} from '../../kernel/errors.ts';
import {waitFor} from '../../kernel/retry.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import {agentLogScript, digestsText, installOptionsOf, installScript, rollbackScript, versionName, type InstallOptions} from '../install.ts';
import type {AgentState} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {rootedPath} from '../shell.ts';
import {renderUnit} from '../unit.ts';

/** In ms. A small host under load needs a while to start Node. */
const times = {install: 120_000, command: 30_000, answer: 60_000, interval: 500};

/** Installs and starts the agent where it isn't the wanted one or doesn't run. */
export function agentStep(work: Pick<HostWork, 'host' | 'member' | 'install'>, root: string): Step<HostClusterScope> {
  const host = work.host.name;
  const options = installOptionsOf(work, root);
  return {
    id: `agent:${host}`,
    title: work.member.programDigest === undefined ? 'Install and start the agent' : 'Start the agent',
    host,
    effect: 'none',
    check: async ({scope}) => {
      const runner = await scope.runner(host);
      const {stdout} = await runner.run(`cat ${rootedPath(`${root}/current/digests.json`)} 2>/dev/null || true`, {
        root: true,
        deadline: times.command,
        repeatable: true,
      });
      if (stdout.trim() !== digestsText(options)) return 'needed';
      return (await stateOrUndefined(scope, host)) === undefined ? 'needed' : 'satisfied';
    },
    apply: async (context) => {
      await install(context, host, options);
      const state = await waitForAnswer(context, host, options);
      if (state?.fellBack?.from === versionName(options)) throw fellBack(host, state);
      if (state !== undefined) return `version ${state.version} answers`;
      throw await didNotAnswer(context, host, root);
    },
  };
}

async function install({scope, signal}: StepContext<HostClusterScope>, host: string, options: InstallOptions): Promise<void> {
  const runner = await scope.runner(host);
  const result = await runner.run(installScript(options), {root: true, stdin: renderUnit(options), deadline: times.install, signal});
  if (result.code === 0) return;
  const last = result.stderr.trim().split('\n').at(-1) ?? `exit code ${result.code}`;
  if (result.code === 3) {
    throw new TriremeError('agent.runtime-missing', `This computer's Node runtime doesn't run on ${host}: ${last}`, {
      host,
      hints: [`Name another in the file, at spec.agent.runtime: Node's own download for Linux runs wherever glibc is 2.28 or newer.`],
    });
  }
  if (/No space left on device/i.test(result.stderr))
    throw new TriremeError('host.disk-full', `There's no room for the agent on ${host}, below ${options.root}.`, {
      host,
      hints: ['Make room: the agent and its runtime take about 110 MiB.'],
    });
  throw new TriremeError('host.command-failed', `Can't install the agent on ${host}: ${last}`, {
    host,
    hints: ['See that the folder is writable; on a read-only /usr set spec.agent.root in the file.'],
    details: {exitCode: result.code},
  });
}

/** The new one's answer: the old one may answer for a moment, and again when it was gone back to. */
async function waitForAnswer({scope, signal}: StepContext<HostClusterScope>, host: string, options: InstallOptions): Promise<AgentState | undefined> {
  const look = async () => {
    const state = await stateOrUndefined(scope, host, signal);
    return state?.build === options.programDigest || state?.fellBack?.from === versionName(options) ? state : undefined;
  };
  return waitFor(look, {timeout: times.answer, interval: times.interval, signal});
}

function fellBack(host: string, state: AgentState): TriremeError {
  return new TriremeError('agent.fell-back', `The new agent on ${host} didn't stay up, and went back by itself: ${state.version} runs there again.`, {
    host,
    hints: [`Look at its log: trireme agent logs ${host}`],
    details: {from: state.fellBack?.from, at: state.fellBack?.at},
  });
}

/** A protocol that we don't speak throws; silence doesn't. */
async function stateOrUndefined(scope: HostClusterScope, host: string, signal?: AbortSignal): Promise<AgentState | undefined> {
  try {
    return await (await scope.link(host)).state(signal === undefined ? {} : {signal});
  } catch (error) {
    if (error instanceof TriremeError && (error.code === 'agent.not-answering' || error.code === 'agent.not-installed')) return undefined;
    throw error;
  }
}

/** The new one is silent: back to the one before, and say so. */
async function didNotAnswer({scope, signal}: StepContext<HostClusterScope>, host: string, root: string): Promise<TriremeError> {
  const runner = await scope.runner(host);
  const log = await runner.run(agentLogScript, {root: true, deadline: times.command, signal});
  const rollback = await runner.run(rollbackScript(root), {root: true, deadline: times.command, signal});
  const before = rollback.stdout.split('\n')[0]?.trim() ?? '';
  const fate = before === '' ? '' : ' The version before it was started again.';
  const last = log.stdout.trim().split('\n').at(-1)?.trim();
  return new TriremeError('agent.not-answering', `The agent on ${host} was started and doesn't answer after ${times.answer / 1000} s.${fate}`, {
    host,
    hints: [...(last === undefined || last === '' ? [] : [`It says last: ${last}`]), `Look at its log: trireme agent logs ${host}`],
  });
}
