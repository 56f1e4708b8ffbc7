// Images that pods need are in containerd, imported from content; nothing is pulled.
import {createReadStream} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {pipeline} from 'node:stream/promises';
import {TriremeError} from '../../../kernel/errors.ts';
import {tarEnd, tarEntry, tarHeader, tarPadding} from '../../../kernel/tar.ts';
import {fullDiskOf, lastLine} from '../../host-system.ts';
import type {AgentStep, Reconciler, Target} from '../../reconciler.ts';
import {blobPath} from '../../reconcilers/content.ts';
import {imagesOf, type ImageReference} from './images.ts';

/** A few are looked at by one `ctr`; each takes some 30 ms, so this isn't done at every turn. */
const interval = 60_000;

export const images: Reconciler = {
  name: 'images',
  needs: ['content', 'runtime'],
  inputs: ['content'],
  outputs: ['containerd images'],
  area: 'runtime',
  interval,
  steps: async (target) => {
    const list = imagesOf(target.wanted);
    const present = new Lazy(() => listImages(target));
    return list.map((image) => importStep(image, present));
  },
};

/** Asks once for all steps of a turn. What a step does, it notes: asking after each import took longer than some imports. */
class Lazy<T> {
  readonly #ask: () => Promise<T>;
  #value: Promise<T> | undefined;
  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }
  get(): Promise<T> {
    return (this.#value ??= this.#ask());
  }
}

/** Reference to digest, and whether it's pinned. */
async function listImages({host}: Target): Promise<Map<string, {readonly digest: string; readonly pinned: boolean}>> {
  const result = await host.run(`${host.bin}/ctr`, ['-n', 'k8s.io', 'images', 'ls'], {deadline: 60_000});
  if (result.code !== 0)
    throw (
      fullDiskOf(host, 'containerd', result.stderr) ??
      new TriremeError('agent.failed', `containerd on ${host.name} doesn't list its images: ${lastLine(result)}`, {
        host: host.name,
        hints: ['On the host: journalctl -u containerd -n 50'],
      })
    );
  const found = new Map<string, {readonly digest: string; readonly pinned: boolean}>();
  for (const line of result.stdout.split('\n').slice(1)) {
    const [reference, , digest] = line.split(/\s+/);
    if (reference !== undefined && digest !== undefined) found.set(reference, {digest, pinned: line.includes('io.cri-containerd.pinned=pinned')});
  }
  return found;
}

function importStep(image: ImageReference, present: Lazy<Awaited<ReturnType<typeof listImages>>>): AgentStep {
  const {reference, item} = image;
  return {
    id: `image:${reference}`,
    title: `Import ${reference}`,
    subject: `image ${reference}`,
    effect: 'none',
    check: async () => {
      const found = (await present.get()).get(reference);
      return found?.digest === item.digest && found.pinned ? 'satisfied' : 'needed';
    },
    apply: async ({scope, signal}) => {
      const {host} = scope;
      if ((await present.get()).get(reference)?.digest !== item.digest) await importImage(scope, image, signal);
      // pinned: the kubelet must not collect what can't be fetched again
      const label = await host.run(`${host.bin}/ctr`, ['-n', 'k8s.io', 'images', 'label', reference, 'io.cri-containerd.pinned=pinned'], {
        deadline: 60_000,
        signal,
      });
      if (label.code !== 0)
        throw new TriremeError('agent.failed', `The image ${reference} isn't in containerd on ${host.name} after its import: ${lastLine(label)}`, {
          host: host.name,
        });
      (await present.get()).set(reference, {digest: item.digest, pinned: true});
    },
    found: async () => ((await present.get()).has(reference) ? 'another digest, or not pinned' : 'missing'),
  };
}

/** Streams an OCI image layout as a tar, made of the blobs on disk, into `ctr images import`. */
async function importImage({host}: Target, {reference, item}: ImageReference, signal: AbortSignal): Promise<void> {
  // flushed: after a power cut an unpacked image would have empty files, and nobody would unpack it again
  const args = ['-n', 'k8s.io', 'images', 'import', '--local', '--sync-fs', '-'];
  const child = spawn(host.path(`${host.bin}/ctr`), args, {stdio: ['pipe', 'ignore', 'pipe'], signal});
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = once(child, 'close');
  // the program's own words, below, say more than a broken pipe
  await pipeline(layout(host.path, reference, item), child.stdin).catch((error: unknown) => {
    if (signal.aborted) throw error;
  });
  const [code] = (await ended) as [number | null];
  const said = Buffer.concat(errors).toString();
  if (code !== 0)
    throw (
      fullDiskOf(host, 'containerd', said) ??
      new TriremeError(
        'agent.failed',
        `containerd on ${host.name} doesn't take the image ${reference}: ${lastLine({stdout: '', stderr: said, code: code ?? 1})}`,
        {host: host.name, hints: ['On the host: journalctl -u containerd -n 50']},
      )
    );
}

async function* layout(at: (path: string) => string, reference: string, item: ImageReference['item']): AsyncGenerator<Buffer> {
  const blobs = item.blobs ?? [{digest: item.digest, size: item.size, mediaType: 'application/vnd.oci.image.manifest.v1+json'}];
  const [manifest] = blobs;
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: manifest?.mediaType ?? 'application/vnd.oci.image.manifest.v1+json',
        digest: item.digest,
        size: manifest?.size ?? item.size,
        annotations: {'io.containerd.image.name': reference},
      },
    ],
  };
  yield* tarEntry('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  yield* tarEntry('index.json', Buffer.from(JSON.stringify(index)));
  for (const {digest} of blobs) {
    const path = at(blobPath(digest));
    const {size} = await stat(path);
    yield tarHeader(`blobs/sha256/${digest.replace('sha256:', '')}`, size);
    if (size < 1 << 20) yield await readFile(path);
    else for await (const chunk of createReadStream(path, {highWaterMark: 1 << 18})) yield chunk as Buffer;
    yield tarPadding(size);
  }
  yield tarEnd();
}
