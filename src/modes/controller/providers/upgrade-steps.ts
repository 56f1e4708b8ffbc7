// Steps that only an upgrade has: stop the old controllers, remove the old objects, write kept objects again.
import {sleep} from '../../../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {mapPool} from '../../../kernel/pool.ts';
import type {KubeApi} from '../../../kube/api.ts';
import {type KubeObject, listAt, numberAt, textAt} from '../../../kube/object.ts';
import {clusterctlLabel, type Components, providerLabel} from './components.ts';
import {storageVersionOf} from './facts.ts';
import {type InstalledProvider, inventoryObjectOf} from './inventory.ts';
import {deploymentsOf} from './list-providers.ts';
import {labelOf} from './provider.ts';
import type {ProviderStep, StepOptions} from './steps.ts';
import {isNamespacedKind} from './target-namespace.ts';
import {keyOf, lookAt, nameOf, settled} from './write-objects.ts';

/** True when the inventory lists the new version: then nothing old is left to stop or to remove. */
async function isListed(api: KubeApi, from: InstalledProvider, version: string, signal: AbortSignal): Promise<boolean> {
  const entry = inventoryObjectOf({provider: from, version, namespace: from.namespace});
  return textAt(await lookAt(api, entry, signal), 'version') === version;
}

/** Old controllers would fight with the new ones, and answer for webhooks that the API server asks. */
export function scaleDownStep(from: InstalledProvider, version: string, options: StepOptions): ProviderStep {
  const host = labelOf(from);
  const running = async (api: KubeApi, signal: AbortSignal) =>
    (await deploymentsOf(api, from, signal)).filter((one) => numberAt(one, 'spec', 'replicas') !== 0 || (numberAt(one, 'status', 'replicas') ?? 0) > 0);
  return {
    id: `${host}@${version}/stop`,
    title: `Stop ${from.version}`,
    host,
    effect: 'restart',
    check: async ({scope: {api}, signal}) =>
      (await isListed(api, from, version, signal)) || (await running(api, signal)).length === 0 ? 'satisfied' : 'needed',
    apply: async ({scope: {api}, signal, stopping}) => {
      const resource = await api.resource({apiVersion: 'apps/v1', kind: 'Deployment'});
      for (const {metadata} of await running(api, signal)) await api.patch(resource, keyOf(metadata), {type: 'merge', body: {spec: {replicas: 0}}}, {signal});
      const end = Date.now() + options.timeout;
      for (;;) {
        const [first] = await running(api, signal);
        if (first === undefined) return;
        if (Date.now() >= end)
          throw new TriremeError(
            'wait.timed-out',
            `${nameOf(first)} of the old version still has ${numberAt(first, 'status', 'replicas') ?? 0} pods after ${options.timeout / 1000} s.`,
            {
              hints: [`Go on with: trireme ${options.operation} --resume`],
            },
          );
        await sleep(500, AbortSignal.any([signal, stopping]));
      }
    },
  };
}

/** Kinds that providers' components have; others are found among the new components. */
const usualKinds = [
  'apps/v1 Deployment',
  'apps/v1 DaemonSet',
  'apps/v1 StatefulSet',
  'v1 Service',
  'v1 ServiceAccount',
  'v1 ConfigMap',
  'v1 Secret',
  'rbac.authorization.k8s.io/v1 Role',
  'rbac.authorization.k8s.io/v1 RoleBinding',
  'rbac.authorization.k8s.io/v1 ClusterRole',
  'rbac.authorization.k8s.io/v1 ClusterRoleBinding',
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration',
  'cert-manager.io/v1 Certificate',
  'cert-manager.io/v1 Issuer',
  'networking.k8s.io/v1 NetworkPolicy',
  'policy/v1 PodDisruptionBudget',
];
/** People's objects hang on these. */
const kept = new Set(['CustomResourceDefinition', 'Namespace', 'Provider']);

/** Removes what the old version consists of, CRDs, namespace and inventory excepted, as clusterctl does: what the new one lacks doesn't stay behind. */
export function removeOldStep(from: InstalledProvider, to: Components, options: StepOptions): ProviderStep {
  const host = labelOf(from);
  return {
    id: `${host}@${to.version}/remove-old`,
    title: `Remove ${from.version}`,
    host,
    effect: 'restart',
    check: async ({scope: {api}, signal}) =>
      (await isListed(api, from, to.version, signal)) || (await ownedObjects(api, from, to, signal)).length === 0 ? 'satisfied' : 'needed',
    apply: async ({scope: {api}, signal, stopping}) => {
      const owned = await ownedObjects(api, from, to, signal);
      settled(
        await mapPool(owned, 6, async (object) => {
          const resource = await api.resource(object);
          await api.remove(resource, keyOf(object.metadata), {
            signal,
            propagation: 'Background',
            ...(object.metadata.uid === undefined ? {} : {uid: object.metadata.uid}),
          });
        }),
      );
      const end = Date.now() + options.timeout;
      for (;;) {
        const [first] = await ownedObjects(api, from, to, signal);
        if (first === undefined) return `${owned.length} objects`;
        if (Date.now() >= end)
          throw new TriremeError(
            'wait.timed-out',
            `${nameOf(first)} of the old version isn't gone after ${options.timeout / 1000} s; its finalizers: ${first.metadata.finalizers?.join(', ') ?? 'none'}.`,
          );
        await sleep(300, AbortSignal.any([signal, stopping]));
      }
    },
  };
}

async function ownedObjects(api: KubeApi, from: InstalledProvider, to: Components, signal: AbortSignal): Promise<readonly KubeObject[]> {
  const kinds = new Set([...usualKinds, ...to.objects.map(({apiVersion, kind}) => `${apiVersion} ${kind}`)]);
  const labelSelector = `${clusterctlLabel}=,${providerLabel}=${labelOf(from)}`;
  const found = settled(
    await mapPool([...kinds], 6, async (text): Promise<readonly KubeObject[]> => {
      const [apiVersion = '', kind = ''] = text.split(' ');
      if (kept.has(kind)) return [];
      try {
        const resource = await api.resource({apiVersion, kind});
        const {items} = await api.list(resource, {labelSelector, signal, ...(resource.namespaced ? {namespace: from.namespace} : {})});
        return items.map((item) => ({...item, apiVersion, kind}));
      } catch (error) {
        if (isTriremeError(error) && error.code === 'api.kind-unknown') return [];
        throw error;
      }
    }),
  );
  return found
    .flat()
    .filter(({kind, metadata: {name}}) => isNamespacedKind(kind) || kind.endsWith('WebhookConfiguration') || name.startsWith(`${from.namespace}-`));
}

/** Has the API server write every object of a kind again: it keeps them in the present version then, and the older ones may go from the CRD. */
export function migrateStorageStep(host: string, crd: KubeObject): ProviderStep {
  const {name} = crd.metadata;
  const look = async (api: KubeApi, signal: AbortSignal) => {
    const live = await lookAt(api, crd, signal);
    const stored = listAt(live, 'status', 'storedVersions').map(String);
    const storage = live === undefined ? undefined : storageVersionOf(live);
    return {live, storage, isMigrated: storage === undefined || (stored.length === 1 && stored[0] === storage)};
  };
  return {
    id: `storage/${name}`,
    title: `Write objects of ${name} again`,
    host,
    effect: 'none',
    check: async ({scope: {api}, signal}) => ((await look(api, signal)).isMigrated ? 'satisfied' : 'needed'),
    apply: async ({scope: {api}, signal}) => {
      const {live, storage} = await look(api, signal);
      if (live === undefined || storage === undefined) return;
      const resource = await api.resource({apiVersion: `${textAt(live, 'spec', 'group') ?? ''}/${storage}`, kind: textAt(live, 'spec', 'names', 'kind') ?? ''});
      const {items} = await api.list(resource, {signal, metadataOnly: true});
      settled(
        await mapPool(items, 6, async ({metadata}) => {
          try {
            // an empty patch changes nothing, but what is kept in an older version is written
            await api.patch(resource, keyOf(metadata), {type: 'merge', body: {}}, {signal});
          } catch (error) {
            // gone, or written by somebody else in between: both are as good
            if (!isTriremeError(error) || (error.code !== 'api.not-found' && error.code !== 'api.conflict')) throw error;
          }
        }),
      );
      await api.send({
        method: 'PATCH',
        path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}/status`,
        type: 'application/merge-patch+json',
        body: {status: {storedVersions: [storage]}},
        signal,
      });
      return `${items.length} objects`;
    },
  };
}
