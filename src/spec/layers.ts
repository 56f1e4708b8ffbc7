// A profile's layers for one cluster: manifests read, variables filled in, in the order in which they are applied.
import type {Complaint} from './complaint.ts';
import type {DesiredLayer} from './desired.ts';
import {labelOf, resolvePath} from './host-files.ts';
import {Report} from './lint/report.ts';
import {chartSource, kustomizationSource, type LayerContext} from './layer-sources.ts';
import {readManifestText} from './manifest-text.ts';
import type {VariableValue} from './placeholders.ts';
import {type ClusterDocument, type ProfileDocument, type ProfileLayer} from './schema.ts';
import {largestManifest, readSource} from './source.ts';
import {lintVariables, resolveVariables, type VariableOptions} from './variables.ts';
import {compareVersions, parseVersion} from './versions.ts';
import type {Path, YamlDocument} from './yaml-text.ts';

/** Of the schema: a layer that keeps to it says nothing of it further on. */
const defaultTimeout = '10m';

export function millisecondsOf(duration: string): number {
  const unit = {s: 1000, m: 60_000, h: 3_600_000}[duration.at(-1) as 's' | 'm' | 'h'];
  return Number.parseInt(duration, 10) * unit;
}

interface PlacedLayer {
  readonly kind: DesiredLayer['kind'];
  readonly layer: ProfileLayer;
  readonly path: Path;
}

/** The layers with something to apply: cni, csi, then the add-ons. */
export function layersOf(profile: ProfileDocument): readonly PlacedLayer[] {
  const {cni, csi, addons} = profile.spec.layers;
  const path = ['spec', 'layers'];
  return [
    ...(cni === undefined ? [] : [{kind: 'cni' as const, layer: cni, path: [...path, 'cni']}]),
    ...(csi === undefined ? [] : [{kind: 'csi' as const, layer: csi, path: [...path, 'csi']}]),
    ...(addons ?? []).map((layer, index) => ({kind: 'addon' as const, layer, path: [...path, 'addons', index]})),
  ];
}

/** Rules about a profile alone. */
export function lintProfile(profile: ProfileDocument, report: Report): void {
  lintVariables(profile, report);
  const names = new Set<string>();
  for (const {layer, path} of layersOf(profile)) {
    if (names.has(layer.name)) report.error({path: [...path, 'name'], rule: 'layer.duplicate', message: `Two layers have the name ${layer.name}.`});
    names.add(layer.name);
    const ways = (['manifest', 'chart', 'kustomization'] as const).filter((way) => layer[way] !== undefined);
    if (ways.length === 0)
      report.error({
        path,
        atKey: true,
        rule: 'layer.empty',
        message: `The layer ${layer.name} has nothing to apply.`,
        hint: 'Name a manifest, a chart or a kustomization.',
      });
    const [, second] = ways;
    if (second !== undefined)
      report.error({
        path: [...path, second],
        atKey: true,
        rule: 'layer.ambiguous',
        message: `The layer ${layer.name} has ${ways.join(' and ')}; a layer is made of one of them.`,
        hint: 'Make two layers of it.',
      });
  }
  const {minVersion, maxVersion} = profile.spec.layers.kubernetes ?? {};
  if (minVersion !== undefined && maxVersion !== undefined && isAbove(minVersion, maxVersion))
    report.error({
      path: ['spec', 'layers', 'kubernetes', 'maxVersion'],
      rule: 'version.range',
      message: `No version is between ${minVersion} and ${maxVersion}.`,
    });
}

/** `v1.36` as a highest version means any patch of it. */
function isAbove(version: string, highest: string): boolean {
  const a = parseVersion(version);
  const b = parseVersion(highest.split('.').length === 2 ? `${highest}.999999` : highest);
  return a !== undefined && b !== undefined && compareVersions(a, b) > 0;
}

/** What manifests can read of the cluster itself, as `${cluster.NAME}`. */
export function builtInVariables(cluster: ClusterDocument): ReadonlyMap<string, VariableValue> {
  const {network, kubernetes, endpoint} = cluster.spec;
  return new Map([
    ['cluster.name', cluster.metadata.name],
    ['cluster.version', kubernetes.version],
    ['cluster.podNetwork', network.pods[0] ?? ''],
    ['cluster.podNetworks', network.pods.join(',')],
    ['cluster.serviceNetwork', network.services[0] ?? ''],
    ['cluster.serviceNetworks', network.services.join(',')],
    ['cluster.dnsDomain', network.dnsDomain],
    // in controller mode the infrastructure makes the endpoint later
    ...(endpoint.host === ''
      ? []
      : ([
          ['cluster.endpointHost', endpoint.host],
          ['cluster.endpointPort', String(endpoint.port)],
        ] as const)),
  ]);
}

export interface LayersResult {
  readonly layers: readonly DesiredLayer[];
  readonly complaints: readonly Complaint[];
}

/** Resolves a profile for a cluster. Complaints about values are at the cluster's lines, about manifests at theirs. */
export async function resolveLayers(
  cluster: {readonly content: ClusterDocument; readonly report: Report},
  profile: {readonly content: ProfileDocument; readonly yaml: YamlDocument},
  options: VariableOptions,
): Promise<LayersResult> {
  const complaints: Complaint[] = [];
  lintVersionRange(cluster.content, profile.content, cluster.report);
  const own = await resolveVariables(cluster.content, profile.content, cluster.report, options);
  const variables = new Map([...builtInVariables(cluster.content), ...[...own].map(([name, value]) => [`var.${name}`, value] as const)]);
  // a variable without a value is complained about once, where it is missing, or left out by choice: then it is empty
  for (const [name, declared] of Object.entries(profile.content.spec.variables ?? {})) {
    if (!variables.has(`var.${name}`)) variables.set(`var.${name}`, declared.type === 'number' ? 0 : declared.type === 'boolean' ? false : '');
  }
  const report = new Report(profile.yaml);
  const context: LayerContext = {profile: profile.yaml, variables, report, complaints, env: options.env};
  const layers: DesiredLayer[] = [];
  for (const {kind, layer, path} of layersOf(profile.content)) {
    const patience = millisecondsOf(layer.timeout);
    const base = {name: layer.name, kind, ...(layer.timeout === defaultTimeout ? {} : {patience})};
    if (layer.manifest !== undefined) layers.push({...base, manifest: await readManifests(layer, layer.manifest, path, context)});
    else if (layer.chart !== undefined) {
      const source = await chartSource(layer, layer.chart, path, context);
      layers.push({...base, manifest: '', namespace: layer.chart.namespace, source});
    } else if (layer.kustomization !== undefined) layers.push({...base, manifest: '', source: await kustomizationSource(layer.kustomization, path, context)});
  }
  complaints.push(...report.complaints);
  return {layers, complaints};
}

async function readManifests(layer: ProfileLayer, named: string | readonly string[], path: Path, context: LayerContext): Promise<string> {
  const {profile, variables, report, complaints, env} = context;
  const texts: string[] = [];
  for (const [index, file] of (typeof named === 'string' ? [named] : named).entries()) {
    const read = await readSource(labelOf(file, profile.source), resolvePath(file, profile.source.folder, env), largestManifest);
    if ('complaint' in read) {
      report.error({
        path: typeof named === 'string' ? [...path, 'manifest'] : [...path, 'manifest', index],
        rule: 'files.missing',
        message: `The manifest of layer ${layer.name}: ${read.complaint.message}`,
      });
      continue;
    }
    const manifest = readManifestText(read.source, variables);
    complaints.push(...manifest.complaints);
    texts.push(manifest.text.replace(/^---[^\S\n]*\n/, '').trimEnd());
  }
  return `${texts.join('\n---\n')}\n`;
}

function lintVersionRange(cluster: ClusterDocument, profile: ProfileDocument, report: Report): void {
  const {minVersion, maxVersion} = profile.spec.layers.kubernetes ?? {};
  const {version} = cluster.spec.kubernetes;
  const tooOld = minVersion !== undefined && isAbove(minVersion, version);
  const tooNew = maxVersion !== undefined && isAbove(version, maxVersion);
  if (tooOld || tooNew)
    report.error({
      path: ['spec', 'kubernetes', 'version'],
      rule: 'version.profile',
      message: `The profile ${profile.metadata.name} is made for Kubernetes ${tooOld ? `${minVersion} and newer` : `up to ${maxVersion}`}, not ${version}.`,
    });
}
