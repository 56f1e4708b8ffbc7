// A report in other shapes: rows for a table, JUnit XML for CI, and the problem that decides the exit code.
import {exitCodeOf, TriremeError} from '../../kernel/errors.ts';
import type {Problem} from '../../kernel/problem.ts';
import {problemOf} from '../../kernel/problem.ts';
import type {PreflightContext} from './check.ts';
import type {PreflightReport, PreflightResult} from './run-preflight.ts';

export interface PreflightRow {
  readonly host: string;
  readonly id: string;
  /** `error`, `warning`, `ignored` (an error that somebody chose to ignore) or `ok`. */
  readonly status: string;
  readonly observed: string;
  readonly wanted: string;
  readonly remedy: string;
}

const rank: Readonly<Record<string, number>> = {error: 0, warning: 1, ok: 2};

/** What isn't well, by host: errors first within a host; what concerns all of them comes last. With `all`, what is well too. */
export function reportRows(report: PreflightReport, options: {readonly all?: boolean} = {}): readonly PreflightRow[] {
  const hosts = [...new Set(report.results.map(({host}) => host))].filter((host) => host !== undefined);
  const groups = [...hosts, undefined].map((host) =>
    report.results.filter((result) => result.host === host && (options.all === true || result.status !== 'ok')),
  );
  return groups.flatMap((results) => results.toSorted((a, b) => (rank[a.status] ?? 0) - (rank[b.status] ?? 0)).map(rowOf));
}

function rowOf(result: PreflightResult): PreflightRow {
  return {
    host: result.host ?? '(cluster)',
    id: result.id,
    status: result.ignored ? 'ignored' : result.status,
    observed: result.observed,
    wanted: result.wanted,
    remedy: result.remedy,
  };
}

/** One line: `60 checks on 3 hosts: 2 errors, 1 warning, 1 ignored`. */
export function reportSummary(report: PreflightReport, hosts: number): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const parts = [
    count(report.errors, 'error'),
    count(report.warnings - report.ignored, 'warning'),
    ...(report.ignored > 0 ? [`${count(report.ignored, 'error')} ignored`] : []),
  ];
  return `${count(report.checks, 'check')} on ${count(hosts, 'host')}: ${parts.join(', ')}`;
}

/** The problem to end with: `preflight.failed` (exit 10), or that of hosts that can't be reached; undefined when no error remains. */
export function reportProblem(report: PreflightReport, context: PreflightContext): Problem | undefined {
  const unreachable = context.hosts.flatMap(({problem}) => (problem === undefined ? [] : [problem]));
  // an unreachable host that the person chose to ignore decides nothing
  const counts = report.results.some(({id, status}) => id === 'ssh' && status === 'error');
  if (counts && unreachable.length > 0) {
    const exit = exitCodeOf(unreachable.map((problem) => problem.exit));
    const first = unreachable.find((problem) => problem.exit === exit) as Problem;
    if (unreachable.length === 1) return first;
    return {...first, message: `${first.message} ${unreachable.length - 1} more ${unreachable.length === 2 ? "host doesn't" : "hosts don't"} answer either.`};
  }
  if (report.errors === 0) return undefined;
  const ids = [...new Set(report.results.filter(({status}) => status === 'error').map(({id}) => id))];
  return problemOf(
    new TriremeError('preflight.failed', `Preflight of ${report.cluster} found ${report.errors} error${report.errors === 1 ? '' : 's'}: ${ids.join(', ')}.`, {
      hints: ['Each has its remedy above.', `What you accept: trireme preflight --ignore ${ids[0]}, or spec.agent.preflight.ignore in the file.`],
    }),
  );
}

/** JUnit XML: a suite for each host and one for the cluster, a case for each check; warnings go to system-out, for they fail nothing. */
export function reportJUnit(report: PreflightReport): string {
  const hosts = [...new Set(report.results.map(({host}) => host ?? report.cluster))];
  const suites = hosts.map((host) => {
    const results = report.results.filter((result) => (result.host ?? report.cluster) === host);
    const failures = results.filter(({status}) => status === 'error').length;
    return [
      `  <testsuite name="${escapeXml(host)}" tests="${results.length}" failures="${failures}" errors="0" skipped="0">`,
      ...results.map((result) => caseOf(result, host)),
      '  </testsuite>',
    ].join('\n');
  });
  const title = report.simulated ? `trireme preflight ${report.cluster} (SIMULATED)` : `trireme preflight ${report.cluster}`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escapeXml(title)}" tests="${report.results.length}" failures="${report.errors}" errors="0">\n${suites.join('\n')}\n</testsuites>\n`;
}

function caseOf(result: PreflightResult, host: string): string {
  const open = `    <testcase classname="${escapeXml(`preflight.${host}`)}" name="${escapeXml(`${result.id}: ${result.title}`)}"`;
  if (result.status === 'ok') return `${open}/>`;
  const text = escapeXml(`observed: ${result.observed}\nwanted: ${result.wanted}\nremedy: ${result.remedy}`);
  if (result.status === 'error') return `${open}><failure type="${escapeXml(result.id)}" message="${escapeXml(result.observed)}">${text}</failure></testcase>`;
  return `${open}><system-out>${result.ignored ? 'ignored error' : 'warning'}\n${text}</system-out></testcase>`;
}

/** Characters that XML 1.0 doesn't allow at all become the replacement character: hosts may answer anything. */
function escapeXml(text: string): string {
  const clean = [...text].map((sign) => (isXmlCharacter(sign.codePointAt(0) as number) ? sign : '\uFFFD')).join('');
  return clean.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&apos;');
}

function isXmlCharacter(code: number): boolean {
  return code === 9 || code === 10 || code === 13 || (code >= 0x20 && code <= 0xd7_ff) || (code >= 0xe0_00 && code <= 0xff_fd) || code >= 0x1_00_00;
}
