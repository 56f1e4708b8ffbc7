import {Args, Flags} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {withDeadline} from '../kernel/cancel.ts';
import {parseGoal, type WaitGoal} from '../fleet/wait-goal.ts';
import type {ClusterView} from '../modes/mode.ts';
import {createRedraw} from '../output/redraw.ts';
import {ObserveCommand} from './base-observe.ts';
import type {OpenTarget} from './base-target.ts';
import {clusterFlags, concurrencyFlag, managementFlags, parseDuration} from './base-flags.ts';
import {clusterViewResult, type ResultOf} from './base-results.ts';

export default class Status extends ObserveCommand<ResultOf<typeof clusterViewResult> | null> {
  static override summary = "Show a cluster's health, with reasons.";
  static override description =
    'Ends with 0 when the cluster is healthy, 6 when it is not, 1 when it is not made yet, 4 when it can not be reached, 7 when --wait runs out.';
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status berth --wait --timeout 5m',
    '<%= config.bin %> status berth -n fleet --context management --wait --for condition=Available',
    '<%= config.bin %> status --watch',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    wait: Flags.boolean({summary: 'Wait until the cluster is healthy, or what --for says.', env: 'TRIREME_WAIT'}),
    for: Flags.string({
      summary: 'What --wait waits for: healthy, delete, condition=TYPE or condition=TYPE=STATUS.',
      env: 'TRIREME_FOR',
      helpValue: 'GOAL',
      default: 'healthy',
    }),
    watch: Flags.boolean({char: 'w', summary: 'Show every change until Ctrl-C.', env: 'TRIREME_WATCH', exclusive: ['wait']}),
    timeout: Flags.string({summary: 'How long --wait waits.', env: 'TRIREME_TIMEOUT', helpValue: 'DURATION', default: '10m'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => clusterViewResult.nullable();

  async run() {
    const {args, flags} = await this.parse(Status);
    const goal = parseGoal(flags.for);
    const timeout = parseDuration(flags.timeout, 'timeout');
    return this.withTarget(await this.resolveTarget(flags, args.cluster ?? flags.cluster), flags, async (opened) => {
      if (flags.watch) await this.#watch(opened);
      if (flags.wait) return this.#wait(opened, goal, {timeout, given: flags.timeout});
      const view = await this.look(opened);
      await this.#show(view);
      if (view.health !== 'healthy') this.failWith(problemFor(view));
      return view;
    });
  }

  async #show(view: ClusterView): Promise<void> {
    this.out.print(this.out.format === 'name' ? `${view.name} ${view.health}` : await this.text(view, 'summary'));
  }

  async #watch(opened: OpenTarget): Promise<void> {
    const draw = createRedraw({stream: this.out.terminal.stdout, write: (text) => this.out.stream(text)});
    for await (const view of this.follow(opened, this.signal)) {
      if (this.out.format === 'ndjson') this.out.stream(JSON.stringify(view ?? null));
      else draw(view === undefined ? "The cluster isn't there." : await this.text(view, 'summary'));
    }
    this.signal.throwIfAborted();
  }

  async #wait(opened: OpenTarget, goal: WaitGoal, {timeout, given}: {readonly timeout: number; readonly given: string}): Promise<ClusterView | null> {
    const signal = withDeadline(this.signal, timeout);
    let last: ClusterView | undefined;
    let noted = '';
    const follow = async () => {
      for await (const view of this.follow(opened, signal)) {
        last = view;
        if (goal.isMet(view)) return true;
        const note = `Waiting: ${goal.missing(view)}`;
        if (note !== noted) this.out.note(note);
        noted = note;
      }
      return false;
    };
    const isMet = await follow().catch((error: unknown) => {
      if (signal.aborted && !this.signal.aborted) return false;
      throw error;
    });
    this.signal.throwIfAborted();
    if (last !== undefined) await this.#show(last);
    const name = opened.kind === 'live' ? opened.name : opened.cluster.document.metadata.name;
    if (!isMet) this.failWith(new TriremeError('wait.timed-out', `${name} isn't ${goal.title} after ${given}: ${goal.missing(last)}.`));
    return last ?? null;
  }
}

function problemFor(view: ClusterView): TriremeError {
  const why = view.reasons.length === 0 ? '' : `: ${view.reasons[0]}`;
  const isNotMade = view.mode === 'controller' ? view.tree === undefined : view.machines.every((machine) => machine.agent === undefined);
  const isReached = view.mode === 'controller' || view.machines.some((machine) => machine.state !== 'unreachable');
  if (view.health === 'unknown' && isReached && isNotMade) {
    return new TriremeError('cluster.not-made', `${view.name} isn't made yet.`, {hints: ['trireme apply']});
  }
  if (view.health === 'unknown' && view.mode !== 'controller')
    return new TriremeError('host.unreachable', `What ${view.name} does can't be seen${why}.`, {hints: ['trireme host check', 'trireme agent status']});
  const next =
    view.mode === 'controller'
      ? [`trireme cluster describe ${view.name}`, `trireme cluster events ${view.name}`]
      : ['trireme cluster describe', 'trireme agent status'];
  return new TriremeError('run.unhealthy', `${view.name} is ${view.health}${why}.`, {hints: next});
}
