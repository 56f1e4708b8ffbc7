// A client that reads and writes through a cluster's endpoint without a pause.
import {setTimeout as pause} from 'node:timers/promises';
import {isTriremeError} from '../../src/kernel/errors.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import type {KubeApi, Resource} from '../../src/kube/api.ts';
import {connect} from '../../src/kube/client.ts';

const configMaps: Resource = {group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true};
const slices: Resource = {group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', kind: 'EndpointSlice', namespaced: true};
/** Keys in one object. */
const perObject = 200;

export interface ClientReport {
  readonly acknowledged: number;
  /** Writes that were acknowledged and aren't there. */
  readonly lost: readonly number[];
  /** In ms: the longest time in which nothing was acknowledged. */
  readonly longestGap: number;
  /** Looks at the service's endpoints, and those in which none was ready. */
  readonly looks: number;
  readonly withoutEndpoint: number;
}

export interface RunningClient {
  readonly api: KubeApi;
  /** Stops, and compares what is there with what was acknowledged. */
  stop(): Promise<ClientReport>;
}

/** Writes a new key, reads it back, and looks at the service's endpoints, once every 100 ms. */
export async function startClient(kubeconfig: string, options: {readonly service: string}): Promise<RunningClient> {
  const over = new AbortController();
  const api = await connect({content: {text: kubeconfig, place: 'the test'}, signal: over.signal, redactor: new Redactor(), warn: () => {}});
  const prefix = `beat-${Date.now().toString(36)}`;
  const name = (n: number) => `${prefix}-${Math.floor(n / perObject)}`;
  const acknowledged: number[] = [];
  let last = Date.now();
  let longestGap = 0;
  let looks = 0;
  let withoutEndpoint = 0;
  let isStopping = false;
  const beat = async (n: number): Promise<void> => {
    const key = {name: name(n), namespace: 'default'};
    const deadline = 2000;
    const data = {[String(n)]: 'x'};
    await api.patch(configMaps, key, {type: 'merge', body: {data}}, {deadline}).catch((error: unknown) => {
      if (!isTriremeError(error) || error.code !== 'api.not-found') throw error;
      return api.create({apiVersion: 'v1', kind: 'ConfigMap', metadata: key, data}, {deadline});
    });
    const read = await api.get(configMaps, key, {deadline});
    if ((read?.['data'] as Record<string, string> | undefined)?.[String(n)] !== 'x') throw new Error(`${n} was acknowledged and isn't read`);
    acknowledged.push(n);
    longestGap = Math.max(longestGap, Date.now() - last);
    last = Date.now();
    const {items} = await api.list(slices, {namespace: 'default', labelSelector: `kubernetes.io/service-name=${options.service}`, deadline});
    looks += 1;
    const endpoints = items.flatMap((slice) => (slice['endpoints'] as readonly {conditions?: {ready?: boolean}}[] | undefined) ?? []);
    if (!endpoints.some((endpoint) => endpoint.conditions?.ready === true)) withoutEndpoint += 1;
  };
  const running = (async () => {
    for (let n = 0; !isStopping; n += 1) {
      await Promise.all([beat(n).catch(() => {}), pause(100)]);
    }
  })();
  return {
    api,
    stop: async () => {
      isStopping = true;
      await running;
      longestGap = Math.max(longestGap, Date.now() - last);
      const {items} = await api.list(configMaps, {namespace: 'default'});
      const there = new Set(
        items
          .filter((item) => item.metadata.name.startsWith(prefix))
          .flatMap((item) => Object.keys((item['data'] as Record<string, string> | undefined) ?? {})),
      );
      const lost = acknowledged.filter((n) => !there.has(String(n)));
      over.abort();
      api.close();
      return {acknowledged: acknowledged.length, lost, longestGap, looks, withoutEndpoint};
    },
  };
}
