// What the agent left for us to read, without starting any program of it.
import {shellWord} from './quote.ts';

/** On a simulated host, below TRIREME_ROOT: facts as JSON that stand in for those of the computer it runs on. */
export const simulatedFactsPath = '/etc/trireme/simulated.json';

/** Where the agent's files are on a host; hostcluster/ knows the values, this room doesn't. */
export interface AgentFiles {
  /** The folder of its programs: `/usr/local/lib/trireme`. */
  readonly program: string;
  /** JSON with the digests of what is installed: `{"program": "sha256:...", "runtime": "sha256:..."}`; default: `current/digests.json` in the program's folder. */
  readonly digests?: string;
  readonly seen: string;
  readonly lock: string;
  /** The folder of blobs, named by the hex part of their digest. */
  readonly content: string;
  readonly socket: string;
}

/** The piece that reads the agent's files. */
export function agentPiece(files: AgentFiles): string {
  const digests = files.digests ?? `${files.program}/current/digests.json`;
  return String.raw`
section agent-seen
show "$R"SEEN
section agent-lock
show "$R"LOCK
section agent-digests
show "$R"DIGESTS
section agent
if [ -e "$R"PROGRAM/current ]; then printf 'installed\tyes\n'; fi
if [ -S "$R"SOCKET ]; then printf 'socket\tyes\n'; fi
# a simulated host's own systemctl; on real ones the services section tells
if [ -n "$R" ] && [ -r "$R"SIMULATED ] && [ -e "$R"PROGRAM/current ] && has systemctl; then printf 'state\t%s\n' "$(limit 5 systemctl is-active trireme-agent.service)"; fi
section agent-content
for path in "$R"CONTENT/*; do printf '%s\n' "$LAST"; done
`
    .replace('$LAST', '${path##*/}')
    .replaceAll('SEEN', () => shellWord(files.seen))
    .replaceAll('LOCK', () => shellWord(files.lock))
    .replaceAll('DIGESTS', () => shellWord(digests))
    .replaceAll('PROGRAM', () => shellWord(files.program))
    .replaceAll('SOCKET', () => shellWord(files.socket))
    .replaceAll('SIMULATED', () => shellWord(simulatedFactsPath))
    .replaceAll('CONTENT', () => shellWord(files.content));
}
