// Looks at the management cluster for a cluster with a template: the objects that are there, and a dry run of those that would be written.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import type {AccessCheck, KubeApi} from '../../../kube/api.ts';
import {groupOf, type KubeObject, textAt} from '../../../kube/object.ts';
import type {DesiredCluster} from '../../../spec/desired.ts';
import {mentionedIn} from '../../../spec/template-file.ts';
import {readLayerFacts} from '../layer-steps.ts';
import type {ControllerScope} from '../scope.ts';
import type {DryRun} from '../topology/facts.ts';
import {coreResource, dryRunOf, namespaceExists} from '../topology/gather.ts';
import {clusterNameLabel, coreGroup} from '../topology/names.ts';
import {partByOwner} from '../topology/owners.ts';
import {objectKey, type TemplateFacts} from './facts.ts';
import {renderTemplate, type TemplateText} from './render-template.ts';
import {rotateTemplates} from './rotate.ts';

/** Throws `api.*`, `provider.*` when a provider's template can't be read. */
export async function gatherTemplate(cluster: DesiredCluster, scope: ControllerScope): Promise<TemplateFacts> {
  const {api} = scope;
  const {signal} = scope.options;
  const {name} = cluster.document.metadata;
  const namespace = cluster.document.spec.controller?.namespace ?? scope.namespace;
  const core = await coreResource(api);
  const template = cluster.template ?? (await readProviderTemplate(cluster, api, signal));
  const {objects} = renderTemplate(cluster.document, template, cluster.image);
  const resources = await resourcesOf(api, objects);
  const known = objects.filter((object) => resources.has(kindKey(object)));
  const read = async (list: readonly KubeObject[]) =>
    Promise.all(
      list.map(async (object) => {
        const resource = resources.get(kindKey(object));
        return resource === undefined ? undefined : api.get(resource, {name: object.metadata.name, ...(resource.namespaced ? {namespace} : {})}, {signal});
      }),
    );
  const [bases, hasNamespace, serverVersion, rights, pools] = await Promise.all([
    read(objects),
    namespaceExists(api, namespace, signal),
    api.serverVersion({signal}),
    api.access(rightsToApply(objects, resources, namespace, cluster.layers.length > 0 ? name : undefined), {signal}),
    api.list(await api.resource({apiVersion: `${coreGroup}/${core.version}`, kind: 'MachineDeployment'}), {
      namespace,
      labelSelector: `${clusterNameLabel}=${name}`,
      metadataOnly: true,
      signal,
    }),
  ]);
  const {objects: final, rotations} = rotateTemplates(objects, bases, name);
  const renamed = await read(final.filter((object) => rotations.some(({to}) => to === object.metadata.name)));
  const live = Object.fromEntries([...bases, ...renamed].flatMap((object) => (object === undefined ? [] : [[objectKey(object), object]])));
  const missingRights = rights.filter((answer) => !answer.allowed && !(hasNamespace && answer.resource === 'namespaces'));
  const dryRuns = await Promise.all(
    final
      .filter((object) => known.some((one) => kindKey(one) === kindKey(object)))
      .map(async (object): Promise<readonly [string, DryRun]> => {
        const key = objectKey(object);
        if (!hasNamespace) return [key, {outcome: 'skipped', why: 'its namespace does not exist yet'}];
        if (missingRights.length > 0) return [key, {outcome: 'skipped', why: 'this user may not write it'}];
        return [key, await dryRunOf(api, partByOwner(object, live[key]).object, signal)];
      }),
  );
  const hasCluster = live[`Cluster/${name}`] !== undefined;
  const layers = hasCluster && cluster.layers.length > 0 ? await readLayerFacts(scope, {name}) : undefined;
  const inTemplate = new Set(objects.map(objectKey));
  return {
    way: 'template',
    simulated: api.simulated,
    serverVersion,
    coreVersion: core.version,
    namespace: {name: namespace, exists: hasNamespace},
    template,
    live,
    dryRuns: Object.fromEntries(dryRuns),
    unknownKinds: [...new Set(objects.filter((object) => !resources.has(kindKey(object))).map(({kind, apiVersion}) => `${kind} of ${apiVersion}`))],
    foreignPools: pools.items.map(({metadata}) => metadata.name).filter((pool) => !inTemplate.has(`MachineDeployment/${pool}`)),
    missingRights,
    ...(layers === undefined ? {} : {layers}),
  };
}

const kindKey = ({apiVersion, kind}: Pick<KubeObject, 'apiVersion' | 'kind'>) => `${apiVersion} ${kind}`;

async function resourcesOf(api: KubeApi, objects: readonly KubeObject[]) {
  const kinds = new Map(objects.map((object) => [kindKey(object), object]));
  const found = await Promise.all(
    [...kinds].map(async ([key, object]) => {
      try {
        return [[key, await api.resource(object)] as const];
      } catch (error) {
        if (isTriremeError(error) && error.code === 'api.kind-unknown') return [];
        throw error;
      }
    }),
  );
  return new Map(found.flat());
}

function rightsToApply(
  objects: readonly KubeObject[],
  resources: Awaited<ReturnType<typeof resourcesOf>>,
  namespace: string,
  kubeconfigOf: string | undefined,
): readonly AccessCheck[] {
  const kinds = new Map(objects.map((object) => [kindKey(object), groupOf(object.apiVersion)]));
  return [
    ...(kubeconfigOf === undefined ? [] : [{verb: 'get', group: '', resource: 'secrets', namespace, name: `${kubeconfigOf}-kubeconfig`}]),
    {verb: 'create', group: '', resource: 'namespaces'},
    ...[...kinds].flatMap(([key, group]) => {
      const resource = resources.get(key)?.plural;
      return resource === undefined ? [] : (['create', 'patch'] as const).map((verb) => ({verb, group, resource, namespace}));
    }),
  ];
}

/** `cluster-template[-FLAVOR].yaml` of an installed infrastructure provider, or of the version that the file names. */
async function readProviderTemplate(cluster: DesiredCluster, api: KubeApi, signal: AbortSignal): Promise<TemplateText> {
  const {provider = '', flavor} = cluster.document.spec.controller?.template ?? {};
  const [{readConfiguration}, {openRepository}, {readInventory}, {parseProviderRequest, unknownProvider}] = await Promise.all([
    import('../providers/configuration.ts'),
    import('../providers/open-repository.ts'),
    import('../providers/inventory.ts'),
    import('../providers/provider.ts'),
  ]);
  const configuration = await readConfiguration();
  const wanted = parseProviderRequest(provider, 'InfrastructureProvider', 'spec.controller.template.provider');
  const source = configuration.providers.find((one) => one.type === wanted.type && one.name === wanted.name);
  if (source === undefined) throw unknownProvider(wanted, configuration.providers);
  const installed = (await readInventory(api, signal)).find((one) => one.type === wanted.type && one.name === wanted.name);
  const repository = await openRepository(source, {configuration, signal});
  const version = wanted.version ?? installed?.version ?? repository.pinned;
  if (version === undefined)
    throw new TriremeError('plan.refused', `The provider ${wanted.name} isn't installed, so it isn't known which version's template is meant.`, {
      hints: [`Name the version: template: {provider: ${wanted.name}:v1.2.3}`, `trireme provider init --infrastructure ${wanted.name}`],
    });
  const file = flavor === undefined ? 'cluster-template.yaml' : `cluster-template-${flavor}.yaml`;
  const content = await repository.read(version, file);
  if (content === undefined)
    throw new TriremeError('plan.refused', `${wanted.name} ${version} has no ${file}, at ${repository.place}.`, {
      hints: ['Name another flavor, or a file with template.file.'],
    });
  const text = content.toString('utf8');
  const environment = mentionedIn(text, process.env);
  return {file: `${wanted.name}-${version}-${file}`, text, environment: {...fromConfiguration(text, configuration.lookup), ...environment}};
}

function fromConfiguration(text: string, lookup: (name: string) => string | undefined): Readonly<Record<string, string>> {
  const names = [...text.matchAll(/\$\{#?([A-Za-z_][A-Za-z0-9_]*)/g)].flatMap((match) => match[1] ?? []);
  return Object.fromEntries(
    [...new Set(names)].flatMap((name) => {
      const value = lookup(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The live Cluster's, for `rolledOut`. */
export function liveCluster(facts: TemplateFacts, name: string): KubeObject | undefined {
  const found = facts.live[`Cluster/${name}`];
  return found !== undefined && textAt(found, 'metadata', 'name') === name ? found : undefined;
}
