// Content to hosts: only what they lack, verified there before it has its name.
import {createReadStream} from 'node:fs';
import {TriremeError} from '../../kernel/errors.ts';
import type {Step, StepContext} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {Blob} from '../content.ts';
import type {PushFile} from '../facts.ts';
import {agentPaths} from '../protocol.ts';
import type {HostClusterScope, LocalBlob} from '../scope.ts';
import {rootedPath, shellQuote} from '../shell.ts';

/** In ms. */
const deadline = 60_000;

type Context = StepContext<HostClusterScope>;

/** Brings what the hosts lack onto this computer, before any host is touched: a wrong digest stops here. */
export function fetchStep(works: readonly HostWork[]): Step<HostClusterScope> {
  const digests = [...new Set(works.flatMap((work) => work.missing.map((blob) => blob.digest)))];
  return {
    id: 'fetch',
    title: 'Get the content that hosts lack',
    effect: 'none',
    check: async () => 'needed',
    apply: async (context) => {
      const blobs = await fetchBlobs(context, digests);
      const bytes = blobs.reduce((sum, blob) => sum + blob.size, 0);
      return `${blobs.length} blobs, ${mebibytes(bytes)}, verified`;
    },
  };
}

/** Sends one host what it lacks: content, the agent's program and its runtime. */
export function pushStep(work: Pick<HostWork, 'host' | 'member' | 'install' | 'missing'>): Step<HostClusterScope> {
  const host = work.host.name;
  const files = [work.install?.program, work.install?.runtime].filter((file) => file !== undefined);
  const needed: readonly Blob[] = [...files, ...work.missing];
  return {
    id: `push:${host}`,
    title: 'Push content',
    host,
    effect: 'none',
    check: async ({scope}) => ((await missingOf(scope, host, needed)).length === 0 ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {scope, signal} = context;
      const missing = new Set((await missingOf(scope, host, needed)).map((blob) => blob.digest));
      const linked = work.member.simulated
        ? await linkFiles(
            scope,
            host,
            files.filter((file) => missing.has(file.digest)),
          )
        : [];
      const content = await fetchBlobs(
        context,
        work.missing.filter((blob) => missing.has(blob.digest)).map((blob) => blob.digest),
      );
      const blobs = [...files.filter((file) => missing.has(file.digest) && !linked.includes(file)).map(openFile), ...content];
      const bytes = blobs.reduce((sum, blob) => sum + blob.size, 0);
      if (blobs.length > 0) {
        await scope.upload(host, blobs, {
          signal,
          onProgress: ({sent, total}) => context.emit({type: 'transfer.progressed', host, name: 'content', sent, total}),
        });
      }
      return linked.length > 0 && blobs.length === 0 ? 'linked from this computer' : `${blobs.length} blobs, ${mebibytes(bytes)}`;
    },
  };
}

async function fetchBlobs(context: Context, digests: readonly string[]): Promise<readonly LocalBlob[]> {
  if (digests.length === 0) return [];
  return context.scope.fetch(digests, {
    signal: context.signal,
    onProgress: (name, sent, total) => context.emit({type: 'transfer.progressed', host: 'this computer', name, sent, total}),
  });
}

/** One look at the host's content folder. */
async function missingOf(scope: HostClusterScope, host: string, needed: readonly Blob[]): Promise<readonly Blob[]> {
  const runner = await scope.runner(host);
  const {stdout} = await runner.run(`ls ${rootedPath(agentPaths.content)} 2>/dev/null || true`, {root: true, deadline, repeatable: true});
  const present = new Set(stdout.split('\n').map((name) => `sha256:${name}`));
  return needed.filter((blob) => !present.has(blob.digest));
}

/** A simulated host is a folder on this computer: it gets links to our files, not copies of 100 MB. */
async function linkFiles(scope: HostClusterScope, host: string, files: readonly PushFile[]): Promise<readonly PushFile[]> {
  if (files.length === 0) return [];
  const folder = rootedPath(agentPaths.content);
  const links = files.map((file) => `ln -sfn ${shellQuote(file.path)} ${folder}/${file.digest.replace('sha256:', '')}`);
  const runner = await scope.runner(host);
  const result = await runner.run(`mkdir -p ${folder} && ${links.join(' && ')}`, {root: true, deadline});
  if (result.code !== 0) throw new TriremeError('host.command-failed', `Can't link content into ${host}: ${result.stderr.trim()}`, {host});
  return files;
}

function openFile(file: PushFile): LocalBlob {
  return {digest: file.digest, size: file.size, path: file.path, stream: (start = 0) => createReadStream(file.path, {start})};
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(bytes < 10 * 1024 * 1024 ? 1 : 0)} MiB`;
}
