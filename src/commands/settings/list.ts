import {z} from 'zod';
import {renderTable} from '../../output/table.ts';
import {settingNames, settingsPath, settingsTable} from '../../settings.ts';
import {BaseCommand} from '../base-command.ts';

const result = z.strictObject({
  path: z.string(),
  settings: z.array(z.strictObject({name: z.string(), value: z.union([z.string(), z.number(), z.boolean()]), meaning: z.string(), values: z.string()})),
});

export default class SettingsList extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'List the settings and their values.';
  static override examples = ['<%= config.bin %> settings list'];
  static override resultSchema = () => result;

  async run() {
    await this.parse(SettingsList);
    const settings = settingNames.map((name) => ({name, value: this.settings[name], meaning: settingsTable[name].meaning, values: settingsTable[name].values}));
    const columns = [
      {title: 'NAME', cell: (row: (typeof settings)[number]) => row.name},
      {title: 'VALUE', cell: (row: (typeof settings)[number]) => String(row.value)},
      {title: 'VALUES', cell: (row: (typeof settings)[number]) => row.values},
      {title: 'MEANING', cell: (row: (typeof settings)[number]) => row.meaning},
    ];
    this.out.print(this.out.format === 'name' ? settings.map((row) => row.name).join('\n') : renderTable(settings, columns, {style: this.out.style}));
    return {path: settingsPath(), settings};
  }
}
