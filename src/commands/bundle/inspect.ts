import {Args} from '@oclif/core';
import {z} from 'zod';
import {count, formatBytes, renderTable, type Column} from '../../output/table.ts';
import {BaseCommand} from '../base-command.ts';
import type {ResultOf} from '../base-results.ts';

const row = z.strictObject({
  name: z.string(),
  kind: z.enum(['binary', 'archive', 'image']),
  architecture: z.string(),
  version: z.string(),
  size: z.int(),
  digest: z.string(),
});
const result = z.strictObject({
  bundle: z.string(),
  form: z.enum(['folder', 'tar']),
  versions: z.array(z.strictObject({version: z.string(), distribution: z.string(), architecture: z.string()})),
  rows: z.array(row),
  blobs: z.int(),
  size: z.int(),
  digest: z.string(),
});

const columns: readonly Column<z.infer<typeof row>>[] = [
  {title: 'NAME', cell: (one) => one.name},
  {title: 'KIND', cell: (one) => one.kind},
  {title: 'ARCH', cell: (one) => one.architecture},
  {title: 'VERSION', cell: (one) => (one.version.startsWith('sha256:') ? one.version.slice(0, 19) : one.version)},
  {title: 'SIZE', cell: (one) => formatBytes(one.size)},
  {title: 'DIGEST', cell: (one) => one.digest, wide: true},
];

export default class BundleInspect extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'List what is in a bundle.';
  static override description = 'Reads the manifests only. Whether every byte is right is what bundle verify says.';
  static override examples = ['<%= config.bin %> bundle inspect ./bundle', '<%= config.bin %> bundle inspect bundle.tar -o wide'];
  static override args = {bundle: Args.string({description: 'Folder or tar.', required: true, ignoreStdin: true})};
  static override flags = {};
  static override resultSchema = () => result;

  async run() {
    const {args} = await this.parse(BundleInspect);
    const {inspectBundle} = await import('../../bundle/inspect.ts');
    const found = await inspectBundle(args.bundle);
    if (this.out.format === 'name') this.out.print(found.rows.map((one) => one.name).join('\n'));
    else {
      this.out.print(renderTable(found.rows, columns, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns}));
      const versions = [...new Set(found.versions.map((one) => `Kubernetes ${one.version} (${one.distribution})`))];
      this.out.note(`${versions.join(', ') || 'No programs'}; ${formatBytes(found.size)} in ${count(found.blobs, 'blob')}; ${found.digest}`);
    }
    return found;
  }
}
