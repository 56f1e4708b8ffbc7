import {resolve} from 'node:path';
import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {cacheFolder} from '../../kernel/folders.ts';
import {count, formatBytes} from '../../output/table.ts';
import {BaseCommand} from '../base-command.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  bundle: z.string(),
  to: z.string(),
  pinned: z.string(),
  digest: z.string(),
  blobs: z.int(),
  present: z.int(),
  sent: z.int(),
});

/** Smaller blobs come and go too fast to be worth a line, in bytes. */
const worthALine = 1024 * 1024;

export default class BundlePush extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'Put a bundle into a registry.';
  static override description =
    'Sends what the registry lacks, each blob checked by its digest before it goes, and sets the tag at the very end. Name and password come from config.json of docker login. A cluster reads it by spec.agent.bundle: oci://registry/repository:tag.';
  static override examples = [
    '<%= config.bin %> bundle push ./bundle oci://registry.example/fleet/bundle:v1.36.3',
    '<%= config.bin %> bundle push bundle.tar oci://10.0.0.5:5000/bundle:v1.36.3 --authority ca.pem',
  ];
  static override args = {
    bundle: Args.string({description: 'Folder or tar.', required: true, ignoreStdin: true}),
    to: Args.string({description: 'oci://registry/repository:tag', required: true, ignoreStdin: true}),
  };
  static override flags = {
    authority: Flags.string({
      summary: 'File of certificates (PEM) that the registry is trusted by, besides the public ones.',
      env: 'TRIREME_AUTHORITY',
      helpValue: 'FILE',
    }),
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(BundlePush);
    const {pushBundle} = await import('../../bundle/push.ts');
    const pushed = await pushBundle({
      bundle: args.bundle,
      to: args.to,
      cacheFolder: cacheFolder(),
      signal: this.signal,
      ...(flags.authority === undefined ? {} : {authority: resolve(flags.authority)}),
      onProgress: ({name, digest, total}) => {
        if (total >= worthALine) this.out.note(`${name}: ${formatBytes(total)}`);
        else this.out.detail(`${name}: ${formatBytes(total)} (${digest})`);
      },
    });
    this.out.print(
      this.out.format === 'name'
        ? pushed.pinned
        : `${pushed.to}: ${count(pushed.blobs, 'blob')}, ${formatBytes(pushed.sent)} sent, ${pushed.present} there before\n${pushed.pinned}`,
    );
    return pushed;
  }
}
