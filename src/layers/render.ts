// Charts and kustomizations become manifests, before anything is planned: what is shown, carried and applied is always plain objects.
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {stringify} from 'yaml';
import {obtainRenderer, type RendererRequest} from '../bundle/renderer.ts';
import {digestOf} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import {exec} from '../kernel/exec.ts';
import {refuseFiles} from '../spec/complaint.ts';
import type {DesiredCluster, DesiredLayer, LayerSource} from '../spec/desired.ts';
import {type ManifestObject, readManifestText} from '../spec/manifest-text.ts';
import {Source} from '../spec/source.ts';

/** In ms. */
const deadline = 60_000;

export interface RenderOptions {
  readonly programs: Omit<RendererRequest, 'version'>;
  readonly signal: AbortSignal;
}

type ChartSource = Extract<LayerSource, {kind: 'chart'}>;
type KustomizationSource = Extract<LayerSource, {kind: 'kustomization'}>;

/** The cluster with all layers as manifests. Runs nothing when they are already. Throws `layer.render-failed`, `file.invalid`, `bundle.*`. */
export async function renderLayers(cluster: DesiredCluster, options: RenderOptions): Promise<DesiredCluster> {
  if (cluster.layers.every((layer) => layer.source === undefined)) return cluster;
  const {version} = cluster.document.spec.kubernetes;
  const layers: DesiredLayer[] = [];
  for (const layer of cluster.layers) {
    const {source, ...rest} = layer;
    if (source === undefined) layers.push(layer);
    else if (source.kind === 'chart') layers.push({...rest, manifest: await renderChart(rest, source, version, options), renderedBy: 'helm'});
    else layers.push({...rest, manifest: await renderKustomization(rest, source, version, options), renderedBy: 'kubectl'});
  }
  const digest = digestOf(JSON.stringify([cluster.source.digest, layers.map((layer) => layer.manifest)]));
  return {...cluster, layers, source: {...cluster.source, digest}};
}

async function renderChart(layer: DesiredLayer | Omit<DesiredLayer, 'source'>, source: ChartSource, version: string, options: RenderOptions): Promise<string> {
  const namespace = layer.namespace ?? 'default';
  const args = [
    'template',
    source.release,
    source.path,
    '--namespace',
    namespace,
    '--kube-version',
    version,
    '--include-crds',
    '--skip-tests',
    '--values',
    '-',
  ];
  const values = source.values.reduce<Values>((merged, over) => mergeValues(merged, over), {});
  // values may hold secrets: they go by standard input, never by an argument or a file
  const text = await run('helm', {layer: layer.name, what: `the chart ${source.path}`, args, stdin: JSON.stringify(values)}, version, options);
  const objects = readObjects(`the chart of layer ${layer.name}`, text).filter((object) => !isLaterHook(object));
  const hasNamespace = objects.some((object) => object.kind === 'Namespace' && object.metadata.name === namespace);
  const made: ManifestObject[] = source.createNamespace && !hasNamespace ? [{apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}}] : [];
  return [...made, ...objects].map((object) => stringify(object, {version: '1.1', lineWidth: 0})).join('---\n');
}

async function renderKustomization(layer: Omit<DesiredLayer, 'source'>, source: KustomizationSource, version: string, options: RenderOptions): Promise<string> {
  const text = await run('kubectl', {layer: layer.name, what: `the kustomization ${source.path}`, args: ['kustomize', source.path]}, version, options);
  const read = readManifestText(new Source(`the kustomization of layer ${layer.name}`, '/', text), new Map(Object.entries(source.variables)));
  if (read.complaints.length > 0) throw refuseFiles(read.complaints);
  return read.text.replace(/^---[^\S\n]*\n/, '');
}

interface Rendering {
  readonly layer: string;
  readonly what: string;
  readonly args: readonly string[];
  readonly stdin?: string;
}

/** In a home of its own, without a cluster: what a person has set up for helm or kubectl changes nothing. */
async function run(name: 'helm' | 'kubectl', rendering: Rendering, version: string, {programs, signal}: RenderOptions): Promise<string> {
  const program = await obtainRenderer(name, {...programs, version, signal});
  const home = await mkdtemp(join(tmpdir(), 'trireme-render-'));
  try {
    const env = {PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, KUBECONFIG: '/dev/null'};
    const stdin = rendering.stdin === undefined ? {} : {stdin: rendering.stdin};
    const result = await exec(program, rendering.args, {...stdin, env, deadline, signal});
    if (result.code === 0) return result.stdout;
    const said = result.stderr.trim().split('\n').slice(-3).join(' ').trim();
    throw new TriremeError(
      'layer.render-failed',
      `${name} can't render ${rendering.what} of layer ${rendering.layer}: ${said || `it ends with ${result.code}`}`,
      {
        hints: [`Correct the layer ${rendering.layer} of the profile.`],
      },
    );
  } finally {
    await rm(home, {recursive: true, force: true});
  }
}

function readObjects(label: string, text: string): readonly ManifestObject[] {
  const {objects, complaints} = readManifestText(new Source(label, '/', text));
  if (complaints.length > 0) throw refuseFiles(complaints);
  return objects;
}

/** Hooks that helm runs only when a release goes, is taken back or tested. Those of an installation are objects like others. */
function isLaterHook(object: ManifestObject): boolean {
  const annotations = object.metadata['annotations'] as Readonly<Record<string, unknown>> | undefined;
  const hooks = annotations?.['helm.sh/hook'];
  return (
    typeof hooks === 'string' &&
    hooks.split(',').every((hook) => /^\s*(pre-delete|post-delete|pre-rollback|post-rollback|test|test-success|test-failure)\s*$/.test(hook))
  );
}

type Values = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is Values => value !== null && typeof value === 'object' && !Array.isArray(value);

/** As helm lays files of values over one another: maps by key, everything else whole. */
function mergeValues(base: Values, over: Values): Values {
  const result: Record<string, unknown> = {...base};
  for (const [key, value] of Object.entries(over)) {
    const before = result[key];
    result[key] = isMap(before) && isMap(value) ? mergeValues(before, value) : value;
  }
  return result;
}
