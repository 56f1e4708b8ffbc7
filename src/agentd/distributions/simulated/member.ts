// What a simulated member runs inside the agent's process: a kubelet that beats, and on a control plane the API when nobody else serves it.
import {sleep} from '../../../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {ClusterApi} from '../../cluster-api.ts';
import type {Target} from '../../reconciler.ts';
import {noteRestored, restoredSnapshot} from '../../snapshot-files.ts';
import {emptyState, SimulatedServer, tokens, type SimulatedState} from './server.ts';

/** Where a real etcd keeps its data. */
const statePath = '/var/lib/etcd/simulated.json';
/** In ms. */
const beatInterval = 3000;
const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

export class SimulatedMember {
  readonly #stop = new AbortController();
  readonly #apis = new Map<string, ClusterApi>();
  #server: SimulatedServer | undefined;
  #beating: Promise<void> | undefined;
  #target: Target | undefined;

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
    const state = JSON.parse((await host.read(statePath)) ?? JSON.stringify(emptyState)) as SimulatedState;
    const server = new SimulatedServer({
      host: wanted.endpoint.host,
      port: wanted.endpoint.port,
      secret: secrets.bootstrapToken,
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
    await host.write(statePath, JSON.stringify({...state, nodes: {}} satisfies SimulatedState), '0600');
    await noteRestored(host);
  }

  /** Beats for this node from now on, as long as its kubelet runs. Called again it only takes the newer target. */
  attend(target: Target): void {
    this.#target = target;
    this.#beating ??= this.#beatOn();
  }

  async #beatOn(): Promise<void> {
    const {signal} = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#beat(this.#target as Target);
        await sleep(beatInterval, signal);
      } catch {
        // no answer now: the next beat tells
        if (!signal.aborted) await sleep(beatInterval, signal).catch(() => {});
      }
    }
  }

  async #beat(target: Target): Promise<void> {
    const active = await target.host.services.active(['kubelet.service', 'containerd.service']);
    if (!active.has('kubelet.service')) return;
    const api = this.own(target);
    await api?.send({
      method: 'PUT',
      path: `/simulated/v1/heartbeats/${target.wanted.node.name}`,
      body: {healthy: active.has('containerd.service'), version: target.wanted.kubernetesVersion},
      deadline: 2000,
      signal: this.#stop.signal,
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#beating;
    for (const api of this.#apis.values()) api.close();
    await this.#server?.close();
  }
}
