// What preflight looks at in a management cluster; only reads. What this user may not read is left out, and told by `access-rights`.
import {isTriremeError} from '../../../kernel/errors.ts';
import {type Problem, problemOf} from '../../../kernel/problem.ts';
import type {AccessAnswer, AccessCheck, KubeApi} from '../../../kube/api.ts';
import {type Condition, type KubeObject, listAt, textAt} from '../../../kube/object.ts';
import type {ClusterDocument} from '../../../spec/schema.ts';
import {certManagerNamespace, type CertManagerState} from '../providers/cert-manager.ts';
import type {Library} from '../providers/facts.ts';
import {expiresAnnotation, ownCertificateLabel} from '../providers/own-certificates.ts';
import {listProviders, type ProviderView} from '../providers/list-providers.ts';

export interface ManagementSeen {
  readonly server: string;
  readonly context: string;
  readonly simulated: boolean;
  readonly kubernetes: string;
  readonly contract: string | null;
  readonly providers: readonly ProviderView[];
  readonly certManager: CertManagerState;
  /** The server's clock minus ours, in ms; undefined where it can't be told. */
  readonly clockSkew: number | undefined;
  readonly access: readonly AccessAnswer[];
  readonly hasNamespace: boolean | undefined;
  /** Undefined: the file names no class. `missing`: it isn't there. */
  readonly clusterClass: {readonly name: string; readonly namespace: string; readonly missing: boolean; readonly conditions: readonly Condition[]} | undefined;
  readonly nodes: {readonly ready: number; readonly all: number} | undefined;
  /** cert-manager's Deployments, when it's there. */
  readonly certManagerRuns: readonly {readonly name: string; readonly available: boolean}[] | undefined;
  /** Webhook certificates that this program issued. */
  readonly ownCertificates: readonly {readonly secret: string; readonly expires: string}[];
  /** CRDs of Cluster API with objects kept in versions that aren't served any more. */
  readonly unservedStorage: readonly {readonly crd: string; readonly versions: readonly string[]}[] | undefined;
}

export async function observeManagement(
  api: KubeApi,
  library: Library,
  cluster: ClusterDocument,
  signal: AbortSignal,
): Promise<ManagementSeen | {readonly problem: Problem}> {
  try {
    const namespace = cluster.spec.controller?.namespace ?? api.namespace;
    const began = Date.now();
    const serverTime = await serverClock(api, signal);
    const clockSkew = serverTime === undefined ? undefined : serverTime - (began + Date.now()) / 2;
    const list = async (apiVersion: string, kind: string, where: {readonly namespace?: string} = {}) =>
      readable(async () => (await api.list(await api.resource({apiVersion, kind}), {...where, signal})).items);
    const [access, listed, namespaces, clusterClass, nodes, deployments, crds, own] = await Promise.all([
      api.access(rightsFor(namespace), {signal}),
      listProviders(api, library, signal, {withNewest: false}),
      readable(async () => (await api.get(await api.resource({apiVersion: 'v1', kind: 'Namespace'}), {name: namespace}, {signal})) ?? null),
      classOf(api, cluster, namespace, signal),
      list('v1', 'Node'),
      list('apps/v1', 'Deployment', {namespace: certManagerNamespace}),
      list('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      readable(async () => {
        const options = {labelSelector: `${ownCertificateLabel}=own`, metadataOnly: true, signal} as const;
        return (await api.list(await api.resource({apiVersion: 'v1', kind: 'Secret'}), options)).items;
      }),
    ]);
    const {server, context, simulated, kubernetes, contract, providers, certManager} = listed;
    return {
      ...{server, context, simulated, kubernetes, contract, providers, certManager, clockSkew, access, clusterClass},
      hasNamespace: namespaces === undefined ? undefined : namespaces !== null,
      nodes: nodes === undefined ? undefined : {all: nodes.length, ready: nodes.filter((node) => conditionOf(node, 'Ready')?.status === 'True').length},
      certManagerRuns: deployments?.map((one) => ({name: one.metadata.name, available: conditionOf(one, 'Available')?.status === 'True'})),
      ownCertificates: (own ?? []).map(({metadata: {namespace = '', name, annotations}}) => ({
        secret: `${namespace}/${name}`,
        expires: annotations?.[expiresAnnotation] ?? '',
      })),
      unservedStorage: crds?.flatMap((crd) => unservedOf(crd) ?? []),
    };
  } catch (error) {
    if (isTriremeError(error) && ['api.unreachable', 'api.unauthorized', 'api.forbidden'].includes(error.code)) return {problem: problemOf(error)};
    throw error;
  }
}

/** The server stamps what it's asked about itself; to the second. */
async function serverClock(api: KubeApi, signal: AbortSignal): Promise<number | undefined> {
  const {status, body} = await api.send({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: {apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview'},
    signal,
  });
  const stamp = textAt(body, 'metadata', 'creationTimestamp');
  // half a second on: the rest is cut off
  return status >= 300 || stamp === undefined ? undefined : Date.parse(stamp) + 500;
}

/** What apply, scale, upgrade and delete need in the cluster's namespace. */
function rightsFor(namespace: string): readonly AccessCheck[] {
  const group = 'cluster.x-k8s.io';
  const on = (resource: string, verbs: readonly string[]): readonly AccessCheck[] => verbs.map((verb) => ({verb, group, resource, namespace}));
  return [
    ...on('clusters', ['get', 'list', 'watch', 'create', 'patch', 'delete']),
    ...on('clusterclasses', ['get']),
    ...on('machinedeployments', ['list', 'watch']),
    ...on('machines', ['list', 'watch']),
    {verb: 'get', group: '', resource: 'secrets', name: 'kubeconfig', namespace},
  ];
}

async function classOf(api: KubeApi, cluster: ClusterDocument, namespace: string, signal: AbortSignal): Promise<ManagementSeen['clusterClass']> {
  const {class: name, classNamespace = namespace} = cluster.spec.controller ?? {};
  if (name === undefined) return undefined;
  const found = await readable(async () => {
    const resource = await api.resource({apiVersion: 'cluster.x-k8s.io/v1beta2', kind: 'ClusterClass'});
    return (await api.get(resource, {name, namespace: classNamespace}, {signal})) ?? null;
  });
  return {
    name,
    namespace: classNamespace,
    missing: found === undefined || found === null,
    conditions: found === null || found === undefined ? [] : conditionsOf(found),
  };
}

/** Undefined where the kind isn't there, or this user may not look. */
async function readable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isTriremeError(error) && (error.code === 'api.forbidden' || error.code === 'api.kind-unknown')) return undefined;
    throw error;
  }
}

function conditionsOf(object: KubeObject): readonly Condition[] {
  return listAt(object, 'status', 'conditions') as readonly Condition[];
}

function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((one) => one.type === type);
}

function unservedOf(crd: KubeObject): {readonly crd: string; readonly versions: readonly string[]} | undefined {
  if (!/(^|\.)cluster\.x-k8s\.io$/.test(textAt(crd, 'spec', 'group') ?? '')) return undefined;
  const served = listAt(crd, 'spec', 'versions').flatMap((version) => ((version as {served?: unknown}).served === true ? [textAt(version, 'name')] : []));
  const versions = listAt(crd, 'status', 'storedVersions')
    .map(String)
    .filter((version) => !served.includes(version));
  return versions.length === 0 ? undefined : {crd: crd.metadata.name, versions};
}
