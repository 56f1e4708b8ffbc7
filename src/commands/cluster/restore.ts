import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {AgentFacts} from '../../modes/agent/facts.ts';
import type {Scope} from '../../modes/mode.ts';
import type {Plan} from '../../plan/plan.ts';
import {BackupCommand, passphraseFlags} from '../base-backup.ts';
import {clusterFlags, concurrencyFlag, parseDuration, runFlags} from '../base-flags.ts';
import {planResult, runResult, type ResultOf} from '../base-results.ts';

const result = z.strictObject({
  backup: z.strictObject({
    path: z.string(),
    cluster: z.string(),
    id: z.string(),
    simulated: z.boolean(),
    takenAt: z.string(),
    takenFrom: z.string(),
    kubernetesVersion: z.string(),
    dataVersion: z.string(),
  }),
  plan: planResult,
  run: runResult.nullable(),
});

export default class ClusterRestore extends BackupCommand<ResultOf<typeof result>> {
  static override summary = 'Bring a cluster back from a backup, onto hosts that belong to none.';
  static override description =
    "The whole backup is read and held against its digests before any host is touched. The hosts are the file's: the old ones after a reset, or others. Nodes of the old hosts are forgotten; what was written after the backup is lost, and volumes are not in a backup. The old cluster must be gone: two with the same keys must never be.";
  static override examples = [
    '<%= config.bin %> cluster restore berth.backup',
    '<%= config.bin %> cluster restore berth.backup -f new-hosts.yaml --identity key.txt --yes',
  ];
  static override args = {backup: Args.string({description: 'The file that trireme cluster backup wrote.', required: true, ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...runFlags,
    ...passphraseFlags,
    identity: Flags.string({summary: 'File with the secret key of age that opens it.', env: 'TRIREME_IDENTITY', helpValue: 'FILE'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterRestore);
    const timeout = flags.timeout === undefined ? undefined : parseDuration(flags.timeout, 'timeout');
    const cluster = await this.readCluster(flags);
    await this.requireCapability(cluster, 'restore');
    const {name} = cluster.document.metadata;
    if (!flags['dry-run']) this.requireAnswer(flags.yes, '--yes', `Restore ${name} from ${args.backup}?`);
    const backup = await this.#open(args.backup, flags);
    const {manifest} = backup;
    if (manifest.cluster.name !== name)
      throw new TriremeError('backup.incompatible', `${args.backup} is a backup of ${manifest.cluster.name}, and the file describes ${name}.`, {
        hints: [`Call the cluster ${manifest.cluster.name} in the file, or choose it with -c.`],
      });
    this.out.note(
      `${manifest.simulated ? 'SIMULATED ' : ''}${args.backup} is whole: ${manifest.cluster.name} (${manifest.cluster.id}), taken ${manifest.takenAt} from ${manifest.takenFrom}, Kubernetes ${manifest.kubernetesVersion}.`,
    );
    const {planRestoration} = await import('../../modes/agent/agent-mode.ts');
    return this.withScope(cluster, {...flags, ...(timeout === undefined ? {} : {patience: timeout})}, async (mode, scope) => {
      const facts = (await mode.facts(cluster, scope)) as AgentFacts;
      const plan = planRestoration(cluster, facts, backup) as unknown as Plan<Scope>;
      this.requireFitHosts(mode.obstacles(cluster, facts, plan), flags);
      const shown = await this.present(
        {plan, cluster, scope, again: `trireme cluster restore ${args.backup}`},
        {...flags, ...(timeout === undefined ? {timeout: undefined} : {timeout})},
      );
      const {takenAt, takenFrom, kubernetesVersion, dataVersion, simulated} = manifest;
      return {
        backup: {path: args.backup, cluster: manifest.cluster.name, id: manifest.cluster.id, simulated, takenAt, takenFrom, kubernetesVersion, dataVersion},
        ...shown,
      };
    });
  }

  async #open(path: string, flags: {readonly identity?: string | undefined; readonly 'passphrase-file'?: string | undefined}) {
    const [{openBackup}, {redactSecrets}] = await Promise.all([import('../../hostcluster/backup/file.ts'), import('../../hostcluster/secrets.ts')]);
    const identities = flags.identity === undefined ? [] : await this.readIdentities(flags.identity);
    const passphrase = flags.identity === undefined ? await this.readPassphrase(flags['passphrase-file'], {isNew: false}) : undefined;
    if (passphrase === undefined && identities.length === 0)
      throw new TriremeError('usage.answer-required', `${path} is encrypted, and nothing says what opens it.`, {
        hints: ['Set TRIREME_BACKUP_PASSPHRASE, or name a file: --passphrase-file FILE', 'For a backup that was made for a key: --identity FILE'],
      });
    const backup = await openBackup(path, {...(passphrase === undefined ? {} : {passphrase}), identities});
    redactSecrets(this.redactor, backup.secrets);
    return backup;
  }
}
