// The agent as a whole: what is wanted, who works towards it, what was seen.
import {mkdir} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import type {Readable} from 'node:stream';
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import {Redactor} from '../kernel/redact.ts';
import {
  agentPaths,
  protocol,
  type AgentState,
  type CertificateState,
  type ClusterEvent,
  type KubernetesAnswer,
  type KubernetesRequest,
  type PutWanted,
  type Secrets,
  type Wanted,
} from '../hostcluster/protocol.ts';
import {renewalOf, requestRenewal} from './distributions/renewal.ts';
import {memberOfHost, whyNotRemovable} from '../hostcluster/quorum.ts';
import {noteBaseline} from './baseline.ts';
import {simulatedDistribution, simulatedHost} from './distributions/simulated.ts';
import {kubeadmDistribution} from './distributions/kubeadm.ts';
import {takeEnrolment} from './enrolment.ts';
import {EventLog} from './event-log.ts';
import {hostFiles, realHost, type HostSystem} from './host-system.ts';
import {Manager} from './manager.ts';
import {programFolder} from './program-folder.ts';
import {Records} from './records.ts';
import {redactSecrets} from './redact-secrets.ts';
import {hasNewlyReady, type Distribution, type NodeWish, type Observation, type Reconciler, type Target} from './reconciler.ts';
import {secretValuesOf} from './secret-values.ts';
import {measure, missingBackup, receiveSnapshot, takenSnapshot} from './snapshot-files.ts';
import {SeenFile, WantedStore} from './state.ts';
import {FileWatch} from './watch-files.ts';

/** Time between two looks at the cluster, in ms: while there's work, and when all is done. */
const looks = {working: 2000, idle: 20_000};
/** Changes of the state within this time are written once, in ms. */
const gather = 50;
/** How long an answer waits for a fresh look at the cluster, and for the disk, in ms. */
const patience = {look: 1500, disk: 5000};

export interface AgentOptions {
  /** `TRIREME_ROOT`: every path is below it; empty on a real host. */
  readonly root: string;
  readonly version: string;
  /** Digest of the program: another build may render anew without that being drift. */
  readonly build: string;
  /** A newer version that was tried and given up before this one was started again. */
  readonly fellBack?: AgentState['fellBack'];
  /** Folder of the running program, the place for programs when /usr/local/bin can't be written. */
  readonly programFolder: string;
}

export class Agent {
  readonly events: EventLog;
  readonly #options: AgentOptions;
  readonly #store: WantedStore;
  readonly #records: Records;
  readonly #seen: SeenFile;
  readonly #redactor: Redactor;
  readonly #manager: Manager;
  readonly #watch: FileWatch;
  readonly #stop = new AbortController();
  readonly #takeEnrolment = () => takeEnrolment({at: (path) => this.#at(path), store: this.#store, events: this.events});
  readonly #startedAt = new Date().toISOString();
  #distribution: Distribution | undefined;
  #host: HostSystem | undefined;
  #observation: Observation = {nodes: [], conditions: []};
  #member = false;
  #certificates: readonly CertificateState[] = [];
  #wasConverged = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #look: Promise<void> | undefined;

  private constructor(options: AgentOptions, store: WantedStore, records: Records) {
    this.#options = options;
    this.#store = store;
    this.#records = records;
    this.#redactor = new Redactor();
    this.events = new EventLog({path: this.#at(agentPaths.events), redactor: this.#redactor});
    this.#seen = new SeenFile(this.#at(agentPaths.seen));
    this.#manager = new Manager({events: this.events, build: options.build, onChange: () => this.#changed()});
    this.#watch = new FileWatch((names) => this.#manager.hurry(names));
  }

  /** Reads what is on disk and goes on with it. */
  static async open(options: AgentOptions): Promise<Agent> {
    const at = (path: string) => (options.root === '' ? path : join(options.root, path));
    await mkdir(at(agentPaths.state), {recursive: true, mode: 0o755});
    const store = new WantedStore(at);
    await store.load();
    const records = await Records.open(at(`${agentPaths.state}/records.json`));
    // a host that wants something already isn't as it was before us
    if (store.wanted === null) await noteBaseline(options.root === '' ? realHost(hostname(), '') : simulatedHost(hostname(), options.root), records);
    const agent = new Agent(options, store, records);
    await agent.#takeEnrolment();
    await agent.#retarget();
    agent.#sayFallBack();
    agent.#scheduleLook();
    return agent;
  }

  #sayFallBack(): void {
    const {fellBack, version} = this.#options;
    if (fellBack === undefined) return;
    const message = `The newer agent ${fellBack.from} didn't stay up (given up at ${fellBack.at}); ${version} runs again.`;
    this.events.write('agent', {type: 'warning.raised', code: 'agent.fell-back', message, host: this.state.host});
  }

  #at(path: string): string {
    return this.#options.root === '' ? path : join(this.#options.root, path);
  }

  get wantedDigest(): string {
    return this.#store.wantedDigest;
  }

  get state(): AgentState {
    const {wanted, wantedDigest, secretsDigest} = this.#store;
    const target = wanted === null ? undefined : this.#target(wanted);
    const running = target === undefined ? undefined : this.#distribution?.running(target);
    return {
      protocol,
      version: this.#options.version,
      host: wanted?.node.name ?? hostname(),
      simulated: this.#distribution?.simulated ?? false,
      startedAt: this.#startedAt,
      wanted,
      wantedDigest,
      converged: wanted !== null && this.#manager.converged,
      member: this.#member,
      ...(running === undefined ? {} : {running}),
      build: this.#options.build,
      ...(this.#options.fellBack === undefined ? {} : {fellBack: this.#options.fellBack}),
      secretsDigest,
      reconcilers: this.#manager.states,
      drift: this.#manager.drift,
      ...this.#observation,
      etcd: this.#observation.etcd ?? [],
      lastSeq: this.events.lastSeq,
      certificates: this.#certificates,
      ...this.#renewal,
    };
  }

  get #renewal(): Pick<AgentState, 'renewal'> {
    const renewal = renewalOf({records: this.#records});
    return renewal === undefined ? {} : {renewal};
  }

  /** The state with nodes and conditions as they are now: whoever asks wants to know. */
  async freshState(): Promise<AgentState> {
    // an API that is away must not keep the agent's own answer
    await Promise.race([this.#observeAnew(), sleep(patience.look)]);
    const {state} = this;
    // the next plan reads what is on disk: who is told that all is done finds it there
    if (state.converged) await Promise.race([this.#seen.write(state).catch(() => {}), sleep(patience.disk)]);
    return state;
  }

  async putWanted(body: PutWanted): Promise<boolean> {
    const changed = await this.#store.put(body);
    if (changed) await this.#retarget();
    return changed;
  }

  async kubeconfig(): Promise<string> {
    const target = this.#requireControlPlane();
    const text = await this.#distribution?.kubeconfig(target);
    if (text === undefined)
      throw new TriremeError('cluster.not-made', `${target.host.name} isn't a member of its cluster yet.`, {
        host: target.host.name,
        hints: [`trireme agent status ${target.host.name}`],
      });
    return text;
  }

  /** For another operator, who has only the file and SSH. */
  secretsOfControlPlane(): Secrets {
    const target = this.#requireControlPlane();
    if (this.#store.secrets === null)
      throw new TriremeError('cluster.not-made', `${target.host.name} has no secrets of its cluster yet.`, {host: target.host.name});
    return this.#store.secrets;
  }

  /** Looks at the certificates now: those that are due are made anew. With `at` all that were made before it are. */
  async renewCertificates(at?: string): Promise<void> {
    if (at !== undefined) await requestRenewal({records: this.#records}, at);
    this.#manager.hurry(['certificates']);
    this.#changed();
  }

  async clusterEvents(): Promise<readonly ClusterEvent[]> {
    const target = this.#requireControlPlane();
    return (await this.#distribution?.events(target, this.#stop.signal)) ?? [];
  }

  /** A copy of the cluster's data, on this host's disk until `remove` is called. */
  async takeSnapshot() {
    const {target, distribution} = this.#requireMember();
    const {host} = target;
    // of two at the same time each has its own file
    const path = `${takenSnapshot}.${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
    const {version} = await distribution.saveSnapshot(target, path, this.#stop.signal);
    return {path: host.path(path), version, simulated: host.simulated, ...(await measure(host, path)), remove: () => host.remove(path)};
  }

  /** Takes a backup's data, for the cluster that this host is going to start. Throws `cluster.foreign` on a host that belongs to one. */
  async receiveSnapshot(input: Readable, digest: string): Promise<void> {
    const host = {...hostFiles(this.#options.root), name: this.state.host};
    if (this.#member || (this.#store.wanted !== null && (await missingBackup(host)) === undefined))
      throw new TriremeError('cluster.foreign', `${host.name} belongs to a cluster; a backup is restored onto hosts that belong to none.`, {
        host: host.name,
        hints: ['Take the host out of its cluster first: trireme host reset'],
      });
    await receiveSnapshot(host, input, digest);
  }

  async setNode(name: string, wish: NodeWish): Promise<readonly string[]> {
    const {target, distribution} = this.#requireMember();
    return distribution.setNode(target, name, wish, this.#stop.signal);
  }

  /** Takes a host's member out of etcd; returns false when it has none. Throws `plan.refused` when that would cost etcd its majority. */
  async removeEtcdMember(host: string, addresses: readonly string[]): Promise<boolean> {
    const {target, distribution} = this.#requireMember();
    const members = await distribution.etcdMembers(target, this.#stop.signal);
    const member = members === undefined ? undefined : memberOfHost(members, host, addresses);
    if (members === undefined || member === undefined) return false;
    const why = whyNotRemovable(members, member);
    if (why !== undefined) throw new TriremeError('plan.refused', `${host} can't be taken out of etcd: ${why}.`, {host});
    await distribution.removeEtcdMember(target, member, this.#stop.signal);
    await this.#observeAnew();
    return true;
  }

  /** For the operator, who may have no way to the API of their own. */
  async askKubernetes(question: KubernetesRequest): Promise<KubernetesAnswer> {
    const target = this.#requireControlPlane();
    const api = await this.#distribution?.adminApi(target, question.own === true ? 'own' : 'endpoint');
    if (api === undefined || !this.#member)
      throw new TriremeError('cluster.not-made', `${target.host.name} isn't a member of its cluster yet.`, {host: target.host.name});
    const answer = await api.pass(question, this.#stop.signal);
    // what was changed is seen at once: a plan that is made in the next moment stands on it
    if (question.method !== 'GET') void this.#observeAnew();
    return answer;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#looking);
    this.#watch.close();
    await this.#manager.stop();
    await this.#look;
    await this.#distribution?.close();
    await this.#seen.write(this.state);
  }

  #target(wanted: Wanted): Target | undefined {
    return this.#host === undefined ? undefined : {host: this.#host, wanted, secrets: this.#store.secrets, records: this.#records};
  }

  #requireControlPlane(): Target {
    const {wanted} = this.#store;
    const target = wanted === null ? undefined : this.#target(wanted);
    if (target === undefined) throw new TriremeError('cluster.not-made', 'This host belongs to no cluster yet.');
    if (target.wanted.role !== 'control-plane')
      throw new TriremeError('usage.invalid', `${target.host.name} is a worker; only control planes can answer that.`, {host: target.host.name});
    return target;
  }

  #requireMember(): {readonly target: Target; readonly distribution: Distribution} {
    const target = this.#requireControlPlane();
    if (this.#distribution === undefined || !this.#member)
      throw new TriremeError('cluster.not-made', `${target.host.name} isn't a member of its cluster yet.`, {host: target.host.name});
    return {target, distribution: this.#distribution};
  }

  /** A look that begins now, after what has just been changed: one that is under way may have read before that. */
  async #observeAnew(): Promise<void> {
    await this.#look;
    await this.#observe();
  }

  /** Points everything at the wanted document that is on disk now. */
  async #retarget(): Promise<void> {
    const {wanted, secrets} = this.#store;
    redactSecrets(this.#redactor, secrets);
    for (const value of secretValuesOf(wanted?.layers ?? [])) this.#redactor.add(value);
    if (wanted !== null) {
      if (this.#distribution === undefined || this.#distribution.name !== wanted.distribution || this.#host?.name !== wanted.node.name)
        await this.#begin(wanted);
      const target = this.#target(wanted);
      if (target !== undefined && this.#distribution !== undefined) {
        const reconcilers = this.#distribution.reconcilers(wanted);
        this.#manager.setTarget(target, reconcilers);
        this.#watchFiles(target, reconcilers);
      }
    }
    await this.#seen.write(this.state);
  }

  /** Where a difference is drift, a changed file is looked at without waiting for the next turn. */
  #watchFiles({host, wanted}: Target, reconcilers: readonly Reconciler[]): void {
    const areas = reconcilers.filter((one) => one.area !== undefined);
    this.#watch.set(host, Object.fromEntries(areas.map((one) => [one.name, one.watches?.(wanted) ?? one.outputs.filter((path) => path.startsWith('/'))])));
  }

  /** Folders that weren't there the last time may be now. */
  #watchAgain(): void {
    const target = this.#store.wanted === null ? undefined : this.#target(this.#store.wanted);
    if (target !== undefined && this.#distribution !== undefined) this.#watchFiles(target, this.#distribution.reconcilers(target.wanted));
  }

  async #begin(wanted: Wanted): Promise<void> {
    await this.#distribution?.close();
    if (wanted.distribution === 'simulated') {
      this.#host = simulatedHost(wanted.node.name, this.#options.root);
      this.#distribution = simulatedDistribution();
      return;
    }
    if (this.#options.root !== '') throw new TriremeError('usage.invalid', 'Only the simulated distribution runs below TRIREME_ROOT.');
    this.#host = realHost(wanted.node.name, await programFolder(this.#options.programFolder));
    this.#distribution = kubeadmDistribution();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const {state} = this;
      // what was to be made is there now, and can be watched
      if (state.converged && !this.#wasConverged) this.#watchAgain();
      this.#wasConverged = state.converged;
      void this.#seen.write(state);
    }, gather);
  }

  #scheduleLook(): void {
    if (this.#stop.signal.aborted) return;
    const delay = this.#store.wanted === null || this.#manager.converged ? looks.idle : looks.working;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      this.#watchAgain();
      void this.#takeEnrolment()
        .then((taken) => (taken ? this.#retarget() : undefined))
        .catch(() => {}) // looked at again at the next turn
        .then(() => this.#observe())
        .finally(() => this.#scheduleLook());
    }, delay);
  }

  /** One look at the cluster; callers at the same time share it. */
  #observe(): Promise<void> {
    return (this.#look ??= this.#lookNow().finally(() => {
      this.#look = undefined;
    }));
  }

  async #lookNow(): Promise<void> {
    const {wanted} = this.#store;
    const target = wanted === null ? undefined : this.#target(wanted);
    if (target === undefined || this.#distribution === undefined) return;
    try {
      const isMember = await this.#distribution.isMember(target);
      const observation =
        isMember && target.wanted.role === 'control-plane' ? await this.#distribution.observe(target, this.#stop.signal) : {nodes: [], conditions: []};
      this.#certificates = isMember ? await this.#distribution.certificates(target) : [];
      if (hasNewlyReady(this.#observation, observation)) this.#manager.again('addons'); // layers have a part on each node
      this.#tellConditions(observation, target);
      this.#member = isMember;
      this.#observation = observation;
      this.#changed();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      if (!isTriremeError(error))
        this.events.write('agent', {type: 'warning.raised', code: 'bug.unexpected', message: (error as Error).message, host: target.host.name});
    }
  }

  #tellConditions(observation: Observation, {host}: Target): void {
    for (const {type, ready, message} of observation.conditions) {
      const before = this.#observation.conditions.find((condition) => condition.type === type);
      if (before?.ready === ready) continue;
      this.events.write('agent', {
        type: 'condition.changed',
        subject: this.#store.wanted?.cluster.name ?? '',
        condition: type,
        status: ready ? 'true' : 'false',
        host: host.name,
        ...(message === undefined ? {} : {message}),
      });
    }
  }
}
