// The way to a host: SSH, with the scope's shared keys and jump hosts.
import type {OpenedBlob} from '../../bundle/content.ts';
import type {UploadProgress} from '../../hostcluster/scope.ts';
import type {HostRunner} from '../../ssh/runner.ts';
import {createSshContext, type SshContext} from '../../ssh/context.ts';
import {openRunner} from '../../ssh/ssh-runner.ts';
import type {ScopeOptions} from '../mode.ts';
import {agentPaths} from '../../hostcluster/protocol.ts';
import {rootedPath} from '../../hostcluster/shell.ts';
import {TriremeError} from '../../kernel/errors.ts';

export {openRunner};

/** What the connections of one scope share. Questions are asked one after the other, and answers are registered for redaction. */
export function contextFor(options: ScopeOptions): SshContext {
  const {askSecret, redactor, warn} = options;
  let last: Promise<unknown> = Promise.resolve();
  const ask = (question: string): Promise<string> => {
    const answer = last.then(() => askSecret?.(question) ?? '');
    last = answer.catch(() => {});
    return answer.then((secret) => {
      redactor.add(secret);
      return secret;
    });
  };
  return createSshContext({
    warn: (message) => warn(message),
    ...(askSecret === undefined
      ? {}
      : {
          askPassphrase: (path: string, host: string) => ask(`Passphrase of ${path} (for ${host})`),
          askSudoPassword: (host: string) => ask(`Password for sudo on ${host}`),
        }),
  });
}

/** Sends blobs into the host's content folder. */
export async function uploadTo(runner: HostRunner, blobs: readonly OpenedBlob[], options: {readonly signal: AbortSignal; onProgress(progress: UploadProgress): void}): Promise<void> {
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
  let sent = 0;
  for (const blob of blobs) {
    const folder = rootedPath(agentPaths.content);
    const hex = blob.digest.replace('sha256:', '');
    const script = `set -e; d=${folder}; mkdir -p "$d"; cat >"$d/${hex}.part"; echo "${hex}  $d/${hex}.part" | sha256sum -c - >/dev/null; mv "$d/${hex}.part" "$d/${hex}"`;
    const result = await runner.run(script, {root: true, stdin: blob.stream(), deadline: 600_000, signal: options.signal});
    if (result.code !== 0) throw new TriremeError('host.command-failed', result.stderr, {host: runner.host});
    sent += blob.size;
    options.onProgress({sent, total});
  }
}
