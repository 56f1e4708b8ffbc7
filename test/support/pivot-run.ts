// A bootstrap in this process: planned and run as the command does it, stopped where a test wants it.
import {join} from 'node:path';
import type {TriremeEvent} from '../../src/kernel/event.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import {readConfiguration} from '../../src/modes/controller/providers/configuration.ts';
import {Library} from '../../src/modes/controller/providers/facts.ts';
import {prepareBootstrap, type PreparedBootstrap} from '../../src/modes/controller/pivot/prepare.ts';
import {executePlan, type ExecutedRun} from '../../src/plan/execute.ts';
import {readCluster} from '../../src/spec/read.ts';
import type {PivotSandbox} from './pivot-sandbox.ts';

const signal = new AbortController().signal;

export async function preparePivot(sandbox: PivotSandbox, save = join(sandbox.folder, 'harbour.kubeconfig')): Promise<PreparedBootstrap> {
  const redactor = new Redactor();
  const configuration = await readConfiguration({env: {HOME: sandbox.folder}});
  return prepareBootstrap(
    {
      cluster: await readCluster({files: [sandbox.file], redactor}),
      from: {kubeconfig: sandbox.bootstrap.kubeconfig.path, context: 'bootstrap'},
      library: new Library({configuration, signal, root: sandbox.repository, env: {GOPROXY: 'off'}}),
      asked: {InfrastructureProvider: ['docker']},
      prepare: {signal, timeout: 20_000, hide: () => {}, warn: () => {}},
      save,
    },
    {signal, redactor, concurrency: 8, warn: () => {}},
  );
}

/** Plans and runs; `stopAfter` sees every event, and stops the run, as the first Ctrl-C does, when it says so. */
export async function runPivot(
  sandbox: PivotSandbox,
  stopAfter: (event: TriremeEvent) => boolean = () => false,
): Promise<ExecutedRun & {readonly events: readonly TriremeEvent[]}> {
  const {plan, scope} = await preparePivot(sandbox);
  const stop = new AbortController();
  const events: TriremeEvent[] = [];
  const subscriber = (event: TriremeEvent) => {
    events.push(event);
    if (stopAfter(event)) stop.abort();
  };
  try {
    const ran = await executePlan(plan, {
      ...{scope, subscriber, folder: join(sandbox.folder, 'state'), stopping: stop.signal, leaving: signal, concurrency: 8, maxFailures: 0},
      ...{files: [], specDigest: '', program: 'test', redactor: new Redactor()},
    });
    return {...ran, events};
  } finally {
    await scope.close();
  }
}
