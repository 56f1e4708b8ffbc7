// cert-manager, which issues the certificates of providers' webhooks: what is there of it, and its components as clusterctl installs them.
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeApi} from '../../../kube/api.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {orderObjects} from '../../../layers/manifest.ts';
import {refuseFiles} from '../../../spec/complaint.ts';
import {readManifestText} from '../../../spec/manifest-text.ts';
import {largestManifest, sourceOfBytes} from '../../../spec/source.ts';
import {clusterctlLabel, coreLabel, withLabels} from './components.ts';
import type {Configuration} from './configuration.ts';
import {overrideImages} from './images.ts';
import {openRepository} from './open-repository.ts';
import type {ProviderSource} from './provider.ts';
import {newestFirst} from './releases.ts';
import type {RepositoryOptions} from './repository.ts';

export const certManagerNamespace = 'cert-manager';
export const certManagerVersionAnnotation = 'cert-manager.clusterctl.cluster.x-k8s.io/version';
const component = 'cert-manager';

/** `ours`: installed by clusterctl or by us, by its label. `foreign`: somebody else's, left alone. */
export type CertManagerState = {readonly state: 'absent'} | {readonly state: 'foreign'} | {readonly state: 'ours'; readonly version: string};

/** Looks whether cert-manager is there, and whose it is. */
export async function observeCertManager(api: KubeApi, signal: AbortSignal): Promise<CertManagerState> {
  const [crds, namespaces] = await Promise.all([
    api.resource({apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition'}),
    api.resource({apiVersion: 'v1', kind: 'Namespace'}),
  ]);
  const [crd, namespace] = await Promise.all([
    api.get(crds, {name: 'certificates.cert-manager.io'}, {signal}),
    api.get(namespaces, {name: certManagerNamespace}, {signal}),
  ]);
  const ours = [crd, namespace].find((object) => object?.metadata.labels?.[coreLabel] === component);
  if (ours !== undefined) return {state: 'ours', version: ours.metadata.annotations?.[certManagerVersionAnnotation] ?? 'v0.11.0'};
  return crd === undefined ? {state: 'absent'} : {state: 'foreign'};
}

export interface CertManagerComponents {
  readonly version: string;
  readonly place: string;
  readonly objects: readonly KubeObject[];
}

/** Reads cert-manager's components: below `root` where --repository has them, else where clusterctl.yaml (or clusterctl itself) says. */
export async function readCertManager(
  configuration: Configuration,
  options: Omit<RepositoryOptions, 'configuration'> & {readonly root?: string},
): Promise<CertManagerComponents> {
  const {certManager} = configuration;
  const below = options.root === undefined ? undefined : join(options.root, component);
  const isBelow =
    below !== undefined &&
    (await stat(below).then(
      (found) => found.isDirectory(),
      () => false,
    ));
  const source: ProviderSource = {
    name: component,
    // of all types this is the one whose label is the bare name
    type: 'CoreProvider',
    url: isBelow ? join(below, 'latest', 'cert-manager.yaml') : certManager.url,
    from: isBelow ? '--repository' : (configuration.file ?? 'built in'),
  };
  const repository = await openRepository(source, {...options, configuration});
  const version = isBelow ? chooseBelow(await repository.versions(), certManager.version) : certManager.version;
  const bytes = await repository.read(version, repository.componentsFile);
  if (bytes === undefined)
    throw new TriremeError('provider.version-unknown', `${repository.place} has no ${repository.componentsFile} of cert-manager ${version}.`, {
      hints: ['The version comes from clusterctl.yaml (cert-manager: version), else it is the one that clusterctl would install.'],
    });
  return {version, place: repository.place, objects: objectsOf(bytes, version, configuration)};
}

function chooseBelow(versions: readonly string[], wanted: string): string {
  return versions.includes(wanted) ? wanted : (newestFirst(versions)[0] ?? wanted);
}

function objectsOf(bytes: Buffer, version: string, configuration: Configuration): readonly KubeObject[] {
  const read = sourceOfBytes(`cert-manager ${version}`, '/', bytes, largestManifest * 4);
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  // no variables here: clusterctl fills none into this file
  const {objects, complaints} = readManifestText(read.source);
  if (complaints.length > 0) throw refuseFiles(complaints);
  return (orderObjects(objects) as readonly KubeObject[]).map((object) => {
    const labelled = withLabels(overrideImages(object, component, configuration.images), {[clusterctlLabel]: '', [coreLabel]: component});
    const annotations = {...labelled.metadata.annotations, [certManagerVersionAnnotation]: version};
    return {...labelled, metadata: {...labelled.metadata, annotations}};
  });
}

/** What cert-manager's webhook is asked with; nothing of it is kept. */
export const probeCertificate: KubeObject = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: {name: 'trireme-probe', namespace: 'default'},
  spec: {dnsNames: ['example.com'], secretName: 'trireme-probe', issuerRef: {name: 'trireme-probe'}},
};
