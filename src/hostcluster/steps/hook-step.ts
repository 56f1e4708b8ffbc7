// A person's own script, run on the host before or after our work.
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {HostClusterScope} from '../scope.ts';
import {shellQuote} from '../shell.ts';

/** In ms. */
const deadline = 10 * 60_000;

/** Runs the script as root, by the interpreter of its first line; its lines are shown. On simulated hosts it isn't run: that would be this computer. */
export function hookStep(work: HostWork, name: 'beforeApply' | 'afterApply', text: string): Step<HostClusterScope> {
  const host = work.host.name;
  const id = `${name === 'beforeApply' ? 'before' : 'after'}:${host}`;
  return {
    id,
    title: `Run hooks.${name}`,
    host,
    effect: 'none',
    check: async () => 'needed',
    apply: async ({scope, signal, emit}) => {
      if (work.member.simulated) return 'not run: the host is simulated';
      const runner = await scope.runner(host);
      const result = await runner.run(hookScript(text), {
        root: true,
        stdin: text,
        deadline,
        signal,
        onLine: (stream, line) => emit({type: 'step.output', step: id, host, stream, line}),
      });
      if (result.code === 0) return undefined;
      throw new TriremeError(
        'host.command-failed',
        `hooks.${name} of ${host} ended with ${result.code}: ${result.stderr.trim().split('\n').at(-1) || 'it says nothing'}`,
        {host, hints: [`The script: ${work.host.hooks?.[name] ?? ''}`]},
      );
    },
  };
}

function hookScript(text: string): string {
  const interpreter = /^#!\s*(.+)/.exec(text)?.[1]?.trim().split(/\s+/) ?? ['/bin/sh'];
  return `t=$(mktemp) || exit 1; trap 'rm -f "$t"' EXIT; cat >"$t"; ${interpreter.map(shellQuote).join(' ')} "$t" </dev/null`;
}
