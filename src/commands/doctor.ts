import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import {checkComputer} from '../doctor/checks.ts';
import {renderTable, type Column} from '../output/table.ts';
import {BaseCommand} from './base-command.ts';
import type {ResultOf} from './base-results.ts';

const finding = z.strictObject({
  id: z.string(),
  severity: z.enum(['ok', 'warning', 'error']),
  observed: z.string(),
  remedy: z.string().optional(),
});
const result = z.strictObject({findings: z.array(finding)});
type Finding = ResultOf<typeof finding>;

export default class Doctor extends BaseCommand<ResultOf<typeof result>> {
  static override summary = 'Check this computer: Node, SSH, folders, permissions.';
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor -o json'];
  static override resultSchema = () => result;

  async run() {
    await this.parse(Doctor);
    const findings = await checkComputer({env: process.env, node: process.versions.node});
    this.out.print(
      this.out.format === 'name'
        ? findings.map((one) => one.id).join('\n')
        : renderTable(findings, columns, {style: this.out.style, wide: this.out.format === 'wide', columns: this.out.terminal.stdout.columns}),
    );
    const errors = findings.filter((one) => one.severity === 'error');
    if (errors.length > 0) {
      this.failWith(
        new TriremeError('preflight.failed', `This computer isn't ready: ${errors.map((one) => one.id).join(', ')}.`, {
          hints: errors.flatMap((one) => one.remedy ?? []),
        }),
      );
    }
    return {findings};
  }
}

const columns: readonly Column<Finding>[] = [
  {title: 'CHECK', cell: (row) => row.id},
  {
    title: 'STATE',
    cell: (row) => row.severity,
    paint: (text, row, {color}) => (row.severity === 'ok' ? color.green(text) : row.severity === 'error' ? color.red(text) : color.yellow(text)),
  },
  {title: 'OBSERVED', cell: (row) => row.observed},
  {title: 'REMEDY', cell: (row) => row.remedy ?? ''},
];
