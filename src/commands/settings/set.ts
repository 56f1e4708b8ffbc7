import {Args} from '@oclif/core';
import {z} from 'zod';
import {requireSettingName, writeSetting} from '../../settings.ts';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({name: z.string(), value: z.union([z.string(), z.number(), z.boolean()])});

export default class SettingsSet extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'Change a setting; without a value it goes back to its default.';
  static override examples = ['<%= config.bin %> settings set concurrency 8', '<%= config.bin %> settings set color'];
  static override args = {
    name: Args.string({description: 'Name of the setting.', required: true, ignoreStdin: true}),
    value: Args.string({description: 'The new value; absent: the default.', ignoreStdin: true}),
  };
  static override resultSchema = () => result;

  async run() {
    const {args} = await this.parse(SettingsSet);
    const name = requireSettingName(args.name);
    const value = await writeSetting(name, args.value);
    this.out.note(`${name} is ${value}`);
    return {name, value};
  }
}
