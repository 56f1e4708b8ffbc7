// What charts and kustomizations are rendered from: found, their values read, variables filled in. The rendering itself needs programs, and is done elsewhere.
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {Complaint} from './complaint.ts';
import type {LayerSource} from './desired.ts';
import {type Environment, labelOf, resolvePath} from './host-files.ts';
import type {Report} from './lint/report.ts';
import {fillText, type Variables, type VariableValue} from './placeholders.ts';
import type {ProfileChart, ProfileLayer} from './schema.ts';
import {readSource} from './source.ts';
import {parseYaml, type Path, type YamlDocument} from './yaml-text.ts';

export interface LayerContext {
  readonly profile: YamlDocument;
  readonly variables: Variables;
  /** Of the profile. */
  readonly report: Report;
  /** Of the files that it names. */
  readonly complaints: Complaint[];
  readonly env: Environment;
}

type Values = Readonly<Record<string, unknown>>;

export async function chartSource(layer: ProfileLayer, chart: ProfileChart, path: Path, context: LayerContext): Promise<LayerSource> {
  const {profile, report, env} = context;
  const place = resolvePath(chart.path, profile.source.folder, env);
  const found = await stat(place).catch(() => undefined);
  const isChart = found?.isFile() === true ? /\.tgz$|\.tar\.gz$/.test(place) : found !== undefined && (await exists(join(place, 'Chart.yaml')));
  if (!isChart)
    report.error({
      path: [...path, 'chart', 'path'],
      rule: 'files.missing',
      message:
        found === undefined ? `The chart of layer ${layer.name}, ${chart.path}, doesn't exist.` : `${chart.path} isn't a Helm chart: it has no Chart.yaml.`,
      hint: 'A chart from a repository is fetched once, and kept beside the profile: helm pull --untar',
    });
  const values: Values[] = [];
  for (const [index, file] of (chart.valuesFiles ?? []).entries()) {
    const at = [...path, 'chart', 'valuesFiles', index];
    const read = await readSource(labelOf(file, profile.source), resolvePath(file, profile.source.folder, env));
    if ('complaint' in read) {
      report.error({path: at, rule: 'files.missing', message: `The values of layer ${layer.name}: ${read.complaint.message}`});
      continue;
    }
    const yaml = parseYaml(read.source);
    context.complaints.push(...yaml.complaints);
    const [first] = yaml.documents;
    if (first?.value === undefined || first.value === null) continue;
    if (typeof first.value !== 'object' || Array.isArray(first.value))
      report.error({path: at, rule: 'layer.values', message: `${file} isn't a map of values.`});
    else values.push(fillValue(first.value, context, at) as Values);
  }
  if (chart.values !== undefined) values.push(fillValue(chart.values, context, [...path, 'chart', 'values']) as Values);
  return {kind: 'chart', path: place, release: chart.release ?? layer.name, values, createNamespace: !['default', 'kube-system'].includes(chart.namespace)};
}

export async function kustomizationSource(folder: string, path: Path, {profile, report, env, variables}: LayerContext): Promise<LayerSource> {
  const place = resolvePath(folder, profile.source.folder, env);
  const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
  const found = await Promise.all(names.map((name) => exists(join(place, name))));
  if (!found.includes(true))
    report.error({path: [...path, 'kustomization'], rule: 'files.missing', message: `${folder} isn't a folder with a kustomization.yaml.`});
  return {kind: 'kustomization', path: place, variables: Object.fromEntries(variables)};
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Fills in all texts of a plain value; one that is a placeholder alone takes the variable's type. */
function fillValue(value: unknown, context: LayerContext, path: Path): unknown {
  if (typeof value === 'string') {
    const unknown = (name: string) =>
      context.report.error({
        path,
        rule: 'variable.unknown',
        message: `No variable ${name} is declared.`,
        hint: `There are ${[...context.variables.keys()].join(', ')}. To keep the text as it is, write $\${${name}}.`,
      });
    const whole = /^\$\{((?:var|cluster)\.[^}\s]*)\}$/.exec(value)?.[1];
    const typed: VariableValue | undefined = whole === undefined ? undefined : context.variables.get(whole);
    return typed ?? fillText(value, context.variables, unknown);
  }
  if (Array.isArray(value)) return value.map((item) => fillValue(item, context, path));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillValue(item, context, path)]));
}
