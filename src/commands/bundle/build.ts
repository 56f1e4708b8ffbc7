import {resolve} from 'node:path';
import {Flags} from '@oclif/core';
import {z} from 'zod';
import {architectures, type OnProgress} from '../../bundle/content.ts';
import {TriremeError} from '../../kernel/errors.ts';
import {count, formatBytes} from '../../output/table.ts';
import {ClusterCommand} from '../base-cluster.ts';
import {architectureFlag, contentFlags, contentOfCluster, contentOfVersion, requireArchitectures} from '../base-content.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  out: z.string(),
  version: z.string(),
  architectures: z.array(z.enum(architectures)),
  files: z.int(),
  images: z.int(),
  blobs: z.int(),
  size: z.int(),
  digest: z.string(),
});

const list = {multiple: true, multipleNonGreedy: true} as const;
/** Smaller blobs come and go too fast to be worth a line, in bytes. */
const worthALine = 1024 * 1024;

export default class BundleBuild extends ClusterCommand<ResultOf<typeof result>> {
  static override summary = 'Collect all that hosts need into one bundle.';
  static override description =
    'Downloads the programs and images of a Kubernetes version, and the images that the profile names, checks them against the lock (the first time against the published digests), and writes them as an OCI image layout: a folder, or one .tar. Without --arch for amd64. Proxies of the environment (HTTPS_PROXY, NO_PROXY) are honoured.';
  static override examples = [
    '<%= config.bin %> bundle build --out ./bundle',
    '<%= config.bin %> bundle build -f cluster.yaml --arch amd64 --arch arm64 --out bundle.tar',
    '<%= config.bin %> bundle build --kubernetes-version v1.36.3 --image docker.io/library/nginx:1.29 --out ./bundle',
  ];
  static override flags = {
    ...contentFlags,
    arch: architectureFlag,
    out: Flags.string({summary: 'Folder to write, or a file that ends in .tar.', env: 'TRIREME_OUT', required: true, helpValue: 'PATH'}),
    from: Flags.string({
      ...list,
      summary: 'An OCI image layout (folder or tar) to take content from before the public sources; repeatable.',
      env: 'TRIREME_FROM',
      helpValue: 'PATH',
    }),
    program: Flags.string({
      ...list,
      summary: 'A program from this computer instead of its public source; repeatable.',
      env: 'TRIREME_PROGRAM',
      helpValue: 'ARCH/NAME=PATH',
    }),
    source: Flags.string({
      ...list,
      summary: 'Another address for a public place, over those of the file; repeatable.',
      env: 'TRIREME_SOURCE',
      helpValue: 'HOST=ADDRESS',
    }),
    lock: Flags.string({
      summary: 'Lock file of versions and digests; default: that of the file, or trireme.lock here.',
      env: 'TRIREME_LOCK',
      helpValue: 'FILE',
    }),
  };
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(BundleBuild);
    const chosen = requireArchitectures(flags.arch ?? ['amd64']);
    const version = flags['kubernetes-version'];
    const content =
      version === undefined ? await contentOfCluster(await this.readRendered(flags), flags.image ?? []) : contentOfVersion(version, flags.image ?? []);
    const {buildBundle} = await import('../../bundle/build.ts');
    this.out.note(`Collecting Kubernetes ${content.version} (${content.distribution}) for ${chosen.join(' and ')}`);
    const {warnings, ...built} = await buildBundle({
      ...content,
      ...(flags.lock === undefined ? {} : {lockFile: resolve(flags.lock)}),
      architectures: chosen,
      sources: {...content.sources, ...Object.fromEntries((flags.source ?? []).map((text) => pairOf(text, '--source', 'HOST=ADDRESS')))},
      inputs: flags.from ?? [],
      files: (flags.program ?? []).map(programOf),
      out: resolve(flags.out),
      signal: this.signal,
      onProgress: this.#reporter(),
    });
    for (const message of warnings) this.out.warn({code: 'bundle.lock-unwritten', message});
    this.out.print(
      this.out.format === 'name'
        ? built.out
        : `${built.out}: ${count(built.files, 'program')}, ${count(built.images, 'image')}, ${formatBytes(built.size)} in ${count(built.blobs, 'blob')}\n${built.digest}`,
    );
    return built;
  }

  #reporter(): OnProgress {
    return ({name, digest, received, total}) => {
      if (received < total) return;
      const line = `${name}: ${formatBytes(total)}`;
      if (total >= worthALine) this.out.note(line);
      else this.out.detail(`${line} (${digest})`);
    };
  }
}

function pairOf(text: string, flag: string, form: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new TriremeError('usage.invalid', `${flag} takes ${form}, not ${text}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function programOf(text: string) {
  const [key, path] = pairOf(text, '--program', 'ARCH/NAME=PATH');
  const [architecture, name] = key.split('/');
  const [known] = requireArchitectures([architecture ?? '']);
  if (known === undefined || name === undefined || name === '')
    throw new TriremeError('usage.invalid', `--program takes ARCH/NAME=PATH, not ${text}.`, {hints: ['For example: --program amd64/kubeadm=./kubeadm']});
  return {architecture: known, name, path: resolve(path)};
}
