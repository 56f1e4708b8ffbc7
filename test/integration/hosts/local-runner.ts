// A HostRunner whose host is this computer: scripts go through a shell of choice, over standard input, as the real one does.
import {exec} from '../../../src/kernel/exec.ts';
import type {HostRunner, RunOptions} from '../../../src/ssh/runner.ts';

export interface LocalRunnerOptions {
  readonly host: string;
  /** Program and arguments, such as ['busybox', 'ash']. */
  readonly shell?: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

export function localRunner(options: LocalRunnerOptions): HostRunner & {readonly scripts: readonly string[]} {
  const [program, ...args] = options.shell ?? ['/bin/sh'];
  const scripts: string[] = [];
  return {
    host: options.host,
    scripts,
    get roundTrips() {
      return scripts.length;
    },
    run: (script: string, run: RunOptions) => {
      scripts.push(script);
      return exec(program, args, {
        stdin: script,
        env: {PATH: process.env['PATH'], ...options.env},
        deadline: run.deadline,
        ...(run.signal === undefined ? {} : {signal: run.signal}),
      });
    },
    open: () => Promise.reject(new Error('not needed here')),
    close: () => Promise.resolve(),
  };
}
