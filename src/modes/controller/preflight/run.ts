// Runs controller mode's checks over facts and makes the report: the same shape as that of hosts. Pure.
import {TriremeError} from '../../../kernel/errors.ts';
import {nearest} from '../../../kernel/nearest.ts';
import {type Problem, problemOf} from '../../../kernel/problem.ts';
import type {ClusterDocument} from '../../../spec/schema.ts';
import type {Check, Finding, PreflightFacts} from './check.ts';
import {checks as allChecks} from './registry.ts';

export interface PreflightChoice {
  /** Ids of the checks to run; default: all. */
  readonly only?: readonly string[];
  /** Ids of the checks whose errors become warnings, beside those of the file. */
  readonly ignore?: readonly string[];
}

export interface PreflightResult {
  readonly id: string;
  readonly title: string;
  readonly scope: 'cluster';
  readonly status: 'ok' | 'warning' | 'error';
  readonly ignored: boolean;
  readonly observed: string;
  readonly wanted: string;
  readonly remedy: string;
}

export interface PreflightReport {
  readonly cluster: string;
  readonly simulated: boolean;
  readonly results: readonly PreflightResult[];
  /** Always empty: there are no hosts. */
  readonly unreachable: readonly string[];
  readonly checks: number;
  readonly errors: number;
  readonly warnings: number;
  readonly ignored: number;
}

/** Runs the checks that have something to look at. Throws `usage.invalid` for an id that no check has. */
export function runControllerPreflight(facts: PreflightFacts, choice: PreflightChoice = {}): PreflightReport {
  requireKnownIds(facts.cluster, choice);
  const ignored = new Set([...ignoredByFile(facts.cluster), ...(choice.ignore ?? [])]);
  const only = new Set(choice.only);
  // a management cluster that doesn't answer passes no check: that shows, whichever were asked for
  const chosen = allChecks.filter(({id}) => only.size === 0 || only.has(id) || (id === 'api' && facts.problem !== undefined));
  const ran = chosen.flatMap((check) => {
    const findings = findingsOf(check, facts);
    return findings === undefined ? [] : [{check, findings}];
  });
  const results = ran.flatMap(({check, findings}) => resultsOf(check, findings, ignored.has(check.id)));
  const count = (status: PreflightResult['status']) => results.filter((one) => one.status === status).length;
  return {
    cluster: facts.cluster.metadata.name,
    simulated: (facts.management?.simulated ?? false) || (facts.aws?.simulated ?? false),
    results,
    unreachable: [],
    checks: ran.length,
    errors: count('error'),
    warnings: count('warning'),
    ignored: results.filter((one) => one.ignored).length,
  };
}

/** Undefined where there's nothing to look at. */
function findingsOf(check: Check, facts: PreflightFacts): readonly Finding[] | undefined {
  switch (check.of) {
    case 'reach':
      return check.run(facts);
    case 'management':
      return facts.management === undefined ? undefined : check.run(facts.management, facts.cluster);
    case 'aws':
      // without an identity the account's other answers mean nothing
      if (facts.aws === undefined || ('failure' in facts.aws.identity && check.id !== 'aws-identity')) return undefined;
      return check.run(facts.aws, facts.cluster);
  }
}

function resultsOf({id, title, severity}: Check, findings: readonly Finding[], isIgnored: boolean): readonly PreflightResult[] {
  const base = {id, title, scope: 'cluster'} as const;
  if (findings.length === 0) return [{...base, status: 'ok', ignored: false, observed: '', wanted: '', remedy: ''}];
  return findings.map(({observed, wanted, remedy, severity: own}) => {
    const status = own ?? severity;
    const ignored = isIgnored && status === 'error';
    return {...base, status: ignored ? 'warning' : status, ignored, observed, wanted, remedy};
  });
}

const ignoredByFile = (cluster: ClusterDocument) => cluster.spec.controller?.preflight?.ignore ?? [];

/** Throws `usage.invalid` for an id that no check has: before anything is asked. */
export function requireKnownIds(cluster: ClusterDocument, {only = [], ignore = []}: PreflightChoice): void {
  const known = allChecks.map(({id}) => id);
  for (const [where, ids] of [
    ['--only', only],
    ['--ignore', ignore],
    ['spec.controller.preflight.ignore', ignoredByFile(cluster)],
  ] as const) {
    const id = ids.find((one) => !known.includes(one));
    if (id === undefined) continue;
    const near = nearest(id, known);
    throw new TriremeError('usage.invalid', `${where} names ${id}, but no preflight check of controller mode has that id.`, {
      hints: [...(near === undefined ? [] : [`Did you mean ${near}?`]), `The ids are: ${known.join(', ')}.`],
    });
  }
}

/** One line: `17 checks: 1 error, 2 warnings`. */
export function summaryOf({checks, errors, warnings, ignored}: PreflightReport): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
  const parts = [count(errors, 'error'), count(warnings - ignored, 'warning'), ...(ignored > 0 ? [`${count(ignored, 'error')} ignored`] : [])];
  return `${count(checks, 'check')}: ${parts.join(', ')}`;
}

/** The problem to end with: that of a management cluster that can't be reached, else `preflight.failed`; undefined when no error remains. */
export function problemOfReport(report: PreflightReport, facts: PreflightFacts): Problem | undefined {
  const isApiWrong = report.results.some(({id, status}) => id === 'api' && status === 'error');
  if (isApiWrong && facts.problem !== undefined) return facts.problem;
  if (report.errors === 0) return undefined;
  const ids = [...new Set(report.results.filter(({status}) => status === 'error').map(({id}) => id))];
  return problemOf(
    new TriremeError('preflight.failed', `Preflight of ${report.cluster} found ${report.errors} error${report.errors === 1 ? '' : 's'}: ${ids.join(', ')}.`, {
      hints: ['Each has its remedy above.', `What you accept: trireme preflight --ignore ${ids[0]}, or spec.controller.preflight.ignore in the file.`],
    }),
  );
}
