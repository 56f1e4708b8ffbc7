import {access} from 'node:fs/promises';
import {resolve} from 'node:path';
import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import type {AgentScope} from '../../modes/agent/scope.ts';
import {formatBytes} from '../../output/table.ts';
import {BackupCommand, passphraseFlags} from '../base-backup.ts';
import {clusterFlags, concurrencyFlag, managementFlags} from '../base-flags.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  cluster: z.string(),
  id: z.string(),
  simulated: z.boolean(),
  path: z.string(),
  /** Bytes of the encrypted file, and its digest. */
  size: z.int(),
  sha256: z.string(),
  dataSize: z.int(),
  kubernetesVersion: z.string(),
  dataVersion: z.string(),
  takenFrom: z.string(),
  takenAt: z.string(),
});

export default class ClusterBackup extends BackupCommand<ResultOf<typeof result>> {
  static override summary = "Copy a cluster's data and keys into one encrypted file.";
  static override description =
    'A consistent snapshot of etcd from a control plane, with the checksum that etcd gives it, and the keys that the cluster is known by: CAs and service-account key. The file is encrypted with age, by a passphrase or for the holders of keys, and readable for you alone. Nothing is changed on the hosts. Volumes are not in it.';
  static override examples = [
    '<%= config.bin %> cluster backup',
    '<%= config.bin %> cluster backup berth --out berth.backup --passphrase-file /run/secrets/backup',
    '<%= config.bin %> cluster backup --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
  ];
  static override args = {cluster: Args.string({description: 'Name of the cluster; default: the one in the file.', ignoreStdin: true})};
  static override flags = {
    ...clusterFlags,
    ...managementFlags,
    ...passphraseFlags,
    out: Flags.string({summary: 'Where to write; default: CLUSTER-TIME.backup here.', env: 'TRIREME_OUT', helpValue: 'FILE'}),
    recipient: Flags.string({
      summary: 'Public key of age that shall open it, instead of a passphrase; repeatable.',
      env: 'TRIREME_RECIPIENT',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'KEY',
    }),
    overwrite: Flags.boolean({summary: 'Replace a file that is there.', env: 'TRIREME_OVERWRITE'}),
    concurrency: concurrencyFlag,
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ClusterBackup);
    const target = await this.resolveTarget(flags, args.cluster ?? flags.cluster);
    if (target.kind === 'live') throw new TriremeError('mode.unsupported', `No file is known for ${target.name}: backups are made of agent mode's clusters.`);
    const {cluster} = target;
    await this.requireCapability(cluster, 'backup');
    const {name} = cluster.document.metadata;
    const at = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const path = resolve(flags.out ?? `${name}-${at.replaceAll(/[-:]/g, '')}.backup`);
    if (!flags.overwrite && (await exists(path)))
      throw new TriremeError('usage.invalid', `${path} is there already.`, {hints: ['Name another with --out, or replace it: --overwrite']});
    const {requireLocks} = await import('../../hostcluster/backup/lock-box.ts');
    const recipients = flags.recipient ?? [];
    const passphrase = recipients.length > 0 ? undefined : await this.readPassphrase(flags['passphrase-file'], {isNew: true});
    const locks = {...(passphrase === undefined ? {} : {passphrase}), recipients};
    await requireLocks(locks);
    const {takeBackup} = await import('../../hostcluster/backup/take.ts');
    return this.withScope(cluster, flags, async (_mode, scope) => {
      const warn = (message: string) => this.out.warn({code: 'backup.failed', message});
      const taken = await takeBackup(cluster, scope as AgentScope, {path, locks, program: this.config.version, at, signal: this.signal, warn});
      const {about} = taken;
      this.out.print(
        this.out.format === 'name'
          ? path
          : `${about.simulated ? 'SIMULATED ' : ''}${path}\n  ${formatBytes(taken.size)}, ${taken.digest}\n  ${formatBytes(taken.dataSize)} of data from ${taken.from}, Kubernetes ${about.kubernetesVersion}, etcd ${about.dataVersion}`,
      );
      if (!this.out.quiet) this.out.note(`Bring it back onto hosts that belong to no cluster: trireme cluster restore ${path}`);
      return {
        cluster: name,
        id: about.cluster.id,
        simulated: about.simulated,
        path,
        size: taken.size,
        sha256: taken.digest,
        dataSize: taken.dataSize,
        kubernetesVersion: about.kubernetesVersion,
        dataVersion: about.dataVersion,
        takenFrom: taken.from,
        takenAt: at,
      };
    });
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
