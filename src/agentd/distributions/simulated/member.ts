// What a simulated member runs inside the agent's process: a kubelet that beats, and on a control plane the API when nobody else serves it.
import {sleep} from '../../../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {ClusterApi} from '../../cluster-api.ts';
import type {EtcdMember} from '../../../hostcluster/protocol.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {Target} from '../../reconciler.ts';
import {noteRestored, restoredSnapshot} from '../../snapshot-files.ts';
import {memberOf} from '../kubeadm/member.ts';
import {emptyState, SimulatedServer, tokens, type SimulatedEtcdMember, type SimulatedState} from './server.ts';

/** Where a real etcd keeps its data. */
const statePath = '/var/lib/etcd/simulated.json';
/** In ms: how often a kubelet beats. */
const beatInterval = 3000;
/** In ms. A control plane's copy of the state is so old, at most; where it's served it's the newest. */
const copyInterval = 700;
/** In ms: how long a change of members waits for the others' copies. */
const copyPatience = 15_000;
/** The step, and the key of its record, by which this host became a member of etcd. */
export const joinEtcdId = 'join-etcd';
/** The key of the record that this host's member was taken out: its copy is worth nothing from then on. */
const expelledKey = 'etcd.expelled';
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

export class SimulatedMember {
  readonly #stop = new AbortController();
  readonly #apis = new Map<string, ClusterApi>();
  #server: SimulatedServer | undefined;
  #beating: Promise<void> | undefined;
  #target: Target | undefined;
  /** The revision of the copy on this host's disk, as far as it's known to be that of who serves. */
  #copied: number | undefined;
  /** The kubelet's last beat: when, in ms since 1970, and of which version. */
  #last: {readonly at: number; readonly version: string} | undefined;

  /** The API as `token` sees it. */
  api({wanted, secrets}: Target, token: (secret: string) => string): ClusterApi | undefined {
    if (secrets === null) return undefined;
    const {host, port} = wanted.endpoint;
    const credentials = {server: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, token: token(secrets.bootstrapToken)};
    const key = `${credentials.server} ${credentials.token}`;
    const api = this.#apis.get(key) ?? new ClusterApi(credentials);
    this.#apis.set(key, api);
    return api;
  }

  admin(target: Target): ClusterApi | undefined {
    return this.api(target, tokens.admin);
  }

  own(target: Target): ClusterApi | undefined {
    return this.api(target, (secret) => tokens.node(target.wanted.node.name, secret));
  }

  /** Whether someone serves the endpoint. */
  async answers(target: Target): Promise<boolean> {
    const api = this.admin(target);
    try {
      return (await api?.send({path: '/livez', deadline: 2000}))?.status === 200;
    } catch (error) {
      if (isTriremeError(error)) return false;
      throw error;
    }
  }

  /** Serves the endpoint from the copy on this host's disk; another that is faster is as good. */
  async serve(target: Target): Promise<void> {
    const {wanted, secrets, host} = target;
    if (!loopback.has(wanted.endpoint.host))
      throw new TriremeError('usage.invalid', `A simulated cluster is served on loopback only, not at ${wanted.endpoint.host}.`, {host: host.name});
    if (secrets === null) throw new TriremeError('agent.failed', `${host.name} has no secrets of its cluster.`, {host: host.name});
    if (target.records.get(expelledKey) === true)
      throw new TriremeError('agent.failed', `${host.name} was taken out of etcd: its copy of the cluster's state may not be served.`, {host: host.name});
    const state = JSON.parse((await host.read(statePath)) ?? JSON.stringify(emptyState)) as SimulatedState;
    const server = new SimulatedServer({
      host: wanted.endpoint.host,
      port: wanted.endpoint.port,
      secret: secrets.bootstrapToken,
      name: wanted.node.name,
      state,
      save: (next) => host.write(statePath, JSON.stringify(next), '0600'),
    });
    try {
      await server.listen();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (await this.answers(target)) return;
      throw new TriremeError('agent.failed', `Port ${wanted.endpoint.port} is taken by another program.`, {
        host: host.name,
        hints: ['Choose another endpoint.port.'],
        cause: error,
      });
    }
    await this.#server?.close();
    this.#server = server;
  }

  /** Takes a copy of what the serving control plane has. */
  async replicate(target: Target): Promise<void> {
    if (this.#server !== undefined) return;
    const api = this.admin(target);
    const text = JSON.stringify(await api?.get<SimulatedState>('/simulated/v1/state'));
    if ((await target.host.read(statePath)) !== text) await target.host.write(statePath, text, '0600');
  }

  /** The state as text, for a backup. */
  async snapshot(target: Target): Promise<string> {
    const state = await this.admin(target)?.get<SimulatedState>('/simulated/v1/state');
    if (state === undefined) throw new TriremeError('backup.failed', `The simulated API on ${target.host.name} gives no state.`, {host: target.host.name});
    return `${JSON.stringify({SIMULATED: true, state})}\n`;
  }

  /** Begins with a backup's state where one was brought: its hosts are forgotten, as they register anew. */
  async restore({host}: Target): Promise<void> {
    const text = await host.read(restoredSnapshot);
    if (text === undefined) return;
    const {state} = JSON.parse(text) as {readonly state: SimulatedState};
    await host.write(statePath, JSON.stringify({...state, nodes: {}, members: []} satisfies SimulatedState), '0600');
    await noteRestored(host);
  }

  /** Becomes a member that holds a copy and has a vote; waits until every other copy says so. */
  async joinEtcd(target: Target, signal: AbortSignal): Promise<void> {
    await this.admin(target)?.change({method: 'POST', path: '/simulated/v1/members', body: {name: target.wanted.node.name}, signal});
    // a member's voice counts from now on, however long the rest of the join takes
    this.attend(target);
    await this.#copy(target);
    await this.#waitForCopies(target, signal);
  }

  async etcdMembers(target: Target, signal?: AbortSignal): Promise<readonly EtcdMember[] | undefined> {
    const members = (await this.admin(target)?.get<readonly SimulatedEtcdMember[]>('/simulated/v1/members', signal)) ?? [];
    // a cluster that an older version made has none on record
    if (members.length === 0) return undefined;
    return members.map(({name, healthy}) => ({id: name, name, addresses: [], learner: false, healthy}));
  }

  /** Takes a member out, and waits until every other copy says so: whoever serves next knows it, too. */
  async removeEtcdMember(target: Target, name: string, signal: AbortSignal): Promise<void> {
    await this.admin(target)?.change({method: 'DELETE', path: `/simulated/v1/members/${name}`, signal});
    await this.#copy(target);
    await this.#waitForCopies(target, signal);
  }

  async #waitForCopies(target: Target, signal: AbortSignal): Promise<void> {
    const api = this.admin(target);
    const {revision = 0} = JSON.parse((await target.host.read(statePath)) ?? '{}') as Partial<SimulatedState>;
    const areCopied = async () => {
      const members = (await api?.get<readonly SimulatedEtcdMember[]>('/simulated/v1/members', signal)) ?? [];
      return members.every((member) => !member.healthy || member.revision >= revision) ? true : undefined;
    };
    await waitFor(areCopied, {timeout: copyPatience, interval: 200, signal});
  }

  /** Brings this host's copy up to date, and says how new it is. Who serves says in turn how new it is there: mostly nothing has to be fetched. */
  async #copy(target: Target): Promise<void> {
    const served = this.#copied === undefined ? undefined : await this.#tellCopied(target, this.#copied);
    if (this.#copied !== undefined && served === this.#copied) return;
    await this.replicate(target);
    const {revision = 0} = JSON.parse((await target.host.read(statePath)) ?? '{}') as Partial<SimulatedState>;
    await this.#tellCopied(target, revision);
    this.#copied = revision;
  }

  /** Returns the revision that is served. */
  async #tellCopied(target: Target, revision: number): Promise<number | undefined> {
    const path = `/simulated/v1/members/${target.wanted.node.name}`;
    const answer = await this.admin(target)?.send<{readonly revision?: number}>({
      method: 'PUT',
      path,
      body: {revision},
      deadline: 2000,
      signal: this.#stop.signal,
    });
    if (answer?.status === 404 && target.records.get(joinEtcdId) !== undefined) await target.records.set(expelledKey, true);
    return answer?.status === 200 ? answer.body.revision : undefined;
  }

  /** Whether this host's copy of the state is kept up to date by its beats. */
  get isAttending(): boolean {
    return this.#beating !== undefined;
  }

  /** Beats from now on, for the copy that a control plane holds and for the node as long as its kubelet runs. Called again it only takes the newer target. */
  attend(target: Target): void {
    this.#target = target;
    this.#beating ??= this.#beatOn();
  }

  async #beatOn(): Promise<void> {
    const {signal} = this.#stop;
    while (!signal.aborted) {
      const target = this.#target as Target;
      try {
        await this.#beat(target);
      } catch {
        // no answer now: the next beat tells. Who serves then may be another, with another copy of the same revision.
        this.#copied = undefined;
        this.#last = undefined;
      }
      await sleep(target.wanted.role === 'control-plane' && this.#server === undefined ? copyInterval : beatInterval, signal).catch(() => {});
    }
  }

  async #beat(target: Target): Promise<void> {
    if (target.wanted.role === 'control-plane') await this.#copy(target);
    const version = memberOf(target)?.kubernetesVersion ?? target.wanted.kubernetesVersion;
    if (this.#last !== undefined && this.#last.version === version && Date.now() - this.#last.at < beatInterval) return;
    const active = await target.host.services.active(['kubelet.service', 'containerd.service']);
    if (!active.has('kubelet.service')) return;
    const api = this.own(target);
    const answer = await api?.send({
      method: 'PUT',
      path: `/simulated/v1/heartbeats/${target.wanted.node.name}`,
      body: {healthy: active.has('containerd.service'), version},
      deadline: 2000,
      signal: this.#stop.signal,
    });
    if (answer?.status === 200) this.#last = {at: Date.now(), version};
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#beating;
    for (const api of this.#apis.values()) api.close();
    await this.#server?.close();
  }
}
