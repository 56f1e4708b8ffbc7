// Everything of ours off a host. The work is the agent's program's, brought along in this version and run by the runtime that is on the host.
import {readFile} from 'node:fs/promises';
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {PushFile} from '../facts.ts';
import {agentPaths} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {rootedPath, shellQuote} from '../shell.ts';

/** In ms: a host full of pods and images takes minutes. */
const times = {reset: 10 * 60_000, look: 30_000};

export interface ResetStepOptions {
  readonly host: string;
  /** The agent's program of this version. */
  readonly program: PushFile;
  /** Folder of the agent's program on the host, `spec.agent.root`. */
  readonly root: string;
  /** Id of the cluster that it has to belong to; empty: any. */
  readonly cluster: string;
  /** Whoever's host it is: a person has typed its name. */
  readonly anybodys?: boolean;
}

/** The exit code of a program that found another's host, and touched nothing. */
const foreign = 8;

interface Report {
  readonly removed: readonly string[];
  readonly kept: readonly {readonly what: string; readonly why: string}[];
  readonly failed: readonly {readonly what: string; readonly why: string}[];
}

/** Takes everything of ours off the host. What stays is said, line by line. Throws `host.reset-incomplete`, `cluster.foreign`. */
export function resetStep(options: ResetStepOptions): Step<HostClusterScope> {
  const {host} = options;
  const id = `reset:${host}`;
  return {
    id,
    title: 'Take everything of ours off the host',
    host,
    effect: 'replace',
    check: async ({scope}) => {
      const runner = await scope.runner(host);
      const {stdout} = await runner.run(lookScript(options.root), {root: true, deadline: times.look, repeatable: true});
      return stdout.trim() === '' ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal, emit}) => {
      const runner = await scope.runner(host);
      const result = await runner.run(resetScript(options), {root: true, stdin: await readFile(options.program.path), deadline: times.reset, signal});
      const report = reportIn(result.stdout);
      if (report === undefined) throw failed(host, result.stderr, result.code);
      const line = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => emit({type: 'step.output', step: id, host, stream, line: text});
      for (const {what, why} of report.kept) line(`kept: ${what} (${why})`);
      for (const {what, why} of report.failed) line(`${what}: ${why}`, 'stderr');
      // its connection to an agent that is gone is of no more use
      await scope.forget(host);
      if (report.failed.length > 0)
        throw new TriremeError(
          'host.reset-incomplete',
          `Not everything could be taken off ${host}: ${report.failed.map(({what, why}) => `${what}: ${why}`).join('; ')}`,
          {host, hints: ['Reboot the host, and run it again: what is left of ours is found again.'], details: {report}},
        );
      return report.kept.length === 0 ? 'nothing is left' : `kept on purpose: ${report.kept.map(({what}) => what).join(', ')}`;
    },
  };
}

/** Prints what of ours is there. */
function lookScript(root: string): string {
  return `for p in ${[root, agentPaths.state, agentPaths.unit].map(rootedPath).join(' ')}; do [ ! -e "$p" ] || echo "$p"; done`;
}

/** The agent is stopped first: it would repair what is taken away. Without a runtime nothing but the agent's own can be there. */
function resetScript({host, root, cluster, anybodys}: ResetStepOptions): string {
  const who = anybodys === true ? '--any' : `--node=${shellQuote(host)} --cluster=${shellQuote(cluster)}`;
  return `set -u
root=${rootedPath(root)}
state=${rootedPath(agentPaths.state)}
run=${rootedPath('/run/trireme')}
umask 077
mkdir -p "$run" && cat >"$run/reset.mjs" || exit 1
systemctl disable --now --quiet trireme-agent.service >/dev/null 2>&1
node="$root/current/node"
if [ -x "$node" ]; then
  "$node" "$run/reset.mjs" reset --program=${shellQuote(root)} ${who}
  code=$?
  # another's host: it goes on as it was
  [ "$code" != 8 ] || systemctl enable --now --quiet trireme-agent.service >/dev/null 2>&1
elif [ -e "$state/records.json" ]; then
  echo "the runtime in $root is gone, and what else there is can't be told without it" >&2
  code=1
else
  rm -rf "$root" "$state" ${[agentPaths.unit, agentPaths.command].map(rootedPath).join(' ')}
  echo '{"removed":["the agent"],"kept":[],"failed":[]}'
  code=0
fi
rm -rf "$run"
systemctl daemon-reload >/dev/null 2>&1
systemctl reset-failed trireme-agent.service >/dev/null 2>&1
exit "$code"
`;
}

function reportIn(stdout: string): Report | undefined {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  try {
    const report = JSON.parse(line) as Partial<Report>;
    return Array.isArray(report.removed) && Array.isArray(report.kept) && Array.isArray(report.failed) ? (report as Report) : undefined;
  } catch {
    return undefined;
  }
}

function failed(host: string, stderr: string, code: number): TriremeError {
  const lines = stderr.trim().split('\n');
  if (code === foreign)
    return new TriremeError('cluster.foreign', `${host} isn't what it's taken for. ${lines.at(-1)}`, {
      host,
      hints: ['Check that the file names the right host.'],
    });
  return new TriremeError('host.reset-incomplete', `Can't take everything off ${host}: ${lines.at(-1) || `exit code ${code}`}`, {
    host,
    hints: [`Where the runtime is gone: trireme apply --limit ${host} brings it back, then reset it again.`],
  });
}
