// From files to clusters that can be planned: documents, lint, profile, host files; every complaint at once.
import {TriremeError} from '../kernel/errors.ts';
import {digestOf} from '../kernel/digest.ts';
import type {Redactor} from '../kernel/redact.ts';
import {type Complaint, refuseFiles, sortComplaints} from './complaint.ts';
import {applyDefaults} from './defaults.ts';
import type {DesiredCluster, DesiredLayer} from './desired.ts';
import {defaultFile, readDocuments, readSpecFiles, type ReadOptions, type SpecDocument} from './documents.ts';
import {type Environment, labelOf, readHostFiles, readRegistries, resolvePath} from './host-files.ts';
import {lintProfile, resolveLayers} from './layers.ts';
import {type FileWarning, Report} from './lint/report.ts';
import {isSecretKey, lintSecrets} from './lint/secrets.ts';
import {lintCluster} from './lint.ts';
import {listOr, nearest} from './nearest.ts';
import type {ClusterDocument, ProfileDocument} from './schema.ts';
import {readSource} from './source.ts';
import {readTemplateFile} from './template-file.ts';

export {readSpecFiles} from './documents.ts';

export interface ReadClusterOptions extends Partial<ReadOptions> {
  /** As given with -f; `-` is standard input; none: ./trireme.yaml. */
  readonly files: readonly string[];
  /** Which cluster, where the files hold several. */
  readonly name?: string;
  /** Default: the environment of this process. */
  readonly env?: Environment;
  /** Whether `distribution: simulated` may be used; default: whether TRIREME_SANDBOX is set in `env`. */
  readonly allowSimulated?: boolean;
  /** Learns the values of masked variables. */
  readonly redactor?: Redactor;
}

/**
 * Reads one cluster completely. Throws `file.not-found`, `file.syntax` and `file.invalid` with all complaints (as text in the message, as
 * data in `details.complaints`), `cluster.not-found` for a name that isn't there, and `usage.invalid` when there are several and no name.
 */
export async function readCluster(options: ReadClusterOptions): Promise<DesiredCluster> {
  return chooseCluster(await readClusters(options), options.name, options.files);
}

/** Reads all clusters of the files; throws like readCluster. */
export async function readClusters(options: ReadClusterOptions): Promise<readonly DesiredCluster[]> {
  const checked = await checkFiles(options);
  if (checked.complaints.length > 0) throw refuseFiles(checked.complaints);
  return checked.clusters;
}

function chooseCluster(clusters: readonly DesiredCluster[], name: string | undefined, files: readonly string[]): DesiredCluster {
  const names = clusters.map((cluster) => cluster.document.metadata.name);
  const where = files.length === 0 ? defaultFile : files.join(', ');
  if (name !== undefined) {
    const found = clusters.find((cluster) => cluster.document.metadata.name === name);
    if (found !== undefined) return found;
    const meant = nearest(name, names);
    throw new TriremeError('cluster.not-found', `${where} has no cluster ${name}; it has ${names.join(', ') || 'none'}.`, {
      hints: meant === undefined ? [] : [`Did you mean ${meant}?`],
    });
  }
  const [first] = clusters;
  if (first === undefined)
    throw new TriremeError('cluster.not-found', `${where} has no cluster.`, {hints: ['A document with kind: Cluster is needed; write one with: trireme init']});
  if (clusters.length > 1)
    throw new TriremeError('usage.invalid', `${where} has several clusters: ${names.join(', ')}.`, {hints: [`Choose one: --cluster ${listOr(names)}`]});
  return first;
}

export interface CheckedFiles {
  /** As they were named; those that could be read. */
  readonly files: readonly string[];
  readonly clusters: readonly DesiredCluster[];
  readonly profiles: readonly string[];
  readonly complaints: readonly Complaint[];
}

interface Context {
  readonly read: ReadOptions;
  readonly env: Environment;
  readonly allowSimulated: boolean;
  readonly redactor: Redactor | undefined;
  readonly complaints: Complaint[];
  readonly secrets: string[];
  readonly documents: SpecDocument[];
  readonly files: readonly string[];
  /** Profiles that were already checked by themselves. */
  readonly linted: Set<SpecDocument>;
  /** Documents of files that profiles are in, by absolute path. */
  readonly profileFiles: Map<string, readonly SpecDocument[]>;
}

/** Reads and checks everything, and returns what is wrong instead of throwing it. A cluster with complaints isn't among the clusters. */
export async function checkFiles(options: ReadClusterOptions): Promise<CheckedFiles> {
  const env = options.env ?? process.env;
  const read: ReadOptions = {
    folder: options.folder ?? process.cwd(),
    ...(options.stdin === undefined ? {} : {stdin: options.stdin}),
    ...(options.contents === undefined ? {} : {contents: options.contents}),
  };
  const files = await readSpecFiles(options.files, read);
  const context: Context = {
    read,
    env,
    allowSimulated: options.allowSimulated ?? (env['TRIREME_SANDBOX'] ?? '') !== '',
    redactor: options.redactor,
    complaints: [...files.complaints],
    secrets: [],
    documents: [...files.documents],
    files: files.sources.map((source) => source.file),
    linted: new Set(),
    profileFiles: new Map(),
  };
  const clusters: DesiredCluster[] = [];
  for (const document of files.documents) {
    if (document.kind === 'ClusterProfile') lintProfileOnce(document, context);
    else {
      const cluster = await readOne(document, context);
      if (cluster !== undefined) clusters.push(cluster);
    }
  }
  const complaints = hideSecrets(sortComplaints(context.complaints), context.secrets);
  return {files: context.files, clusters, profiles: files.documents.filter((one) => one.kind === 'ClusterProfile').map((one) => one.name), complaints};
}

async function readOne(document: SpecDocument, context: Context): Promise<DesiredCluster | undefined> {
  const report = new Report(document.yaml);
  context.secrets.push(...lintSecrets(document.yaml.value, report));
  if (document.content === undefined) {
    context.complaints.push(...report.complaints);
    return undefined;
  }
  const content = document.content as ClusterDocument;
  lintCluster(content, report, {allowSimulated: context.allowSimulated});
  const hosts = await readHostFiles(content, report, context.env);
  const registries = await readRegistries(content, report, context.env);
  const {layers, image} = await readLayers(content, report, context);
  const template = await readTemplateFile(content, report, context.env);
  for (const [name, value] of Object.entries(template?.environment ?? {})) if (isSecretKey(name)) context.redactor?.add(value);
  context.complaints.push(...report.complaints);
  const warnings: FileWarning[] = [...report.warnings];
  const digest = digestOf(JSON.stringify([content, layers, hosts, ...(template === undefined ? [] : [template]), ...registries]));
  const source = {files: context.files, folder: document.yaml.source.folder, digest};
  const {file, text} = document.yaml.source;
  return {
    document: applyDefaults(content),
    layers,
    ...hosts,
    ...(registries.length === 0 ? {} : {registries}),
    source,
    ...(content.spec.mode === 'controller' ? {origin: {file, text}} : {}),
    ...(template === undefined ? {} : {template}),
    ...(image === undefined ? {} : {image}),
    warnings,
  };
}

interface ReadProfile {
  readonly layers: readonly DesiredLayer[];
  readonly image?: string;
}

async function readLayers(cluster: ClusterDocument, report: Report, context: Context): Promise<ReadProfile> {
  if (cluster.spec.profile === undefined) {
    // in controller mode a class may bring the pod network itself
    if (cluster.spec.kubernetes.distribution !== 'simulated' && cluster.spec.mode !== 'controller')
      report.warn({
        path: ['spec'],
        rule: 'profile.missing',
        message: `The cluster ${cluster.metadata.name} has no profile: without a pod network its nodes stay NotReady.`,
        hint: 'Name a ClusterProfile with a cni layer in spec.profile.',
      });
    return {layers: []};
  }
  const profile = await findProfile(cluster, report, context);
  if (profile === undefined) return {layers: []};
  lintProfileOnce(profile, context);
  if (profile.content === undefined) return {layers: []};
  const content = profile.content as ProfileDocument;
  if (content.spec.layers.cni === undefined && cluster.spec.mode !== 'controller')
    report.warn({
      path: ['spec', 'profile'],
      rule: 'profile.no-cni',
      message: `The profile ${content.metadata.name} has no cni layer: without a pod network the nodes stay NotReady.`,
    });
  const {layers, complaints} = await resolveLayers(
    {content: cluster, report},
    {content, yaml: profile.yaml},
    {env: context.env, ...(context.redactor === undefined ? {} : {redactor: context.redactor})},
  );
  context.complaints.push(...complaints);
  const image = content.spec.layers.os?.image;
  return {layers, ...(image === undefined ? {} : {image})};
}

async function findProfile(cluster: ClusterDocument, report: Report, context: Context): Promise<SpecDocument | undefined> {
  const {file, name} = cluster.spec.profile ?? {};
  let documents: readonly SpecDocument[] = context.documents;
  if (file !== undefined) {
    const path = resolvePath(file, report.document.source.folder, context.env);
    const known = context.profileFiles.get(path);
    if (known !== undefined) documents = known;
    else {
      const read = await readSource(labelOf(file, report.document.source), path);
      if ('complaint' in read) {
        report.error({
          path: ['spec', 'profile', 'file'],
          rule: read.complaint.rule === 'file.not-found' ? 'files.missing' : read.complaint.rule,
          message: `The profile: ${read.complaint.message}`,
        });
        return undefined;
      }
      const found = readDocuments(read.source);
      context.complaints.push(...found.complaints);
      documents = found.documents;
      context.profileFiles.set(path, documents);
      if (documents.length === 0 && found.complaints.length > 0) return undefined;
    }
  }
  const profiles = documents.filter((document) => document.kind === 'ClusterProfile');
  const found = name === undefined ? profiles : profiles.filter((profile) => profile.name === name);
  const names = profiles.map((profile) => profile.name);
  if (found.length === 1) return found[0];
  const where = file === undefined ? 'The files that were read hold' : `${file} holds`;
  if (found.length > 1)
    report.error({
      path: ['spec', 'profile'],
      atKey: true,
      rule: 'profile.ambiguous',
      message: `${where} several profiles: ${names.join(', ')}.`,
      hint: 'Choose one with spec.profile.name.',
    });
  else {
    const meant = name === undefined ? undefined : nearest(name, names);
    report.error({
      path: name === undefined ? ['spec', 'profile', ...(file === undefined ? [] : ['file'])] : ['spec', 'profile', 'name'],
      atKey: name === undefined && file === undefined,
      rule: 'profile.not-found',
      message: `${where} no ClusterProfile${name === undefined ? '' : ` ${name}`}.`,
      ...(meant === undefined ? {} : {hint: `Did you mean ${meant}?`}),
    });
  }
  return undefined;
}

function lintProfileOnce(profile: SpecDocument, context: Context): void {
  if (context.linted.has(profile)) return;
  context.linted.add(profile);
  const report = new Report(profile.yaml);
  context.secrets.push(...lintSecrets(profile.yaml.value, report));
  if (profile.content !== undefined) lintProfile(profile.content as ProfileDocument, report);
  context.complaints.push(...report.complaints);
}

/** Secrets that were found in the text are not printed with it. */
function hideSecrets(complaints: readonly Complaint[], secrets: readonly string[]): Complaint[] {
  const parts = [...new Set(secrets.flatMap((secret) => secret.split('\n')).map((line) => line.trim()))]
    .filter((line) => line !== '')
    .toSorted((a, b) => b.length - a.length);
  if (parts.length === 0) return [...complaints];
  const hide = (text: string) => parts.reduce((hidden, part) => hidden.replaceAll(part, '*'.repeat(Math.min(part.length, 8))), text);
  // very short ones would blot out ordinary words; they are hidden in the lines of YAML only
  const hideLong = (text: string) => parts.filter((part) => part.length >= 4).reduce((hidden, part) => hidden.replaceAll(part, '********'), text);
  return complaints.map((complaint) => {
    if (complaint.excerpt === undefined) return {...complaint, message: hideLong(complaint.message)};
    const lines = complaint.excerpt.lines.map(hide);
    return {
      ...complaint,
      message: hideLong(complaint.message),
      excerpt: {
        ...complaint.excerpt,
        lines,
        length: Math.min(complaint.excerpt.length, Math.max(1, (lines.at(-1)?.length ?? 1) - complaint.excerpt.caret + 1)),
      },
    };
  });
}
