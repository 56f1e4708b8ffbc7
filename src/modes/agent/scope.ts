// The connections of one command: opened when they're first used, one for each host, closed at its end.
import {randomBytes} from 'node:crypto';
import type {ContentRequest, PinnedContent} from '../../bundle/resolve.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {Redactor} from '../../kernel/redact.ts';
import {Leases} from '../../hostcluster/lease.ts';
import {openAgentLink, type AgentLink} from '../../hostcluster/link.ts';
import {agentPaths} from '../../hostcluster/protocol.ts';
import type {FetchOptions, HostClusterScope, LocalBlob, RunProgress, UploadProgress} from '../../hostcluster/scope.ts';
import {SecretsKeeper} from '../../hostcluster/secrets-keeper.ts';
import type {Stranger} from '../../hostcluster/strangers.ts';
import {readTargets, targetsOfStrangers, type InventoryTarget} from '../../hosts/inventory.ts';
import {lockOwner} from '../../plan/lock.ts';
import type {DesiredCluster} from '../../spec/desired.ts';
import type {SshContext} from '../../ssh/context.ts';
import type {SshHostRunner} from '../../ssh/ssh-runner.ts';
import type {Scope, ScopeOptions} from '../mode.ts';
import {contextFor, openRunner, uploadTo} from './connect.ts';

/** Everything that a command in agent mode holds open. */
export class AgentScope implements HostClusterScope, Scope {
  readonly redactor: Redactor;
  readonly leases: Leases;
  readonly secrets: SecretsKeeper;
  readonly progress: RunProgress = {eventsSeen: new Map(), converged: new Set(), prepared: new Set()};
  readonly options: ScopeOptions;
  readonly targets: readonly InventoryTarget[];
  readonly #cluster: DesiredCluster;
  readonly #strangers = new Map<string, InventoryTarget>();
  readonly #root: string;
  readonly #runners = new Map<string, Promise<SshHostRunner>>();
  readonly #links = new Map<string, AgentLink>();
  readonly #blobs = new Map<string, LocalBlob>();
  readonly #ssh: SshContext;
  #pinned: PinnedContent | undefined;

  private constructor(cluster: DesiredCluster, targets: readonly InventoryTarget[], options: ScopeOptions) {
    this.options = options;
    this.redactor = options.redactor;
    this.#ssh = contextFor(options);
    this.targets = targets;
    this.#cluster = cluster;
    this.#root = cluster.document.spec.agent?.root ?? agentPaths.program;
    const runner = (host: string) => this.runner(host);
    this.secrets = new SecretsKeeper({redactor: options.redactor, runner});
    this.leases = new Leases({
      owner: lockOwner(`lease-${randomBytes(4).toString('hex')}`, 'apply'),
      breakLock: options.breakLock ?? false,
      onBroken: (host, holder) => options.warn(`Broke the lease on ${host}: ${holder.user}@${holder.computer} held it since ${holder.since}.`),
      runner,
    });
  }

  /** Reads the secrets that logging in needs; connects to nobody yet. Throws `secret.missing`. */
  static async open(cluster: DesiredCluster, options: ScopeOptions): Promise<AgentScope> {
    return new AgentScope(cluster, await readTargets(cluster, {env: process.env, redactor: options.redactor}), options);
  }

  get patience(): number | undefined {
    return this.options.patience;
  }

  runner(host: string): Promise<SshHostRunner> {
    const open = this.#runners.get(host);
    if (open !== undefined) return open;
    const opening = this.#open(host);
    this.#runners.set(host, opening);
    // a host that didn't answer is tried anew when it's needed again
    opening.catch(() => this.#runners.get(host) === opening && this.#runners.delete(host));
    return opening;
  }

  async #open(host: string): Promise<SshHostRunner> {
    return openRunner(this.target(host), this.#ssh);
  }

  async link(host: string): Promise<AgentLink> {
    const open = this.#links.get(host);
    if (open !== undefined) return open;
    const runner = await this.runner(host);
    const link = this.#links.get(host) ?? openAgentLink(runner, {root: this.#root});
    this.#links.set(host, link);
    return link;
  }

  async forget(host: string): Promise<void> {
    this.#links.get(host)?.close();
    this.#links.delete(host);
    const opening = this.#runners.get(host);
    this.#runners.delete(host);
    await opening?.then((runner) => runner.close()).catch(() => {});
  }

  /** Hosts that left the file: with its settings for all hosts, and what their nodes say. Those of which nothing is known are left out. */
  async adopt(strangers: readonly Stranger[]): Promise<readonly InventoryTarget[]> {
    const known = strangers.flatMap(({name, role, access}) => (access === undefined ? [] : [{name, role, access}]));
    const targets = await targetsOfStrangers(this.#cluster, known, {env: process.env, redactor: this.redactor});
    for (const target of targets) this.#strangers.set(target.host, target);
    return targets;
  }

  /** The host's target by its name in the file. Throws `host.not-found`. */
  target(host: string): InventoryTarget {
    const target = this.targets.find((one) => one.host === host) ?? this.#strangers.get(host);
    if (target === undefined)
      throw new TriremeError('host.not-found', `No host of the file is named ${host}.`, {
        hints: [`Its hosts: ${this.targets.map((one) => one.host).join(', ')}`],
      });
    return target;
  }

  /** Pins content, once for a scope: what it names is what `fetch` brings. */
  async pin(request: ContentRequest): Promise<PinnedContent> {
    const {pinContent} = await import('../../bundle/resolve.ts');
    this.#pinned ??= await pinContent(request);
    return this.#pinned;
  }

  async fetch(digests: readonly string[], options: FetchOptions): Promise<readonly LocalBlob[]> {
    const lacking = digests.filter((digest) => !this.#blobs.has(digest));
    if (lacking.length > 0) await this.#fetchAnew(lacking, options);
    return digests.flatMap((digest) => this.#blobs.get(digest) ?? []);
  }

  async #fetchAnew(digests: readonly string[], {signal, onProgress}: FetchOptions): Promise<void> {
    if (this.#pinned === undefined)
      throw new TriremeError('bundle.incomplete', "The content that hosts lack isn't at hand: it couldn't be pinned on this computer.", {
        hints: ['Name it in the file: spec.agent.bundle'],
      });
    const {fetchContent} = await import('../../bundle/resolve.ts');
    const content = await fetchContent(this.#pinned, {digests, signal, onProgress: ({name, received, total}) => onProgress(name, received, total)});
    for (const digest of digests) {
      const path = content.path(digest);
      this.#blobs.set(digest, {...(await content.open(digest)), ...(path === undefined ? {} : {path})});
    }
  }

  async upload(host: string, blobs: readonly LocalBlob[], options: {readonly signal: AbortSignal; onProgress(progress: UploadProgress): void}): Promise<void> {
    await uploadTo(await this.runner(host), blobs, options);
  }

  async close(): Promise<void> {
    await this.leases.release();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    const runners = [...this.#runners.values()];
    this.#runners.clear();
    await Promise.allSettled(runners.map(async (runner) => (await runner).close()));
  }
}
