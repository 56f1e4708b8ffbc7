import {Args, Flags} from '@oclif/core';
import {forgetCluster} from '../../fleet/known-clusters.ts';
import {stateFolder} from '../../kernel/folders.ts';
import type {HostClusterFacts} from '../../hostcluster/facts.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {kubeconfigPath} from '../base-kubeconfig.ts';
import {isOfHosts, type HostsTarget, verbFlags, VerbCommand, waitByDefaultFlag} from '../base-verb.ts';

export default class ClusterDelete extends VerbCommand {
  static override summary = 'Delete a cluster with all its machines, or take it off its hosts.';
  static override description =
    'In controller mode only the Cluster object is deleted; Cluster API takes down workers, control plane and infrastructure, and what is left, and what holds it, is shown until all is gone. In agent mode everything of ours is taken off all hosts, workers first; the hosts, and what was on them before, stay.';
  static override examples = ['<%= config.bin %> cluster delete web', '<%= config.bin %> cluster delete web --confirm web --timeout 30m'];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...verbFlags,
    confirm: Flags.string({summary: "The cluster's name: the answer to the question beforehand.", env: 'TRIREME_CONFIRM', helpValue: 'NAME'}),
    wait: waitByDefaultFlag,
  };

  async run() {
    const {args, flags} = await this.parse(ClusterDelete);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (target.kind === 'file') await this.requireCapability(target.cluster, 'delete');
    const name = target.kind === 'live' ? target.name : target.cluster.document.metadata.name;
    const question = `${name} and all its machines are deleted, with all that runs on them.`;
    if (!flags['dry-run']) this.requireAnswer(flags.confirm !== undefined, '--confirm NAME', question);
    const files = target.kind === 'file' ? target.files : [];
    if (isOfHosts(target)) return this.#takeOffHosts(target, flags);
    const {planDelete} = await import('../../modes/controller/verbs/delete.ts');
    const {renderPlan} = await import('../../output/plan-text.ts');
    return this.runOnObjects(
      target,
      // the typed name is the answer
      {...flags, yes: true},
      {
        intent: {verb: 'delete'},
        others: true,
        plan: (live) => planDelete(live, {wait: flags.wait}),
        ask: async (plan) => {
          if (flags.confirm === undefined) this.out.note(renderPlan(plan, {style: this.out.terminal.errorStyle}));
          await this.confirmName(name, flags.confirm, question);
        },
        next: [],
        after: async () => {
          if (!flags.wait) return;
          if (files.length > 0) this.out.note(`${files.join(', ')} still describes it: trireme apply would make it again.`);
          await forgetCluster(stateFolder(), name).catch(() => false); // the list only saves typing
        },
      },
    );
  }

  async #takeOffHosts(target: HostsTarget, flags: Parameters<typeof this.runOnHosts>[1] & {readonly confirm?: string}) {
    const {name} = target.cluster.document.metadata;
    const {planTakeApart} = await import('../../hostcluster/take-apart.ts');
    const {removeFromKubeconfig} = await import('../../kube/kubeconfig.ts');
    return this.runOnHosts<HostClusterFacts>(target, flags, {
      intent: {verb: 'delete'},
      confirm: {name, given: flags.confirm, what: `${name} is taken off all its hosts, with everything that it knows and all that runs on it.`},
      plan: async (cluster, facts) => planTakeApart(cluster, facts, {mode: cluster.document.spec.mode}) as unknown as Plan<Scope>,
      next: [],
      after: async () => {
        if (target.files.length > 0) this.out.note(`${target.files.join(', ')} still describes it: trireme apply would make it again.`);
        await forgetCluster(stateFolder(), name).catch(() => false); // the list only saves typing
        const {host, port} = target.cluster.document.spec.endpoint;
        const path = kubeconfigPath();
        const removed = await removeFromKubeconfig(path, {name, server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`});
        if (removed) this.out.note(`Its entries are taken out of ${path}.`);
      },
    });
  }
}
