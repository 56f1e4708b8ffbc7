import {Args} from '@oclif/core';
import {z} from 'zod';
import {BaseCommand} from './base-command.ts';

const summary = z.strictObject({name: z.string(), type: z.string(), required: z.boolean(), description: z.string()});
const result = z.strictObject({
  kind: z.string(),
  path: z.string(),
  type: z.string(),
  required: z.boolean(),
  description: z.string(),
  default: z.unknown().optional(),
  values: z.array(z.unknown()).readonly().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  children: z.array(summary).readonly(),
});

export default class Explain extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'Document a field of the file.';
  static override examples = [
    '<%= config.bin %> explain',
    '<%= config.bin %> explain spec.agent.ssh',
    '<%= config.bin %> explain ClusterProfile.spec.variables',
  ];
  static override args = {
    path: Args.string({description: 'Dotted path of the field, as in the file; a kind may stand in front.', default: 'Cluster', ignoreStdin: true}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args} = await this.parse(Explain);
    const {explainPath, renderExplanation} = await import('../spec/explain.ts');
    const explanation = explainPath(args.path);
    this.out.print(renderExplanation(explanation));
    return explanation;
  }
}
