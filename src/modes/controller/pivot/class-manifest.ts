// The ClusterClass that a bootstrap cluster gets, with its templates: from a file of the user, else from the infrastructure provider's repository, where
// releases keep it as clusterclass-NAME.yaml.
import {basename, dirname} from 'node:path';
import {readFile} from 'node:fs/promises';
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {groupOf} from '../../../kube/object.ts';
import {refuseFiles} from '../../../spec/complaint.ts';
import {readManifestText} from '../../../spec/manifest-text.ts';
import {largestManifest, Source, sourceOfBytes} from '../../../spec/source.ts';
import type {Step} from '../../../plan/plan.ts';
import type {Library} from '../providers/facts.ts';
import type {AskedProviders} from '../providers/plan-init.ts';
import {parseProviderRequest} from '../providers/provider.ts';
import {applyAll, lookAtAll} from '../providers/write-objects.ts';
import type {ControllerScope} from '../scope.ts';
import {substitute} from '../templates/substitute.ts';

export interface ClassManifest {
  readonly class: KubeObject;
  /** With the class, in the order of the file. */
  readonly objects: readonly KubeObject[];
  /** For messages. */
  readonly place: string;
}

export interface ClassQuestion {
  readonly name: string;
  readonly namespace: string;
  /** The user's own file; absolute. */
  readonly file?: string;
  /** Providers with their versions. */
  readonly asked: AskedProviders;
}

/** Undefined where no file is named and no repository has one. Throws `file.*`, `provider.*`. */
export async function readClassManifest(library: Library, question: ClassQuestion): Promise<ClassManifest | undefined> {
  const found = question.file === undefined ? await inRepositories(library, question) : await inFile(question.file);
  if (found === undefined) return undefined;
  const {place, bytes} = found;
  const read = sourceOfBytes(place, found.folder, bytes, largestManifest);
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  const filled = substitute(read.source, library.options.configuration.lookup);
  if (filled.missing.length > 0)
    throw new TriremeError('provider.variable-missing', `${place} needs values for ${filled.missing.join(', ')}.`, {
      hints: ['Give them in the environment, in clusterctl.yaml, or with --set NAME=VALUE (not for secrets).'],
    });
  if (filled.complaints.length > 0) throw refuseFiles(filled.complaints);
  const {objects, complaints} = readManifestText(new Source(place, found.folder, filled.text));
  if (complaints.length > 0) throw refuseFiles(complaints);
  const placed = (objects as readonly KubeObject[]).map((object) => ({
    ...object,
    metadata: {...object.metadata, namespace: object.metadata.namespace ?? question.namespace},
  }));
  const own = placed.find(
    ({kind, apiVersion, metadata}) => kind === 'ClusterClass' && groupOf(apiVersion) === 'cluster.x-k8s.io' && metadata.name === question.name,
  );
  if (own === undefined || own.metadata.namespace !== question.namespace)
    throw new TriremeError('plan.refused', `${place} has no ClusterClass ${question.name} of the namespace ${question.namespace}.`, {
      hints: ['Name another file: --class-file FILE'],
    });
  return {class: own, objects: placed, place};
}

async function inFile(file: string) {
  try {
    return {place: basename(file), folder: dirname(file), bytes: await readFile(file)};
  } catch (error) {
    throw new TriremeError('file.not-found', `${file} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`, {cause: error});
  }
}

async function inRepositories(library: Library, {name, asked}: ClassQuestion) {
  const file = `clusterclass-${name}.yaml`;
  for (const text of asked.InfrastructureProvider ?? []) {
    const request = parseProviderRequest(text, 'InfrastructureProvider');
    const repository = await library.repository(request);
    const bytes = request.version === undefined ? undefined : await repository.read(request.version, file);
    if (bytes !== undefined) return {place: `${repository.place} ${request.version} ${file}`, folder: '/', bytes};
  }
  return undefined;
}

/** Writes what of it isn't there; what is there stays as it is when all of it is. */
export function classStep(manifest: ClassManifest, timeout: number): Step<ControllerScope> {
  return {
    id: `class:${manifest.class.metadata.name}`,
    title: `Make the ClusterClass ${manifest.class.metadata.name}`,
    effect: 'none',
    check: async ({scope, signal}) => ((await lookAtAll(scope.api, manifest.objects, signal)).every((object) => object !== undefined) ? 'satisfied' : 'needed'),
    apply: async ({scope, signal, stopping}) => {
      await applyAll(scope.api, manifest.objects, {timeout, signal, stopping});
      return `${manifest.objects.length} objects`;
    },
  };
}
