// Reads systemd's journal of a host.
import {TriremeError} from '../kernel/errors.ts';
import {shellQuote} from '../hostcluster/shell.ts';
import type {HostRunner} from '../ssh/runner.ts';

export interface JournalOptions {
  readonly units: readonly string[];
  /** How many lines back. */
  readonly lines: number;
  readonly follow: boolean;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

/** How long reading may take without --follow, in ms; with it a day. */
const deadline = 60_000;
const longest = 86_400_000;

/** The last lines of some units, and with `follow` all that come until the signal aborts. Throws `host.*`. */
export async function readJournal(runner: HostRunner, options: JournalOptions): Promise<readonly string[]> {
  const units = options.units.map((unit) => `-u ${shellQuote(unit)}`).join(' ');
  const script = `LC_ALL=C exec journalctl --no-pager -o short-iso -n ${options.lines} ${options.follow ? '-f ' : ''}${units}\n`;
  const lines: string[] = [];
  const {code, stderr} = await runner.run(script, {
    root: true,
    deadline: options.follow ? longest : deadline,
    signal: options.signal,
    onLine: (stream, line) => {
      if (stream !== 'stdout') return;
      if (!options.follow) lines.push(line);
      options.onLine(line);
    },
  });
  if (code !== 0)
    throw new TriremeError('host.command-failed', `journalctl ended with exit code ${code} on ${runner.host}: ${stderr.trim().split('\n').at(-1) ?? ''}`, {
      host: runner.host,
    });
  return lines;
}
