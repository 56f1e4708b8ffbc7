import {z} from 'zod';
import {clusterFlags} from './base-flags.ts';
import {BaseCommand} from './base-command.ts';

const result = z.strictObject({
  files: z.array(z.string()).readonly(),
  clusters: z.array(
    z.strictObject({name: z.string(), mode: z.string(), kubernetes: z.string(), controlPlanes: z.int(), workers: z.int(), layers: z.array(z.string())}),
  ),
  profiles: z.array(z.string()).readonly(),
});

export default class Validate extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'Check the file: its form, and rules that go beyond it.';
  static override description =
    'All complaints are shown at once, each with its place, the rule, and the nearest valid key. No host is contacted. Exit code 3 when the file is wrong.';
  static override examples = [
    '<%= config.bin %> validate',
    '<%= config.bin %> validate -f cluster.yaml -f profile.yaml',
    'cat cluster.yaml | <%= config.bin %> validate -f - -o json',
  ];
  static override flags = {file: clusterFlags.file};
  static override resultSchema = () => result;

  async run() {
    const {flags} = await this.parse(Validate);
    const [{checkFiles}, {refuseFiles}, {countMachines}] = await Promise.all([
      import('../spec/read.ts'),
      import('../spec/complaint.ts'),
      import('../spec/machine-count.ts'),
    ]);
    const checked = await checkFiles({files: flags.file ?? [], redactor: this.redactor});
    if (checked.complaints.length > 0) throw refuseFiles(checked.complaints);
    const clusters = checked.clusters.map(({document, layers, warnings}) => {
      for (const warning of warnings) this.out.warn(warning);
      return {
        name: document.metadata.name,
        mode: document.spec.mode,
        kubernetes: document.spec.kubernetes.version,
        ...countMachines(document.spec),
        layers: layers.map((layer) => layer.name),
      };
    });
    const what = [
      ...clusters.map((one) => `cluster ${one.name}, ${one.mode} mode, ${count(one.controlPlanes, 'control plane')}, ${count(one.workers, 'worker')}`),
      ...checked.profiles.map((name) => `profile ${name}`),
    ];
    this.out.print(`${checked.files.join(', ')} ${checked.files.length === 1 ? 'is' : 'are'} valid: ${what.join('; ')}`);
    return {files: checked.files, clusters, profiles: checked.profiles};
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
