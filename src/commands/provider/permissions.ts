import {Args, Flags} from '@oclif/core';
import {z} from 'zod';
import {TriremeError} from '../../kernel/errors.ts';
import {BaseCommand} from '../base-command.ts';
import type {ResultOf} from '../base-results.ts';

const statement = z.strictObject({
  Sid: z.string(),
  Effect: z.literal('Allow'),
  Action: z.array(z.string()),
  Resource: z.array(z.string()),
  Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});
const result = z.strictObject({
  provider: z.string(),
  version: z.string(),
  format: z.literal('iam'),
  notes: z.array(z.string()),
  policies: z.array(
    z.strictObject({name: z.string(), for: z.string(), document: z.strictObject({Version: z.literal('2012-10-17'), Statement: z.array(statement)})}),
  ),
});

export default class ProviderPermissions extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'Print the least cloud permissions that an infrastructure provider needs.';
  static override description =
    'For aws as IAM policies: controllers, control plane machines, and nodes. With --policy one of them alone, ready for a file. Other clouds are not known yet.';
  static override examples = [
    '<%= config.bin %> provider permissions aws',
    '<%= config.bin %> provider permissions aws --policy controllers >controllers.json',
    '<%= config.bin %> provider permissions aws -o json',
  ];
  static override args = {name: Args.string({description: 'Name of the infrastructure provider: aws.', required: true, ignoreStdin: true})};
  static override flags = {
    policy: Flags.string({summary: 'Only this policy, as JSON: controllers, control-plane, nodes.', env: 'TRIREME_POLICY', helpValue: 'NAME'}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args, flags} = await this.parse(ProviderPermissions);
    const {permissionsOf} = await import('../../modes/controller/providers/permissions/permissions.ts');
    const permissions = await permissionsOf(args.name);
    const policies = permissions.policies.filter(({name}) => flags.policy === undefined || name === flags.policy);
    if (policies.length === 0)
      throw new TriremeError('usage.invalid', `${permissions.provider} has no policy ${flags.policy}.`, {
        hints: [`There are ${permissions.policies.map(({name}) => name).join(', ')}.`],
      });
    for (const {name, for: whom, document} of policies) {
      // one alone is a file's content
      if (flags.policy === undefined) this.out.print(`# ${name}: ${whom}`);
      this.out.print(JSON.stringify(document, undefined, 2));
    }
    for (const note of permissions.notes) this.out.note(note);
    return {...permissions, policies};
  }
}
