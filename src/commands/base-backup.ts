// What backing up and restoring share: where the passphrase and the keys come from. They are never flags: a flag's value is in the list of processes.
import {readFile} from 'node:fs/promises';
import {Flags} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {TargetCommand} from './base-target.ts';

const passphraseVariable = 'TRIREME_BACKUP_PASSPHRASE';

export const passphraseFlags = {
  'passphrase-file': Flags.string({
    summary: `File with the passphrase; else it is read from ${passphraseVariable}, else asked for.`,
    env: 'TRIREME_PASSPHRASE_FILE',
    helpValue: 'FILE',
  }),
};

export abstract class BackupCommand<R> extends TargetCommand<R> {
  /** From the file, the environment, or the person, who types it twice when it is new; undefined where nobody says one. It is kept out of all output. */
  protected async readPassphrase(file: string | undefined, options: {readonly isNew: boolean}): Promise<string | undefined> {
    const given = file === undefined ? process.env[passphraseVariable] : await readSecretFile(file);
    if (given !== undefined && given !== '') {
      this.redactor.add(given);
      return given;
    }
    const ask = this.out.isForPrograms ? undefined : this.askSecret;
    if (ask === undefined) return undefined;
    const typed = await ask('Passphrase of the backup?');
    if (options.isNew && (await ask('Once more?')) !== typed) throw new TriremeError('usage.invalid', 'The two passphrases differ; nothing was done.');
    return typed;
  }

  /** Secret keys of age, one a line; lines that begin with # say who they are. */
  protected async readIdentities(file: string): Promise<readonly string[]> {
    const text = await readSecretFile(file);
    const identities = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    for (const identity of identities) this.redactor.add(identity);
    return identities;
  }
}

async function readSecretFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new TriremeError('secret.missing', `${file} can't be read: ${(error as Error).message}.`, {cause: error});
  }
}
