// The desk: what screens may ask for. They get plain data and callbacks, and start nothing themselves.
import {createReplay, type Replay} from '../fleet/replay.ts';
import {isRunAlive, listRunRows, readRunRow, type ListRunsOptions, type RunRow} from '../fleet/run-rows.ts';
import {followRunOnDisk, type RunStore} from '../fleet/run-store.ts';
import {mapPool} from '../kernel/pool.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import {readRun, type RunHeader} from '../plan/ledger.ts';
import type {Action, ActionRequest, Subject} from './action.ts';
import {argvOf, previewArgv, runArgv} from './argv.ts';
import {actions} from './table.ts';
import {offersForAll, type ModeCapabilities, type Offer} from './offers.ts';
import type {PlannedChange, Preview} from './preview.ts';
import {askProgram, launchProgram, runOnTerminal, sweepLaunched, type Envelope, type OwnProgram} from './own-program.ts';

export interface Started {
  readonly request: ActionRequest;
  /** Of the run that has begun. */
  readonly run?: string;
  /** It ended at once, and well: nothing had to be done, or it is done. */
  readonly said?: string;
  readonly problem?: Problem;
}

export interface Desk {
  /** The whole table. */
  readonly actions: readonly Action[];
  /** Set as long as what the modes can do is still being read: offers are right once it has resolved. */
  readonly pending?: Promise<void> | undefined;
  offers(subjects: readonly Subject[]): readonly Offer[];
  commandLine(request: ActionRequest): string;
  /** The plans of all of them; never rejects, except when the signal aborts. */
  preview(requests: readonly ActionRequest[], signal: AbortSignal): Promise<readonly Preview[]>;
  /** Begins a run for each; they go on whatever becomes of this program. Never rejects. */
  start(requests: readonly ActionRequest[]): Promise<readonly Started[]>;
  /** Runs a command that needs the terminal; the screen must have let go of it. Returns its exit code. */
  handOver(request: ActionRequest): Promise<number>;
  readonly runs: RunDesk;
}

export interface RunDesk {
  list(options: ListRunsOptions): Promise<readonly RunRow[]>;
  follow(run: string): RunStore;
  /** Throws `run.not-found`, `ledger.damaged`. */
  replay(run: string): Promise<Replay>;
  /** Asks a run to stop, as Ctrl-C does: what runs is finished, nothing new begins; the second time it leaves. False when it doesn't live any more. */
  stop(run: string): Promise<boolean>;
}

export interface DeskOptions {
  readonly program: OwnProgram;
  readonly modes: ModeCapabilities;
  /** Resolves when `modes` is filled. Absent: it is. */
  readonly loading?: Promise<unknown>;
}

/** Each is a process that loads the whole program. */
const previewsAtOnce = 3;
const startsAtOnce = 4;

export function createDesk({program, modes, loading}: DeskOptions): Desk {
  let pending = loading?.then(
    () => void (pending = undefined),
    () => void (pending = undefined),
  );
  void sweepLaunched(program.folder).catch(() => {}); // only tidiness
  return {
    actions,
    get pending() {
      return pending;
    },
    offers: (subjects) => offersForAll(subjects, modes),
    commandLine: (request) => lineOf(argvOf(request)),
    preview: async (requests, signal) => {
      const settled = await mapPool(requests, previewsAtOnce, (request) => previewOf(program, request, signal));
      signal.throwIfAborted();
      return settled.map((one, index) => (one.status === 'fulfilled' ? one.value : failed(requests[index] as ActionRequest, one.reason)));
    },
    start: async (requests) => {
      const settled = await mapPool(requests, startsAtOnce, (request) => startOf(program, request));
      return settled.map((one, index) =>
        one.status === 'fulfilled' ? one.value : {request: requests[index] as ActionRequest, problem: problemOf(one.reason)},
      );
    },
    handOver: (request) => runOnTerminal(program, argvOf(request)),
    runs: createRunDesk(program.folder),
  };
}

/** Runs on disk alone: all that history needs. `folder` is the state folder. */
export function createRunDesk(folder: string): RunDesk {
  return {
    list: (options) => listRunRows(folder, options),
    follow: (run) => followRunOnDisk(folder, run),
    replay: async (run) => createReplay((await readRun(folder, run)).events),
    stop: async (run) => {
      const {header} = await readRunRow(folder, run);
      return header !== undefined && (await stopRun(folder, header));
    },
  };
}

async function stopRun(folder: string, header: RunHeader): Promise<boolean> {
  if (!(await isRunAlive(folder, header))) return false;
  try {
    process.kill(header.pid, 'SIGINT');
    return true;
  } catch {
    return false;
  }
}

async function previewOf(program: OwnProgram, request: ActionRequest, signal: AbortSignal): Promise<Preview> {
  const envelope = await askProgram(program, previewArgv(request), signal);
  const result = envelope.result as {readonly plan?: PlannedChange; readonly file?: {readonly path: string; readonly diff: string} | null} | null;
  return {
    request,
    commandLine: lineOf(argvOf(request)),
    warnings: envelope.warnings,
    ...(result?.plan === undefined ? {} : {plan: result.plan}),
    ...(result?.file === undefined || result.file === null || result.file.diff === '' ? {} : {file: {path: result.file.path, diff: result.file.diff}}),
    ...(envelope.problem === undefined ? {} : {problem: envelope.problem}),
  };
}

function failed(request: ActionRequest, reason: unknown): Preview {
  return {request, commandLine: lineOf(argvOf(request)), warnings: [], problem: problemOf(reason)};
}

async function startOf(program: OwnProgram, request: ActionRequest): Promise<Started> {
  if (request.action.kind === 'answer') {
    const envelope = await askProgram(program, [...argvOf(request), '-o', 'json'], new AbortController().signal);
    return {request, ...(envelope.problem === undefined ? {said: answerText(envelope)} : {problem: envelope.problem})};
  }
  const launched = await launchProgram(program, runArgv(request));
  if (launched.kind === 'run') return {request, run: launched.run};
  const {problem} = launched.envelope;
  return {request, ...(problem === undefined ? {said: 'unchanged: there was nothing to do'} : {problem})};
}

/** A command's short answer. Only `cluster kubeconfig` has one by now. */
function answerText({result}: Envelope): string {
  const {merged} = (result ?? {}) as {readonly merged?: {readonly path: string; readonly changed: boolean; readonly currentContext: string}};
  if (merged === undefined) return 'done';
  return `${merged.changed ? 'merged into' : 'already in'} ${merged.path}; the current context is ${merged.currentContext || 'none'}`;
}

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** The command line, with quotes where a shell needs them. */
export function lineOf(argv: readonly string[]): string {
  return ['trireme', ...argv].map((word) => (plainWord.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
