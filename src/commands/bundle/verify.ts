import {Args} from '@oclif/core';
import {z} from 'zod';
import {count, formatBytes} from '../../output/table.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {ClusterCommand} from '../base-cluster.ts';
import {architectureFlag, contentFlags, contentOfCluster, contentOfVersion, requireArchitectures, type MeantContent} from '../base-content.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  bundle: z.string(),
  blobs: z.int(),
  size: z.int(),
  complaints: z.array(
    z.strictObject({kind: z.enum(['damaged', 'missing-blob', 'wrong-size', 'missing-content', 'unreadable']), subject: z.string(), message: z.string()}),
  ),
});

export default class BundleVerify extends ClusterCommand<ResultOf<typeof result>> {
  static override summary = "Check a bundle: every digest, and that a cluster's content is whole.";
  static override description =
    'Computes every digest anew. With a file (-f) or a version, what the cluster needs and the bundle lacks is named as well. Exit code 1 when a blob is damaged, 3 when something is missing.';
  static override examples = [
    '<%= config.bin %> bundle verify ./bundle',
    '<%= config.bin %> bundle verify bundle.tar -f trireme.yaml',
    '<%= config.bin %> bundle verify bundle.tar --kubernetes-version v1.36.3 --arch arm64',
  ];
  static override args = {bundle: Args.string({description: 'Folder or tar.', required: true, ignoreStdin: true})};
  static override flags = {...contentFlags, arch: architectureFlag};
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(BundleVerify);
    const content = await this.#content(flags);
    const [{verifyBundle, verifyError}, {inspectBundle}] = await Promise.all([import('../../bundle/verify.ts'), import('../../bundle/inspect.ts')]);
    const chosen = requireArchitectures(flags.arch ?? []);
    // without --arch the bundle is held to the architectures that it says it is for
    const inBundle =
      content === undefined || chosen.length > 0
        ? []
        : await inspectBundle(args.bundle).then(
            (found) => requireArchitectures(found.versions.map((one) => one.architecture)),
            () => [],
          );
    const architectures = chosen.length > 0 ? chosen : inBundle.length > 0 ? inBundle : requireArchitectures(['amd64']);
    const verified = await verifyBundle({
      bundle: args.bundle,
      ...(content === undefined
        ? {}
        : {cluster: {version: content.version, distribution: content.distribution, images: content.images, renderers: content.renderers ?? [], architectures}}),
      signal: this.signal,
    });
    const error = verifyError(verified);
    for (const complaint of verified.complaints) this.out.print(sanitizeLine(complaint.message));
    const extent = `${count(verified.blobs, 'blob')}, ${formatBytes(verified.size)}`;
    if (error === undefined)
      this.out.print(
        `${args.bundle}: every digest is right (${extent})${content === undefined ? '' : `, and nothing is missing for Kubernetes ${content.version} on ${architectures.join(' and ')}`}`,
      );
    else this.failWith(error);
    return verified;
  }

  async #content(flags: {
    readonly file?: readonly string[];
    readonly cluster?: string;
    readonly image?: readonly string[];
    readonly 'kubernetes-version'?: string;
  }): Promise<MeantContent | undefined> {
    const version = flags['kubernetes-version'];
    if (version !== undefined) return contentOfVersion(version, flags.image ?? []);
    if (flags.file === undefined && flags.cluster === undefined) return undefined;
    return contentOfCluster(await this.readRendered(flags), flags.image ?? []);
  }
}
