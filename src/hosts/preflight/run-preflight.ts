// Runs the checks over facts and makes the report. Pure: nothing here talks to a host.
import {TriremeError} from '../../kernel/errors.ts';
import {nearest} from '../../kernel/nearest.ts';
import type {Check, Finding, PreflightContext, Severity} from './check.ts';
import {checks as allChecks} from './registry.ts';

export interface PreflightOptions {
  /** Ids of the checks to run; default: all. */
  readonly only?: readonly string[];
  /** Ids of the checks whose errors become warnings, beside those of the file. */
  readonly ignore?: readonly string[];
  readonly checks?: readonly Check[];
}

export interface PreflightResult {
  readonly id: string;
  readonly title: string;
  readonly scope: 'host' | 'cluster';
  /** Absent for what concerns the cluster as a whole. */
  readonly host?: string;
  readonly status: 'ok' | 'warning' | 'error';
  /** True for an error that is a warning only because somebody chose to ignore it. */
  readonly ignored: boolean;
  readonly observed: string;
  readonly wanted: string;
  readonly remedy: string;
}

export interface PreflightReport {
  readonly cluster: string;
  readonly simulated: boolean;
  /** Every check on every host, those that are well too, in the order of the registry and the file. */
  readonly results: readonly PreflightResult[];
  readonly unreachable: readonly string[];
  readonly checks: number;
  readonly errors: number;
  readonly warnings: number;
  readonly ignored: number;
}

/** Runs the checks. Throws `usage.invalid` for an id that no check has. */
export function runPreflight(context: PreflightContext, options: PreflightOptions = {}): PreflightReport {
  const registry = options.checks ?? allChecks;
  requireKnownChecks(context.cluster, options);
  const fromFile = ignoredByFile(context.cluster);
  const ignored = new Set([...fromFile, ...(options.ignore ?? [])]);
  const only = new Set(options.only);
  // a host that doesn't answer passes no check: that shows, whichever were asked for
  const isSilent = context.hosts.some(({problem}) => problem !== undefined);
  const chosen = registry.filter(({id}) => only.size === 0 || only.has(id) || (id === 'ssh' && isSilent));
  const results = chosen.flatMap((check) => resultsOf(check, context, ignored.has(check.id)));
  return {
    cluster: context.cluster.metadata.name,
    simulated: context.checked.some(({facts}) => facts.simulated),
    results,
    unreachable: context.hosts.filter(({facts}) => facts === undefined).map(({name}) => name),
    checks: chosen.length,
    errors: results.filter(({status}) => status === 'error').length,
    warnings: results.filter(({status}) => status === 'warning').length,
    ignored: results.filter((result) => result.ignored).length,
  };
}

/** Throws `usage.invalid` for an id that no check has: before any host is asked. */
export function requireKnownChecks(cluster: PreflightContext['cluster'], options: PreflightOptions): void {
  const registry = options.checks ?? allChecks;
  requireKnown(registry, options.only ?? [], '--only');
  requireKnown(registry, options.ignore ?? [], '--ignore');
  requireKnown(registry, ignoredByFile(cluster), 'spec.agent.preflight.ignore');
}

const ignoredByFile = (cluster: PreflightContext['cluster']) => cluster.spec.agent?.preflight?.ignore ?? [];

function resultsOf(check: Check, context: PreflightContext, isIgnored: boolean): readonly PreflightResult[] {
  const ok = (host?: string): PreflightResult => ({...base(check, host), status: 'ok', ignored: false, observed: '', wanted: '', remedy: ''});
  const found = (finding: Finding, host: string | undefined): PreflightResult => {
    const severity: Severity = finding.severity ?? check.severity;
    const ignored = isIgnored && severity === 'error';
    return {...base(check, host), status: ignored ? 'warning' : severity, ignored, observed: finding.observed, wanted: finding.wanted, remedy: finding.remedy};
  };
  if (check.scope === 'cluster') {
    const findings = check.run(context);
    return findings.length === 0 ? [ok()] : findings.map((finding) => found(finding, finding.host));
  }
  return context.checked
    .filter((host) => check.roles === undefined || check.roles.includes(host.role))
    .flatMap((host) => {
      const findings = check.run(host, context);
      return findings.length === 0 ? [ok(host.name)] : findings.map((finding) => found(finding, host.name));
    });
}

function base(check: Check, host: string | undefined) {
  return {id: check.id, title: check.title, scope: check.scope, ...(host === undefined ? {} : {host})};
}

function requireKnown(registry: readonly Check[], ids: readonly string[], where: string): void {
  const known = registry.map(({id}) => id);
  for (const id of ids) {
    if (known.includes(id)) continue;
    const near = nearest(id, known);
    throw new TriremeError('usage.invalid', `${where} names ${id}, but no preflight check has that id.`, {
      hints: [...(near === undefined ? [] : [`Did you mean ${near}?`]), `The ids are: ${known.join(', ')}.`],
    });
  }
}
