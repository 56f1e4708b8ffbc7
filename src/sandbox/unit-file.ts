// As much of systemd's unit files as a simulated host needs.

export interface ServiceUnit {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly restarts: boolean;
}

/** Reads ExecStart, Environment and Restart of a unit's [Service] section; undefined without an ExecStart. */
export function parseUnit(text: string): ServiceUnit | undefined {
  let section = '';
  let command: readonly string[] | undefined;
  let restarts = false;
  const environment: Record<string, string> = {};
  for (const raw of text.replaceAll(/\\\n/g, ' ').split('\n')) {
    const line = raw.trim();
    if (line.startsWith('[')) section = line;
    if (section !== '[Service]' || line.startsWith('#')) continue;
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (key === 'ExecStart' && value !== undefined) command = words(value);
    if (key === 'Restart') restarts = value === 'always' || value === 'on-failure';
    if (key === 'Environment' && value !== undefined) {
      for (const word of words(value)) {
        const at = word.indexOf('=');
        if (at > 0) environment[word.slice(0, at)] = word.slice(at + 1);
      }
    }
  }
  return command === undefined || command.length === 0 ? undefined : {command, environment, restarts};
}

function words(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
