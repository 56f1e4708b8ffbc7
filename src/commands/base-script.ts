// What `host exec` and `host maintain` run on hosts, from the words after the command.
import {TriremeError} from '../kernel/errors.ts';
import {shellQuote} from '../hostcluster/shell.ts';
import type {ClusterDocument} from '../spec/schema.ts';

export interface WordsOptions {
  readonly command: 'host exec' | 'host maintain';
  readonly document: Pick<ClusterDocument, 'metadata' | 'spec'>;
}

/**
 * One word is a shell script, several are run as they are. Throws `usage.invalid` when there are none, and when the first is a host's name: whoever
 * writes `host maintain h1` means that host, and would run `h1` on all of them.
 */
export function scriptOf(words: readonly string[], {command, document}: WordsOptions): string {
  const [first] = words;
  if (first === undefined) throw new TriremeError('usage.invalid', "There's no command to run.", {hints: [`trireme ${command} -- uptime`]});
  const {metadata, spec} = document;
  if ((spec.agent?.hosts ?? []).some(({name}) => name === first))
    throw new TriremeError('usage.invalid', `${first} is a host of ${metadata.name}, and what stands here is run on hosts as a command.`, {
      hints: [`Choose hosts by --limit: trireme ${command} --limit ${first} -- ${words.length > 1 ? words.slice(1).map(shellQuote).join(' ') : 'uptime'}`],
    });
  return words.length === 1 ? `${first}\n` : `exec ${words.map(shellQuote).join(' ')}\n`;
}
