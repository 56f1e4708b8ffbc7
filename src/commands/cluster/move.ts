import {Args, Flags} from '@oclif/core';
import {resolve} from 'node:path';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {allNamespacesFlag, concurrencyFlag, managementFlags, parseDuration, runFlags} from '../base-flags.ts';
import {planResult, runResult, type ResultOf} from '../base-results.ts';
import {TargetCommand} from '../base-target.ts';

const result = z.strictObject({plan: planResult, run: runResult.nullable()});

export default class ClusterMove extends TargetCommand<ResultOf<typeof result>> {
  static override summary = "Move clusters' objects to another management cluster, or to a folder and back.";
  static override description =
    'Each cluster is paused, copied in the order of its owners, compared object by object, removed here and unpaused there: never do both sides work on it. ' +
    'A move that was cut off goes on where it was, from any computer: run it again. Without names all clusters of the namespace are moved.';
  static override examples = [
    '<%= config.bin %> cluster move berth --to-context production',
    '<%= config.bin %> cluster move -A --to-kubeconfig ./new.kubeconfig --dry-run',
    '<%= config.bin %> cluster move -n fleet --to-directory ./saved',
    '<%= config.bin %> cluster move --from-directory ./saved --to-context production',
  ];
  static override strict = false;
  static override args = {cluster: Args.string({description: 'Names of clusters, or NAMESPACE/NAME; default: all.', ignoreStdin: true})};
  static override flags = {
    ...managementFlags,
    'all-namespaces': allNamespacesFlag,
    'to-kubeconfig': Flags.string({summary: 'Kubeconfig of the target; default: the same file.', env: 'TRIREME_TO_KUBECONFIG', helpValue: 'FILE'}),
    'to-context': Flags.string({summary: 'Context of the target; default: the current one of --to-kubeconfig.', env: 'TRIREME_TO_CONTEXT', helpValue: 'NAME'}),
    'to-directory': Flags.string({
      summary: 'Save to this folder instead; the files hold secrets. The source works on.',
      env: 'TRIREME_TO_DIRECTORY',
      helpValue: 'FOLDER',
      exclusive: ['to-kubeconfig', 'to-context', 'from-directory'],
    }),
    'from-directory': Flags.string({
      summary: 'Bring back what was saved to this folder.',
      env: 'TRIREME_FROM_DIRECTORY',
      helpValue: 'FOLDER',
      exclusive: ['kubeconfig', 'context'],
    }),
    yes: runFlags.yes,
    'dry-run': runFlags['dry-run'],
    'break-lock': runFlags['break-lock'],
    timeout: runFlags.timeout,
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {argv, flags} = await this.parse(ClusterMove);
    const clusters = argv as string[];
    const {'to-kubeconfig': toKubeconfig, 'to-context': toContext, 'to-directory': toDirectory, 'from-directory': fromDirectory} = flags;
    if (toKubeconfig === undefined && toContext === undefined && toDirectory === undefined)
      throw new TriremeError('usage.invalid', 'Where to is missing.', {hints: ['Name one of --to-context, --to-kubeconfig and --to-directory.']});
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', 'Move these clusters?');
    const {openMove} = await import('../../modes/controller/move/open.ts');
    const {kubeconfig, context, namespace} = flags;
    const move = await openMove(
      {
        clusters,
        allNamespaces: flags['all-namespaces'],
        from: {
          ...(kubeconfig === undefined ? {} : {kubeconfig: resolve(kubeconfig)}),
          ...(context === undefined ? {} : {context}),
          ...(namespace === undefined ? {} : {namespace}),
          ...(fromDirectory === undefined ? {} : {directory: resolve(fromDirectory)}),
        },
        to: {
          ...(toKubeconfig === undefined ? (kubeconfig === undefined ? {} : {kubeconfig: resolve(kubeconfig)}) : {kubeconfig: resolve(toKubeconfig)}),
          ...(toContext === undefined ? {} : {context: toContext}),
          ...(toDirectory === undefined ? {} : {directory: resolve(toDirectory)}),
        },
      },
      this.scopeOptions(flags),
    );
    try {
      const {timeout, ...rest} = flags;
      return await this.present(
        {
          plan: move.plan as unknown as Plan<Scope>,
          scope: move.scope,
          next:
            toDirectory === undefined
              ? [`trireme cluster list${toContext === undefined ? '' : ` --context ${toContext}`}`]
              : [`trireme cluster move --from-directory ${toDirectory} --to-context NAME`],
          again: 'Run the same command again: it goes on where it was.',
        },
        {...rest, ...(timeout === undefined ? {} : {timeout: parseDuration(timeout, 'timeout')})},
      );
    } finally {
      await move.scope.close();
    }
  }
}
