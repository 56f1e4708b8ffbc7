// How a script gets onto a host: by standard input, past login shells that talk and a sudo that asks.
//
// What is executed is short and always the same (it shows in `ps` and in sudo's log); the script follows on standard input:
//
//   password      only when sudo may ask for one; a sudo that doesn't leaves the line, and the loop below drops it
//   TRIREME-GO    sent after the wrapper has said TRIREME-ROOT, so that a sudo that asks again never eats a line of ours as a second try
//   LENGTH        of the script in bytes
//   script        its first line says TRIREME-READY and its process id, its last one proves that it arrived whole
//   payload       the script's own standard input; sent after TRIREME-READY, as some `head -c` read too much from a pipe
import type {ClientChannel} from 'ssh2';
import type {TriremeError} from '../kernel/errors.ts';
import {startFailure} from './sudo-errors.ts';

const rootMark = 'TRIREME-ROOT\n';
const readyMark = /TRIREME-READY (\d+)\n/;
/** What sudo asks with: seen a second time, the password was wrong, in whatever words the host says so. */
export const passwordPrompt = 'TRIREME-PASSWORD:';

// no quotes, backslashes, exclamation marks or line breaks in here: sh, bash, zsh, dash, fish and csh then all take it as one word in '...'
const body = 'read -r n; s=$(head -c "$n"); case "$s" in *TRIREME-END) eval "$s" ;; *) exit 97 ;; esac';
const rootBody = `echo TRIREME-ROOT; while IFS= read -r l; do [ "$l" = TRIREME-GO ] && break; done; ${body}`;

/** How the user becomes root: not at all, by a sudo that must not ask, or with a password. */
export type Elevation = {readonly by: 'nothing'} | {readonly by: 'sudo'} | {readonly by: 'password'; readonly password: string};

/** The command line for a login shell of any kind. */
export function wrapperCommand(elevation: Elevation): string {
  if (elevation.by === 'nothing') return `exec /bin/sh -c '${body}'`;
  // -k: the password is asked for even when sudo remembers one, so that what happens doesn't depend on what was before
  const flags = elevation.by === 'password' ? `-k -S -p ${passwordPrompt}` : '-n';
  return `exec env LC_ALL=C sudo ${flags} -- /bin/sh -c '${rootBody}'`;
}

/** A script as it goes over the wire. Without a payload its input is empty from the start. */
export function frameScript(script: string, hasPayload: boolean): Buffer {
  const text = Buffer.from(`${hasPayload ? '' : 'exec </dev/null; '}echo TRIREME-READY $$\n${script}\n#TRIREME-END`);
  return Buffer.concat([Buffer.from(`${text.length}\n`), text]);
}

export interface StartOptions {
  readonly host: string;
  readonly user: string;
  readonly script: string;
  readonly elevation: Elevation;
  /** Whether something follows for the script's standard input. */
  readonly hasPayload: boolean;
}

/** A login shell that talks more than this before the script is broken. */
const mostNoise = 1024 * 1024;

/**
 * Starts a script on a fresh channel that runs `wrapperCommand`. Resolves with its process id when it begins: what the channel's streams then give
 * is the script's own. Throws `host.sudo-*` and `host.command-failed`. `rooted` is called when sudo has let us in.
 */
export function startScript(channel: ClientChannel, options: StartOptions, rooted?: () => void): Promise<number> {
  const {elevation} = options;
  return new Promise((resolve, reject) => {
    let out = Buffer.alloc(0);
    let errors = '';
    let isRoot = elevation.by === 'nothing';
    let code: number | undefined;
    const send = () => {
      const frame = frameScript(options.script, options.hasPayload);
      channel.write(elevation.by === 'nothing' ? frame : Buffer.concat([Buffer.from('TRIREME-GO\n'), frame]));
    };
    // 'readable' and not 'data': without its listener the stream is as if nobody had ever listened, so whoever comes next can
    const done = () => {
      channel.off('readable', onOutput).off('exit', onExit).off('close', onClose);
      channel.stderr.off('readable', onErrors);
    };
    const fail = (error: TriremeError) => {
      done();
      channel.resume();
      channel.stderr.resume();
      channel.close();
      reject(error);
    };
    const prompts = () => errors.split(passwordPrompt).length - 1;
    const explain = (output: string) => fail(startFailure({...options, code, errors, output, prompts: prompts()}));
    const onOutput = () => {
      for (let chunk = channel.read() as Buffer | null; chunk !== null; chunk = channel.read() as Buffer | null) out = Buffer.concat([out, chunk]);
      if (!isRoot && out.includes(rootMark)) {
        isRoot = true;
        rooted?.();
        if (elevation.by === 'password') send();
      }
      const ready = readyMark.exec(out.toString('latin1'));
      if (ready !== null) {
        done();
        const rest = out.subarray(ready.index + ready[0].length);
        if (rest.length > 0) channel.unshift(rest);
        const said = errors.replaceAll(passwordPrompt, '');
        if (said !== '') channel.stderr.unshift(Buffer.from(said));
        resolve(Number(ready[1]));
      } else if (out.length > mostNoise) explain(out.toString('utf8', 0, 200));
    };
    const onErrors = () => {
      for (let chunk = channel.stderr.read() as Buffer | null; chunk !== null; chunk = channel.stderr.read() as Buffer | null)
        errors = (errors + chunk.toString()).slice(-64 * 1024);
      if (!isRoot && elevation.by === 'password' && (prompts() > 1 || /try again/i.test(errors))) explain('');
    };
    const onExit = (status: number | null) => (code = status ?? undefined);
    const onClose = () => explain(out.toString('utf8', 0, 200));
    channel.on('readable', onOutput).on('exit', onExit).on('close', onClose);
    channel.stderr.on('readable', onErrors);
    if (elevation.by === 'password') channel.write(`${elevation.password}\n`);
    else send();
  });
}

/** A script that ends another one and what that has started, children first. */
export function endScript(pid: number): string {
  return `ps -A -o pid=,ppid= | awk -v top=${pid} '{below[$2] = below[$2] " " $1} function tree(one, list, count, i) {count = split(below[one], list, " "); for (i = 1; i <= count; i++) tree(list[i]); print one} END {tree(top)}' | while read -r p; do kill -TERM "$p"; done 2>/dev/null`;
}
