import {z} from 'zod';
import {renderTable, type Column} from '../../output/table.ts';
import {clusterFlags, limitFlag} from '../base-flags.ts';
import {HostsCommand} from '../base-hosts.ts';
import type {ResultOf} from '../base-results.ts';

const host = z.strictObject({
  name: z.string(),
  role: z.enum(['control-plane', 'worker']),
  address: z.string(),
  /** Empty: taken from the host's default route. */
  nodeAddresses: z.array(z.string()),
  site: z.string().optional(),
  labels: z.record(z.string(), z.string()),
});
const result = z.strictObject({cluster: z.string(), simulated: z.boolean(), hosts: z.array(host)});

const columns: readonly Column<z.infer<typeof host>>[] = [
  {title: 'NAME', cell: ({name}) => name},
  {title: 'ROLE', cell: ({role}) => role},
  {title: 'ADDRESS', cell: ({address}) => address},
  {title: 'NODE ADDRESS', cell: ({nodeAddresses}) => nodeAddresses.join(',') || '(default route)'},
  {title: 'SITE', cell: ({site}) => site ?? ''},
  {
    title: 'LABELS',
    cell: ({labels}) =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    wide: true,
  },
];

export default class HostList extends HostsCommand<ResultOf<typeof result>> {
  static override summary = "List the file's hosts.";
  static override description = 'Reads the file only; no host is asked. For what the hosts say, see: host check, host facts.';
  static override examples = ['<%= config.bin %> host list', '<%= config.bin %> host list --limit role=worker -o name'];
  static override flags = {...clusterFlags, limit: limitFlag};
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(HostList);
    const {document} = await this.readCluster(flags);
    const {fileNodeAddresses, selectTargets} = await import('../../hosts/inventory.ts');
    const all = (document.spec.agent?.hosts ?? []).map((one) => ({
      host: one.name,
      role: one.role,
      site: one.site,
      labels: one.labels ?? {},
      address: one.address,
      nodeAddresses: [...fileNodeAddresses(one)],
    }));
    const hosts = selectTargets(all, flags.limit).map(({host: name, role, address, nodeAddresses, site, labels}) => ({
      name,
      role,
      address,
      nodeAddresses,
      labels,
      ...(site === undefined ? {} : {site}),
    }));
    const simulated = document.spec.kubernetes.distribution === 'simulated';
    const isWide = this.out.format === 'wide';
    this.out.print(this.out.format === 'name' ? hosts.map(({name}) => name).join('\n') : renderTable(hosts, columns, {style: this.out.style, wide: isWide}));
    if (simulated && this.out.format !== 'name') this.out.print('SIMULATED: these hosts exist on this computer only.');
    return {cluster: document.metadata.name, simulated, hosts};
  }
}
