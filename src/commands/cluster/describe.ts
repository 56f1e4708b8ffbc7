import {Args, Flags} from '@oclif/core';
import type {ClusterView, ObjectNode} from '../../modes/mode.ts';
import {createRedraw} from '../../output/redraw.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {ObserveCommand} from '../base-observe.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import type {clusterViewResult, ResultOf} from '../base-results.ts';

export default class ClusterDescribe extends ObserveCommand<ResultOf<typeof clusterViewResult>> {
  static override summary = 'Show everything of a cluster as a tree.';
  static override description =
    'Healthy machines that are alike are shown in one line unless --all is given. What is missing, failing or different is always shown, with its reasons.';
  static override examples = [
    '<%= config.bin %> cluster describe',
    '<%= config.bin %> cluster describe berth -o yaml',
    '<%= config.bin %> cluster describe berth -n fleet --context management --all',
    '<%= config.bin %> cluster describe berth --watch',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    all: Flags.boolean({summary: 'Fold nothing: every object, every condition.', env: 'TRIREME_ALL'}),
    watch: Flags.boolean({char: 'w', summary: 'Show every change until Ctrl-C.', env: 'TRIREME_WATCH'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = async () => (await import('../base-results.ts')).clusterViewResult;

  async run() {
    const {args, flags} = await this.parse(ClusterDescribe);
    return this.withTarget(await this.resolveTarget(flags, args.cluster ?? flags.cluster), flags, async (opened) => {
      const show = (view: ClusterView) => this.text(view, 'tree', {all: flags.all});
      if (flags.watch) {
        const draw = createRedraw({stream: this.out.terminal.stdout, write: (text) => this.out.stream(text)});
        for await (const view of this.follow(opened, this.signal)) {
          if (this.out.format === 'ndjson') this.out.stream(JSON.stringify(view ?? null));
          else draw(view === undefined ? "The cluster isn't there." : await show(view));
        }
        this.signal.throwIfAborted();
      }
      const view = await this.look(opened, flags.all ? {brief: false} : {});
      this.out.print(this.out.format === 'name' ? namesOf(view).map(sanitizeLine).join('\n') : await show(view));
      return view;
    });
  }
}

/** As kubectl does with -o name where there are objects; else the machines' names. */
function namesOf(view: ClusterView): readonly string[] {
  if (view.tree === undefined) return view.machines.map((machine) => machine.name);
  const walk = (node: ObjectNode): readonly string[] => [
    ...(node.role === 'group' || node.role === 'node' || node.missing === true ? [] : [`${node.kind.toLowerCase()}/${node.name}`]),
    ...node.children.flatMap(walk),
  ];
  return walk(view.tree);
}
