import {z} from 'zod';
import {BaseCommand} from './base-command.ts';

const result = z.record(z.string(), z.unknown());

export default class Schema extends BaseCommand<z.infer<typeof result>> {
  static override summary = 'Print the JSON Schema of the file, for editors.';
  static override description =
    'Editors with a YAML language server use it by the comment "# yaml-language-server: $schema=PATH" in the first line of the file.';
  static override examples = ['<%= config.bin %> schema > trireme.schema.json'];
  static override resultSchema = () => result;

  async run() {
    await this.parse(Schema);
    const {jsonSchema} = await import('../spec/json-schema.ts');
    const schema = jsonSchema();
    this.out.print(JSON.stringify(schema, null, 2));
    return schema;
  }
}
