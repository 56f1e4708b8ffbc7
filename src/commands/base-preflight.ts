// What preflight found, as JSON and for people.
import {z} from 'zod';
import type {PreflightRow} from '../hosts/preflight/report.ts';
import {sanitizeLine} from '../output/sanitize.ts';
import type {Style} from '../output/style.ts';
import {renderTable, type Column} from '../output/table.ts';

/** The result of preflight in the JSON output. */
export const preflightResult = z.strictObject({
  cluster: z.string(),
  simulated: z.boolean(),
  checks: z.int(),
  errors: z.int(),
  warnings: z.int(),
  ignored: z.int(),
  unreachable: z.array(z.string()),
  results: z.array(
    z.strictObject({
      id: z.string(),
      title: z.string(),
      scope: z.enum(['host', 'cluster']),
      host: z.string().optional(),
      status: z.enum(['ok', 'warning', 'error']),
      ignored: z.boolean(),
      observed: z.string(),
      wanted: z.string(),
      remedy: z.string(),
    }),
  ),
});

const columns: readonly Column<PreflightRow>[] = [
  {title: 'HOST', cell: ({host}) => host},
  {title: 'SEVERITY', cell: ({status}) => status, paint: (text, {status}, {color}) => (status === 'error' ? color.red(text) : color.yellow(text))},
  {title: 'ID', cell: ({id}) => id},
  {title: 'OBSERVED', cell: ({observed}) => observed},
  {title: 'WANTED', cell: ({wanted}) => wanted},
  {title: 'REMEDY', cell: ({remedy}) => remedy},
];

/** By host, each finding with what was wanted and what to do below it; a table with `wide`. */
export function renderFindings(rows: readonly PreflightRow[], {style, wide}: {readonly style: Style; readonly wide: boolean}): string {
  if (wide) return renderTable(rows, columns, {style, wide});
  const {color, symbols} = style;
  const width = Math.max(...rows.map(({id}) => id.length));
  const hosts = [...new Set(rows.map(({host}) => host))];
  return hosts
    .flatMap((host) => [
      color.bold(sanitizeLine(host)),
      ...rows
        .filter((row) => row.host === host)
        .flatMap(({id, status, observed, wanted, remedy}) => [
          `  ${status === 'error' ? color.red(symbols.failed) : color.yellow(symbols.warning)} ${id.padEnd(width)}  ${status === 'ignored' ? 'ignored: ' : ''}${sanitizeLine(observed)}`,
          `    ${color.dim(`wanted: ${sanitizeLine(wanted)}`)}`,
          `    ${color.dim(symbols.arrow)} ${sanitizeLine(remedy)}`,
        ]),
    ])
    .join('\n');
}
