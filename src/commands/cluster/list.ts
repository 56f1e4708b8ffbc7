import {z} from 'zod';
import {stateFolder} from '../../kernel/folders.ts';
import {listKnownClusters} from '../../fleet/known-clusters.ts';
import {renderTable, type Column} from '../../output/table.ts';
import {BaseCommand} from '../base-command.ts';
import type {ResultOf} from '../base-results.ts';

const known = z.strictObject({
  name: z.string(),
  mode: z.string(),
  files: z.array(z.string()),
  digest: z.string(),
  hosts: z.array(z.strictObject({name: z.string(), address: z.string(), role: z.string()})),
  kubeconfig: z.string().optional(),
  context: z.string().optional(),
  namespace: z.string().optional(),
});
const result = z.strictObject({clusters: z.array(known)});
type Row = ResultOf<typeof known>;

export default class ClusterList extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'List the clusters that were worked with on this computer.';
  static override description = 'The list only saves typing: what is in it can be found again from the files.';
  static override examples = ['<%= config.bin %> cluster list'];
  static override resultSchema = () => result;

  async run() {
    await this.parse(ClusterList);
    const clusters = await listKnownClusters(stateFolder());
    if (this.out.format === 'name') this.out.print(clusters.map((cluster) => cluster.name).join('\n'));
    else if (clusters.length === 0) this.out.note('No clusters yet. Write a file with: trireme init');
    else this.out.print(renderTable(clusters, columns, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns}));
    return {clusters};
  }
}

const columns: readonly Column<Row>[] = [
  {title: 'NAME', cell: (row) => row.name},
  {title: 'MODE', cell: (row) => row.mode},
  {title: 'CONTROL PLANES', cell: (row) => String(row.hosts.filter((host) => host.role === 'control-plane').length)},
  {title: 'WORKERS', cell: (row) => String(row.hosts.filter((host) => host.role !== 'control-plane').length)},
  {title: 'FILE', cell: (row) => row.files.join(', ')},
];
