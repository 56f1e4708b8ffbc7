// The variables of a profile: their declarations checked, the cluster's values checked against them, secrets read.
import {readFile} from 'node:fs/promises';
import type {Redactor} from '../kernel/redact.ts';
import {type Environment, resolvePath} from './host-files.ts';
import type {Report} from './lint/report.ts';
import {nearest} from './nearest.ts';
import {familyOf, parseNetwork} from './network.ts';
import type {VariableValue} from './placeholders.ts';
import type {ClusterDocument, ProfileDocument, ProfileVariable, SecretSource, VariableType} from './schema.ts';

export const variableName = /^[A-Za-z][A-Za-z0-9_-]*$/;

const article: Readonly<Record<VariableType, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  version: 'a version such as v1.2.3',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  cidr: 'a network in CIDR form',
};

/** Why a value doesn't fit its declaration; undefined when it does. */
export function valueProblem(value: VariableValue, declared: Pick<ProfileVariable, 'type' | 'regex'>): string | undefined {
  if (!fitsType(value, declared.type)) return `must be ${article[declared.type]}`;
  if (declared.regex === undefined || matches(declared.regex, String(value)) !== false) return undefined;
  return `doesn't match ${declared.regex}`;
}

function fitsType(value: VariableValue, type: VariableType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'version':
      return typeof value === 'string' && /^v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(value);
    case 'ipv4':
      return typeof value === 'string' && familyOf(value) === 'IPv4';
    case 'ipv6':
      return typeof value === 'string' && familyOf(value) === 'IPv6';
    case 'cidr':
      return typeof value === 'string' && 'network' in parseNetwork(value);
  }
}

/** Undefined when the expression itself is wrong. */
function matches(regex: string, value: string): boolean | undefined {
  try {
    return new RegExp(`^(?:${regex})$`, 'u').test(value);
  } catch {
    return undefined;
  }
}

/** Rules about the declarations alone. */
export function lintVariables(profile: ProfileDocument, report: Report): void {
  for (const [name, declared] of Object.entries(profile.spec.variables ?? {})) {
    const path = ['spec', 'variables', name];
    if (!variableName.test(name))
      report.error({
        path,
        atKey: true,
        rule: 'variable.name',
        message: `${JSON.stringify(name.slice(0, 80))} is no name for a variable.`,
        hint: 'Letters, digits, underscores and dashes, a letter first.',
      });
    if (declared.regex !== undefined && matches(declared.regex, '') === undefined)
      report.error({path: [...path, 'regex'], rule: 'variable.regex', message: `The regex of ${name} is no regular expression.`});
    if (declared.masked && declared.default !== undefined)
      report.error({
        path: [...path, 'default'],
        rule: 'secret.inline',
        message: `${name} is masked: a default would be a secret in the file.`,
        hint: 'Remove the default; the cluster gives the value with fromEnv or fromFile.',
      });
    if (declared.readOnly && declared.default === undefined)
      report.error({path, atKey: true, rule: 'variable.read-only', message: `${name} is readOnly and has no default, so it never has a value.`});
    const problem = declared.default === undefined ? undefined : valueProblem(declared.default, declared);
    if (problem !== undefined && !declared.masked)
      report.error({path: [...path, 'default'], rule: 'variable.value', message: `The default of ${name} ${problem}.`});
  }
}

export interface VariableOptions {
  readonly env: Environment;
  readonly redactor?: Redactor;
}

/** The values for this cluster by name; what is wrong is reported at its line of the cluster's file. */
export async function resolveVariables(
  cluster: ClusterDocument,
  profile: ProfileDocument,
  report: Report,
  options: VariableOptions,
): Promise<ReadonlyMap<string, VariableValue>> {
  const declared = profile.spec.variables ?? {};
  const given = cluster.spec.profile?.variables ?? {};
  const values = new Map<string, VariableValue>();
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue;
    const meant = nearest(name, Object.keys(declared));
    report.error({
      path: ['spec', 'profile', 'variables', name],
      atKey: true,
      rule: 'variable.unknown',
      message: `The profile ${profile.metadata.name} has no variable ${name.slice(0, 80)}.`,
      hint: meant === undefined ? `It has ${Object.keys(declared).join(', ') || 'none'}.` : `Did you mean ${meant}?`,
    });
  }
  for (const [name, variable] of Object.entries(declared)) {
    const path = ['spec', 'profile', 'variables', name];
    const raw = Object.hasOwn(given, name) ? given[name] : undefined;
    if (raw === undefined) {
      if (variable.default !== undefined) values.set(name, variable.default);
      else if (variable.required)
        report.error({
          path: ['spec', 'profile', 'variables'],
          atKey: true,
          rule: 'variable.required',
          message: `The profile ${profile.metadata.name} needs the variable ${name}, ${article[variable.type]}.`,
          ...(variable.description === undefined ? {} : {hint: `${name}: ${variable.description}`}),
        });
      continue;
    }
    if (variable.readOnly) {
      report.error({
        path,
        atKey: true,
        rule: 'variable.read-only',
        message: `The profile ${profile.metadata.name} keeps ${name} as it is; a cluster can't set it.`,
      });
      continue;
    }
    if (typeof raw !== 'object' && variable.masked) {
      report.error({
        path,
        rule: 'secret.inline',
        message: `${name} is masked: its value doesn't belong into the file.`,
        hint: 'Write {fromEnv: NAME} or {fromFile: PATH}.',
      });
      continue;
    }
    const value = typeof raw === 'object' ? await readSecret(raw, variable, path, report, options) : raw;
    if (value === undefined) continue;
    const problem = valueProblem(value, variable);
    if (problem !== undefined)
      report.error({
        path,
        rule: 'variable.value',
        message: `The variable ${name} ${problem}.`,
        ...(variable.description === undefined ? {} : {hint: `${name}: ${variable.description}`}),
      });
    else values.set(name, value);
  }
  return values;
}

async function readSecret(
  source: SecretSource,
  variable: ProfileVariable,
  path: readonly string[],
  report: Report,
  options: VariableOptions,
): Promise<VariableValue | undefined> {
  let text: string | undefined;
  if ('fromEnv' in source) {
    text = options.env[source.fromEnv];
    if (text === undefined || text === '')
      report.error({path, rule: 'variable.source', message: `The environment has no ${source.fromEnv}.`, hint: `Set it: export ${source.fromEnv}=…`});
  } else {
    try {
      text = (await readFile(resolvePath(source.fromFile, report.document.source.folder, options.env), 'utf8')).replace(/\r?\n$/, '');
    } catch (error) {
      report.error({path, rule: 'variable.source', message: `${source.fromFile} can't be read: ${(error as NodeJS.ErrnoException).code ?? 'it is no file'}.`});
    }
  }
  if (text === undefined || text === '') return undefined;
  if (variable.masked) options.redactor?.add(text);
  if (variable.type === 'number') return text.trim() === '' ? text : Number(text);
  if (variable.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}
