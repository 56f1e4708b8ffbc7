import {Args} from '@oclif/core';
import {z} from 'zod';
import {requireSettingName} from '../../settings.ts';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({name: z.string(), value: z.union([z.string(), z.number(), z.boolean()])});

export default class SettingsGet extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'Print the value of a setting.';
  static override examples = ['<%= config.bin %> settings get concurrency'];
  static override args = {name: Args.string({description: 'Name of the setting.', required: true, ignoreStdin: true})};
  static override resultSchema = () => result;

  async run() {
    const {args} = await this.parse(SettingsGet);
    const name = requireSettingName(args.name);
    this.out.print(String(this.settings[name]));
    return {name, value: this.settings[name]};
  }
}
