// Certificates for people: what ends first comes first.
import {sanitizeLine} from './sanitize.ts';
import type {Style} from './style.ts';
import {formatDuration, renderTable, type Column} from './table.ts';

export interface CertificateRow {
  readonly host: string;
  readonly name: string;
  readonly path: string;
  readonly subject: string;
  readonly issuer: string;
  readonly notAfter: string;
  readonly fingerprint: string;
  readonly renewedBy: string;
  readonly state: 'valid' | 'due' | 'expired';
}

export interface AuthorityRow {
  readonly name: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly hosts: readonly string[];
}

export interface CertificateTextOptions {
  readonly style: Style;
  readonly wide?: boolean;
  readonly columns?: number;
  readonly now: number;
}

/** `in 29d3h`, `8d0h ago`. */
export function fromNow(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  return ms >= 0 ? `in ${formatDuration(ms)}` : `${formatDuration(-ms)} ago`;
}

export function renderCertificates(rows: readonly CertificateRow[], authorities: readonly AuthorityRow[], options: CertificateTextOptions): string {
  const {style, now, wide, columns} = options;
  const table: readonly Column<CertificateRow>[] = [
    {title: 'HOST', cell: (row) => row.host},
    {title: 'CERTIFICATE', cell: (row) => row.name},
    {
      title: 'STATE',
      cell: (row) => row.state,
      paint: (text, row, {color}) => (row.state === 'valid' ? color.green(text) : row.state === 'due' ? color.yellow(text) : color.red(text)),
    },
    {title: 'ENDS', cell: (row) => fromNow(row.notAfter, now)},
    {title: 'UNTIL', cell: (row) => row.notAfter},
    {title: 'RENEWED BY', cell: (row) => row.renewedBy},
    {title: 'SUBJECT', cell: (row) => row.subject, wide: true},
    {title: 'SIGNED BY', cell: (row) => row.issuer, wide: true},
    {title: 'PATH', cell: (row) => row.path, wide: true},
    {title: 'SHA-256', cell: (row) => row.fingerprint, wide: true},
  ];
  const sized = {style, ...(wide === undefined ? {} : {wide}), ...(columns === undefined ? {} : {columns})};
  return [
    ...authorities.map(
      (one) =>
        `${style.color.bold(sanitizeLine(one.name))} ${sanitizeLine(one.fingerprint)}\n  ends ${fromNow(one.notAfter, now)} (${sanitizeLine(one.notAfter)}), on ${one.hosts.map(sanitizeLine).join(', ')}`,
    ),
    '',
    renderTable(rows, table, sized),
  ].join('\n');
}
