// Turns among the agents of a cluster, by a Lease object: one holder, renewed while it works, taken over when it no longer is.
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {ClusterApi} from './cluster-api.ts';

const folder = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
/** In ms. */
const times = {renew: 10_000, look: 1000};
/** How long a holder may be silent before another takes over, in seconds. */
const duration = 45;

interface LeaseObject {
  readonly metadata: {readonly name: string; readonly resourceVersion?: string};
  readonly spec: {readonly holderIdentity?: string; readonly leaseDurationSeconds?: number; readonly renewTime?: string};
}

/** When each lease was last seen renewed, by our own clock: the hosts' clocks may differ. */
const observed = new Map<string, {readonly mark: string; readonly at: number}>();

function isExpired(name: string, lease: LeaseObject): boolean {
  const mark = `${lease.spec.holderIdentity ?? ''}@${lease.spec.renewTime ?? ''}`;
  const before = observed.get(name);
  if (before?.mark !== mark) {
    observed.set(name, {mark, at: performance.now()});
    return false;
  }
  return performance.now() - before.at > (lease.spec.leaseDurationSeconds ?? duration) * 1000;
}

/** Takes or renews the lease; returns its holder, who may be another. */
export async function tryLease(api: ClusterApi, name: string, self: string): Promise<string> {
  const lease = await api.get<LeaseObject>(`${folder}/${name}`);
  const spec = {holderIdentity: self, leaseDurationSeconds: duration, renewTime: new Date().toISOString().replace('Z', '000Z')};
  const body = {apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {name, namespace: 'kube-system'}, spec};
  if (lease === undefined) return taken(await api.send({method: 'POST', path: folder, body}), self);
  const holder = lease.spec.holderIdentity;
  if (holder !== undefined && holder !== '' && holder !== self && !isExpired(name, lease)) return holder;
  // the version makes two who try at once see that only one got it
  return taken(
    await api.send({method: 'PUT', path: `${folder}/${name}`, body: {...body, metadata: {...body.metadata, resourceVersion: lease.metadata.resourceVersion}}}),
    self,
  );
}

function taken(answer: {readonly status: number; readonly body: unknown}, self: string): string {
  if (answer.status === 409) return '(another)';
  if (answer.status >= 300)
    throw new TriremeError('agent.failed', `The lease can't be written: ${(answer.body as {message?: string}).message ?? answer.status}`);
  return self;
}

export interface LeaseOptions {
  readonly name: string;
  readonly self: string;
  readonly signal: AbortSignal;
  /** How long an API is waited for that doesn't answer, or refuses while it starts, in ms; default: not at all. */
  readonly patience?: number;
  onWait(holder: string): void;
}

/** Waits for the lease, works under it, and lets it go. `onWait` hears who holds it. */
export async function withLease<T>(api: ClusterApi, options: LeaseOptions, work: () => Promise<T>): Promise<T> {
  const {name, self, signal, patience = 0} = options;
  const started = performance.now();
  for (let holder = ''; ;) {
    const now = await tryLease(api, name, self).catch((error: unknown) => {
      if (!isTriremeError(error) || performance.now() - started > patience) throw error;
      return `(nobody knows: ${error.message})`;
    });
    if (now === self) break;
    if (now !== holder) options.onWait(now);
    holder = now;
    await sleep(times.look, signal);
  }
  // a renewal that fails is tried again at the next turn; the API is often away for a moment while etcd grows
  const renewal = setInterval(() => void tryLease(api, name, self).catch(() => {}), times.renew);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await releaseLease(api, name, self);
  }
}

async function releaseLease(api: ClusterApi, name: string, self: string): Promise<void> {
  try {
    const lease = await api.get<LeaseObject>(`${folder}/${name}`);
    if (lease?.spec.holderIdentity === self)
      await api.send({method: 'DELETE', path: `${folder}/${name}`, body: {preconditions: {resourceVersion: lease.metadata.resourceVersion}}});
  } catch (error) {
    // it runs out by itself
    if (!isTriremeError(error)) throw error;
  }
}
