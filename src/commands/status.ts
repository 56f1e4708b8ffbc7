import {Args, Flags} from '@oclif/core';
import {sleep} from '../kernel/cancel.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {ClusterView, Scope} from '../modes/mode.ts';
import {renderCluster} from '../output/cluster-text.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import {ClusterCommand, type AnyMode} from './base-cluster.ts';
import {clusterFlags, concurrencyFlag, parseDuration} from './base-flags.ts';
import {clusterViewResult, type ResultOf} from './base-results.ts';

/** How often --wait and --watch look, in ms. */
const interval = 2000;

export default class Status extends ClusterCommand<ResultOf<typeof clusterViewResult>> {
  static override summary = "Show a cluster's health, with reasons.";
  static override description =
    'Ends with 0 when the cluster is healthy, 6 when it is not, 1 when it is not made yet, 4 when it can not be reached, 7 when --wait runs out.';
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status berth --wait --timeout 5m', '<%= config.bin %> status --watch'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    wait: Flags.boolean({summary: 'Wait until the cluster is healthy.', env: 'TRIREME_WAIT'}),
    watch: Flags.boolean({char: 'w', summary: 'Show every change until Ctrl-C.', env: 'TRIREME_WATCH', exclusive: ['wait']}),
    timeout: Flags.string({summary: 'How long --wait waits.', env: 'TRIREME_TIMEOUT', helpValue: 'DURATION', default: '10m'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => clusterViewResult;

  async run() {
    const {args, flags} = await this.parse(Status);
    const end = Date.now() + parseDuration(flags.timeout, 'timeout');
    const name = args.cluster ?? flags.cluster;
    const cluster = await this.readCluster({...flags, ...(name === undefined ? {} : {cluster: name})});
    return this.withScope(cluster, flags, async (mode, scope) => {
      let view = await look(mode, cluster, scope);
      if (flags.watch) await this.#watch(view, () => look(mode, cluster, scope));
      while (flags.wait && view.health !== 'healthy' && Date.now() < end) {
        this.out.note(`Waiting: ${view.reasons[0] ?? view.health}`);
        await sleep(Math.min(interval, Math.max(0, end - Date.now())), this.signal);
        view = await look(mode, cluster, scope);
      }
      this.out.print(this.out.format === 'name' ? `${view.name} ${view.health}` : this.#text(view));
      if (view.health !== 'healthy') this.failWith(problemFor(view, flags.wait ? flags.timeout : undefined));
      return view;
    });
  }

  async #watch(first: ClusterView, next: () => Promise<ClusterView>): Promise<never> {
    let shown = '';
    for (let view = first; ; view = await next()) {
      const text = this.out.format === 'ndjson' ? JSON.stringify(view) : this.#text(view);
      if (text !== shown) this.out.stream(text);
      shown = text;
      await sleep(interval, this.signal);
    }
  }

  #text(view: ClusterView): string {
    return renderCluster(view, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns});
  }
}

async function look(mode: AnyMode, cluster: DesiredCluster, scope: Scope): Promise<ClusterView> {
  return mode.observe(cluster, await mode.facts(cluster, scope), scope);
}

function problemFor(view: ClusterView, waited: string | undefined): TriremeError {
  const why = view.reasons.length === 0 ? '' : `: ${view.reasons[0]}`;
  if (waited !== undefined) return new TriremeError('wait.timed-out', `${view.name} isn't healthy after ${waited}${why}.`);
  const isReached = view.machines.some((machine) => machine.state !== 'unreachable');
  if (view.health === 'unknown' && isReached && view.machines.every((machine) => machine.agent === undefined)) {
    return new TriremeError('cluster.not-made', `${view.name} isn't made yet.`, {hints: ['trireme apply']});
  }
  if (view.health === 'unknown') return new TriremeError('host.unreachable', `What ${view.name} does can't be seen${why}.`, {hints: ['trireme host check']});
  return new TriremeError('run.unhealthy', `${view.name} is ${view.health}${why}.`, {hints: ['trireme cluster describe', 'trireme agent status']});
}
