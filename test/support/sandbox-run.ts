// A sandbox for a test, and the program in it, in an environment that is the sandbox's only.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {TriremeEvent} from '../../src/kernel/event.ts';
import {startSandbox, type Sandbox, type SandboxOptions} from '../../src/sandbox/sandbox.ts';
import {startTrireme, trireme, type Ran, type RunningProgram, type RunOptions} from './trireme.ts';

export interface TestSandbox extends Sandbox {
  readonly home: string;
  trireme(args: readonly string[], options?: RunOptions): Promise<Ran>;
  start(args: readonly string[], options?: RunOptions): RunningProgram;
}

export async function startTestSandbox(options: SandboxOptions): Promise<TestSandbox> {
  const sandbox = await startSandbox(options);
  const home = await mkdtemp(join(tmpdir(), 'home-'));
  const env = {HOME: home, ...sandbox.env};
  return {
    ...sandbox,
    home,
    trireme: (args, more = {}) => trireme(args, {cwd: home, ...more, env: {...env, ...more.env}}),
    start: (args, more = {}) => startTrireme(args, {cwd: home, ...more, env: {...env, ...more.env}}),
    stop: async () => {
      await sandbox.stop();
      await rm(home, {recursive: true, force: true});
    },
  };
}

/** The events of an `-o ndjson` run; the envelope at the end is left out. */
export function eventsOf(ran: Pick<Ran, 'stdout'>): readonly TriremeEvent[] {
  return ran.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as TriremeEvent)
    .filter((event) => event.type !== undefined);
}
