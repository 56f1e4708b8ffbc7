// The way to a host: SSH, with the scope's shared keys and jump hosts.
import type {LocalBlob, UploadProgress} from '../../hostcluster/scope.ts';
import type {HostRunner} from '../../ssh/runner.ts';
import {createSshContext, type SshContext} from '../../ssh/context.ts';
import {openRunner} from '../../ssh/ssh-runner.ts';
import type {ScopeOptions} from '../mode.ts';
import {agentPaths} from '../../hostcluster/protocol.ts';
import {uploadBlobs} from '../../ssh/upload.ts';

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

/** Sends blobs into the host's content folder, over one channel. */
export async function uploadTo(
  runner: HostRunner,
  blobs: readonly LocalBlob[],
  options: {readonly signal: AbortSignal; onProgress(progress: UploadProgress): void},
): Promise<void> {
  const sources = blobs.map(({digest, size, path, stream}) => ({digest, size, ...(path === undefined ? {stream} : {path})}));
  await uploadBlobs(runner, sources, {folder: agentPaths.content, signal: options.signal, onProgress: options.onProgress});
}
