import {z} from 'zod';
import type {ProviderView} from '../../modes/controller/providers/list-providers.ts';
import {sanitizeLine} from '../../output/sanitize.ts';
import {renderTable, type Column} from '../../output/table.ts';
import {ProviderCommand, providerFlags} from '../base-provider.ts';
import type {ResultOf} from '../base-results.ts';

const result = z.strictObject({
  server: z.string(),
  context: z.string(),
  simulated: z.boolean(),
  kubernetes: z.string(),
  contract: z.string().nullable(),
  certManager: z.strictObject({state: z.enum(['absent', 'foreign', 'ours']), version: z.string().optional()}),
  providers: z.array(
    z.strictObject({
      provider: z.string(),
      name: z.string(),
      type: z.string(),
      version: z.string(),
      namespace: z.string(),
      contract: z.string().nullable(),
      newest: z.string().nullable(),
      health: z.enum(['healthy', 'degraded', 'unknown']),
      reasons: z.array(z.string()),
      deployments: z.array(z.strictObject({name: z.string(), available: z.int(), wanted: z.int()})),
    }),
  ),
});

const columns: readonly Column<ProviderView>[] = [
  {title: 'PROVIDER', cell: (row) => row.provider},
  {title: 'VERSION', cell: (row) => row.version},
  {title: 'NEWEST', cell: (row) => row.newest ?? ''},
  {title: 'CONTRACT', cell: (row) => row.contract ?? ''},
  {title: 'NAMESPACE', cell: (row) => row.namespace, wide: true},
  {title: 'RUNS', cell: (row) => row.deployments.map(({available, wanted}) => `${available}/${wanted}`).join(' ')},
  {title: 'HEALTH', cell: (row) => row.health, paint: (text, {health}, {color}) => (health === 'healthy' ? color.green(text) : color.yellow(text))},
];

export default class ProviderList extends ProviderCommand<ResultOf<typeof result>> {
  static override summary = 'List the Cluster API providers of a management cluster: versions, what is newer, and health.';
  static override description =
    'Reads the inventory that clusterctl writes too. NEWEST is the newest version within the contract of the core provider, from the repositories; - where none is newer, or where it can not be found out, which is then said.';
  static override examples = [
    '<%= config.bin %> provider list',
    '<%= config.bin %> provider list --context prod -o wide',
    '<%= config.bin %> provider list -o json',
  ];
  static override flags = providerFlags;
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(ProviderList);
    const {listProviders} = await import('../../modes/controller/providers/list-providers.ts');
    const library = await this.openLibrary(flags);
    return this.withApi(flags, async ({api}) => {
      const view = await listProviders(api, library, this.signal);
      if (this.out.format === 'name') this.out.print(view.providers.map(({provider}) => provider).join('\n'));
      else if (view.providers.length === 0) this.out.print(`No providers are installed in ${sanitizeLine(view.context)}. Install some: trireme provider init`);
      else {
        this.out.print(
          `${view.simulated ? 'SIMULATED\n' : ''}${renderTable(view.providers, columns, {style: this.out.style, wide: this.out.format === 'wide'})}`,
        );
        for (const {provider, reasons} of view.providers) for (const reason of reasons) this.out.print(`${provider}: ${sanitizeLine(reason)}`);
        const {certManager} = view;
        this.out.print(
          `cert-manager: ${certManager.state === 'ours' ? certManager.version : certManager.state === 'foreign' ? "somebody else's" : 'not installed'}`,
        );
      }
      return view;
    });
  }
}
