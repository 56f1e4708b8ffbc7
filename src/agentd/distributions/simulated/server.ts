// The simulated API: a few paths of the Kubernetes API over plain HTTP on loopback, with what control planes replicate behind them.
import {createServer, type IncomingMessage, type Server} from 'node:http';
import {isKubeletLabel, type NodeObject, type TaintObject} from '../../node-wish.ts';

/** A kubelet that is silent for longer is taken for dead, in ms. */
const silence = 12_000;

export interface SimulatedPod {
  readonly node: string;
  /** What an eviction is refused with; absent: it goes. */
  readonly held?: string;
}

export interface SimulatedNode {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly TaintObject[];
  readonly version: string;
  readonly joinedAt: string;
  /** Since when it is as ready, or not, as it is. */
  readonly since: string;
  readonly ready: boolean;
  readonly unschedulable?: boolean;
}

/** What every control plane has on disk. */
export interface SimulatedState {
  readonly nodes: Readonly<Record<string, SimulatedNode>>;
  /** Digest of each layer's manifest. */
  readonly layers: Readonly<Record<string, string>>;
  /** Pods that somebody put there, by name: only what a drain has to see. */
  readonly pods?: Readonly<Record<string, SimulatedPod>>;
  /** False while a network layer is awaited: nodes aren't ready then. */
  readonly network: boolean;
  /** Names of the hosts that hold a copy and have a vote, as etcd's members do. */
  readonly members: readonly string[];
  /** Raised by every write: a copy with a lower one is older. */
  readonly revision: number;
}

export const emptyState: SimulatedState = {nodes: {}, layers: {}, network: false, members: [], revision: 0};

export interface SimulatedEtcdMember {
  readonly name: string;
  readonly healthy: boolean;
  /** Of its copy, as it last said. */
  readonly revision: number;
}

/** Who asks: `admin`, a node by name, or a host that joins. */
type Who = {readonly kind: 'admin'} | {readonly kind: 'node'; readonly name: string} | {readonly kind: 'joining'};

/** Tokens of the simulated API; real ones are certificates. */
export const tokens = {
  admin: (secret: string) => `admin:${secret}`,
  node: (name: string, secret: string) => `node:${name}:${secret}`,
};

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  /** The control plane that serves: its copy is this one. */
  readonly name: string;
  readonly state: SimulatedState;
  /** Called with each new state before the answer is sent. */
  save(state: SimulatedState): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Serves the state; several agents may hold a copy, one serves. */
export class SimulatedServer {
  readonly #options: ServerOptions;
  readonly #server: Server;
  readonly #beats = new Map<string, {readonly at: number; readonly healthy: boolean}>();
  /** When each member was last heard of, and how new its copy was. */
  readonly #copies = new Map<string, {readonly at: number; readonly revision: number}>();
  readonly #startedAt = Date.now();
  #state: SimulatedState;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#state = {...emptyState, ...options.state};
    this.#server = createServer((request, response) => {
      // one after another: each sees what the one before wrote
      this.#turn = this.#turn
        .then(() => this.#serve(request))
        .then(
          ({status, body}) => {
            response.writeHead(status, {'content-type': 'application/json'});
            response.end(JSON.stringify(body));
          },
          () => response.destroy(),
        );
    });
  }

  /** Throws EADDRINUSE when another control plane serves. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.port, this.#options.host, resolve);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const who = this.#whoIs(request.headers.authorization);
    if (who === undefined) return refuse(401, 'Unauthorized');
    const {pathname} = new URL(request.url ?? '/', 'http://simulated');
    const [, ...parts] = pathname.split('/').map(decodeURIComponent);
    const what = `${request.method} ${parts.slice(0, 3).join('/')}`;
    const name = parts[3];
    if (what === 'GET livez') return {status: 200, body: 'ok'};
    if (what === 'GET api/v1/nodes')
      return name === undefined
        ? {status: 200, body: {kind: 'NodeList', items: Object.keys(this.#state.nodes).map((one) => this.#nodeObject(one))}}
        : this.#one(name);
    if (what === 'GET simulated/v1/holder')
      return {status: 200, body: {holder: this.#options.name, since: `${new Date(this.#startedAt).toISOString().slice(0, 19)}Z`}};
    if (what === 'GET simulated/v1/members' && who.kind === 'admin') return {status: 200, body: this.#members()};
    if (what === 'PUT simulated/v1/members' && name !== undefined && who.kind === 'admin') return this.#copied(name, body);
    // a member that joins again changes nothing and is heard again, which may be what the majority lacks
    const isKnown = what === 'POST simulated/v1/members' && this.#state.members.includes(String(body['name'] ?? ''));
    // a beat only counts where there's a majority to write it down, and is no failure of the one who beats
    const isChange = request.method !== 'GET' && !isKnown;
    if (isChange && !this.#hasMajority()) return refuse(503, 'etcdserver: no leader: most of its members are silent');
    if (what === 'POST simulated/v1/members' && who.kind === 'admin') return this.#addMember(String(body['name'] ?? ''));
    if (what === 'DELETE simulated/v1/members' && name !== undefined && who.kind === 'admin') return this.#removeMember(name);
    if (what === 'DELETE api/v1/nodes' && name !== undefined) return this.#deleteNode(who, name);
    if (what === 'POST api/v1/nodes') return this.#register(who, body);
    if (what === 'PATCH api/v1/nodes' && name !== undefined) return this.#patch(who, name, body as unknown as Patch);
    if (what === 'GET api/v1/pods') return {status: 200, body: this.#podList()};
    if (what === 'POST api/v1/namespaces' && parts[6] === 'eviction' && who.kind === 'admin') return this.#evict(parts[5] ?? '');
    if (what === 'PUT simulated/v1/pods' && name !== undefined && who.kind === 'admin') return this.#putPod(name, body);
    if (what === 'PUT simulated/v1/heartbeats' && name !== undefined) return this.#beat(who, name, body);
    if (what === 'GET simulated/v1/state' && who.kind === 'admin') return {status: 200, body: this.#state};
    if (what === 'PUT simulated/v1/layers' && name !== undefined && who.kind === 'admin') return this.#layer(name, body);
    return refuse(404, `the simulated API has no ${request.method} ${pathname}`);
  }

  #whoIs(header: string | undefined): Who | undefined {
    const token = (header ?? '').replace(/^Bearer /, '');
    const {secret} = this.#options;
    if (token === secret) return {kind: 'joining'};
    if (token === tokens.admin(secret)) return {kind: 'admin'};
    const name = /^node:([^:]+):/.exec(token)?.[1];
    return name !== undefined && token === tokens.node(name, secret) ? {kind: 'node', name} : undefined;
  }

  async #set(state: SimulatedState): Promise<void> {
    this.#state = {...state, revision: state.revision + 1};
    await this.#options.save(this.#state);
  }

  #members(): readonly SimulatedEtcdMember[] {
    const {name: self} = this.#options;
    return this.#state.members.map((name) =>
      name === self
        ? {name, healthy: true, revision: this.#state.revision}
        : {name, healthy: this.#isHeard(name), revision: this.#copies.get(name)?.revision ?? 0},
    );
  }

  #isHeard(name: string): boolean {
    const copy = this.#copies.get(name);
    // a server that has just taken over has heard nobody yet
    return copy === undefined ? Date.now() - this.#startedAt < silence : Date.now() - copy.at < silence;
  }

  #hasMajority(): boolean {
    const members = this.#members();
    return members.length === 0 || members.filter((member) => member.healthy).length > members.length / 2;
  }

  #copied(name: string, body: Record<string, unknown>): Answer {
    if (!this.#state.members.includes(name)) return refuse(404, `etcdserver: ${name} is no member`);
    this.#copies.set(name, {at: Date.now(), revision: Number(body['revision'] ?? 0)});
    return {status: 200, body: {revision: this.#state.revision}};
  }

  async #addMember(name: string): Promise<Answer> {
    this.#copies.set(name, {at: Date.now(), revision: this.#copies.get(name)?.revision ?? 0});
    if (!this.#state.members.includes(name)) await this.#set({...this.#state, members: [...this.#state.members, name].toSorted()});
    return {status: 201, body: this.#members()};
  }

  async #removeMember(name: string): Promise<Answer> {
    if (!this.#state.members.includes(name)) return refuse(404, `etcdserver: ${name} is no member`);
    await this.#set({...this.#state, members: this.#state.members.filter((one) => one !== name)});
    this.#copies.delete(name);
    return {status: 200, body: {revision: this.#state.revision}};
  }

  async #deleteNode(who: Who, name: string): Promise<Answer> {
    if (who.kind !== 'admin') return refuse(403, `only an administrator may delete ${name}`);
    if (!(name in this.#state.nodes)) return refuse(404, `nodes "${name}" not found`);
    this.#beats.delete(name);
    await this.#set({...this.#state, nodes: Object.fromEntries(Object.entries(this.#state.nodes).filter(([one]) => one !== name))});
    return {status: 200, body: {}};
  }

  #one(name: string): Answer {
    return name in this.#state.nodes ? {status: 200, body: this.#nodeObject(name)} : refuse(404, `nodes "${name}" not found`);
  }

  async #register(who: Who, body: Record<string, unknown>): Promise<Answer> {
    const name = String(body['name'] ?? '');
    if (who.kind === 'node' && who.name !== name) return refuse(403, `node ${who.name} may not register ${name}`);
    const now = new Date().toISOString();
    const before = this.#state.nodes[name];
    const node: SimulatedNode = before ?? {
      labels: {'kubernetes.io/hostname': name, ...(body['labels'] as Record<string, string> | undefined)},
      annotations: {},
      taints: (body['taints'] as readonly TaintObject[] | undefined) ?? [],
      version: String(body['version'] ?? ''),
      joinedAt: now,
      since: now,
      ready: false,
    };
    await this.#set({...this.#state, nodes: {...this.#state.nodes, [name]: node}});
    return {status: 201, body: this.#nodeObject(name)};
  }

  async #patch(who: Who, name: string, patch: Patch): Promise<Answer> {
    const node = this.#state.nodes[name];
    if (node === undefined) return refuse(404, `nodes "${name}" not found`);
    // as NodeRestriction does
    if (who.kind !== 'admin') {
      if (who.kind !== 'node' || who.name !== name) return refuse(403, `only the node itself or an administrator may change ${name}`);
      if (patch.spec?.taints !== undefined) return refuse(403, `node ${name} may not change its taints`);
      const forbidden = Object.keys(patch.metadata?.labels ?? {}).find((key) => !isKubeletLabel(key));
      if (forbidden !== undefined) return refuse(403, `node ${name} may not set the label ${forbidden}`);
    }
    const changed = {
      ...node,
      labels: mergeMap(node.labels, patch.metadata?.labels),
      annotations: mergeMap(node.annotations, patch.metadata?.annotations),
      taints: patch.spec?.taints ?? node.taints,
      ...(patch.spec?.unschedulable === undefined ? {} : {unschedulable: patch.spec.unschedulable === true}),
    };
    await this.#set({...this.#state, nodes: {...this.#state.nodes, [name]: changed}});
    return {status: 200, body: this.#nodeObject(name)};
  }

  async #beat(who: Who, name: string, body: Record<string, unknown>): Promise<Answer> {
    const node = this.#state.nodes[name];
    if (node === undefined) return refuse(404, `nodes "${name}" not found`);
    if (who.kind !== 'node' || who.name !== name) return refuse(403, `only ${name} itself beats for ${name}`);
    this.#beats.set(name, {at: Date.now(), healthy: body['healthy'] === true});
    const version = String(body['version'] ?? node.version);
    await this.#refresh({[name]: {...node, version}});
    return {status: 200, body: {}};
  }

  #podList(): unknown {
    const items = Object.entries(this.#state.pods ?? {}).map(([name, {node}]) => ({
      metadata: {name, namespace: 'default', uid: name, ownerReferences: [{kind: 'ReplicaSet', name: 'simulated', controller: true}]},
      spec: {nodeName: node},
      status: {phase: 'Running'},
    }));
    return {kind: 'PodList', metadata: {resourceVersion: '1'}, items};
  }

  async #putPod(name: string, body: Record<string, unknown>): Promise<Answer> {
    const pod: SimulatedPod = {node: String(body['node'] ?? ''), ...(typeof body['held'] === 'string' ? {held: body['held']} : {})};
    await this.#set({...this.#state, pods: {...this.#state.pods, [name]: pod}});
    return {status: 200, body: {}};
  }

  /** As the eviction API: 429 while a budget holds the pod. */
  async #evict(name: string): Promise<Answer> {
    const {[name]: pod, ...others} = this.#state.pods ?? {};
    if (pod === undefined) return refuse(404, `pods "${name}" not found`);
    if (pod.held !== undefined)
      return {
        status: 429,
        body: {
          kind: 'Status',
          status: 'Failure',
          reason: 'TooManyRequests',
          message: "Cannot evict pod as it would violate the pod's disruption budget.",
          details: {causes: [{reason: 'DisruptionBudget', message: pod.held}]},
        },
      };
    await this.#set({...this.#state, pods: others});
    return {status: 201, body: {kind: 'Status', status: 'Success'}};
  }

  async #layer(name: string, body: Record<string, unknown>): Promise<Answer> {
    await this.#set({
      ...this.#state,
      layers: {...this.#state.layers, [name]: String(body['digest'] ?? '')},
      network: this.#state.network || body['kind'] === 'cni' || body['kind'] === 'none',
    });
    await this.#refresh({});
    return {status: 200, body: {}};
  }

  /** Notes since when each node is as it is. */
  async #refresh(over: Readonly<Record<string, SimulatedNode>>): Promise<void> {
    const before = this.#state;
    const nodes = Object.fromEntries(
      Object.entries({...before.nodes, ...over}).map(([name, node]) => {
        const {ready} = this.#health(name, node);
        return [name, ready === node.ready ? node : {...node, ready, since: new Date().toISOString()}];
      }),
    );
    if (JSON.stringify(nodes) !== JSON.stringify(before.nodes)) await this.#set({...before, nodes});
  }

  #health(name: string, node: SimulatedNode): {readonly ready: boolean; readonly status: string; readonly reason: string; readonly message: string} {
    const beat = this.#beats.get(name);
    // a server that has just taken over has heard nobody yet
    if (beat === undefined && Date.now() - this.#startedAt < silence)
      return {ready: node.ready, status: node.ready ? 'True' : 'False', reason: node.ready ? 'KubeletReady' : 'KubeletStarting', message: 'simulated'};
    if (beat === undefined || Date.now() - beat.at > silence)
      return {ready: false, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.'};
    if (!beat.healthy) return {ready: false, status: 'False', reason: 'ContainerRuntimeNotReady', message: 'the container runtime is down'};
    if (!this.#state.network)
      return {ready: false, status: 'False', reason: 'KubeletNotReady', message: 'container runtime network not ready: cni plugin not initialized'};
    return {ready: true, status: 'True', reason: 'KubeletReady', message: 'simulated kubelet is posting ready status'};
  }

  #nodeObject(name: string): NodeObject & {status: unknown} {
    const node = this.#state.nodes[name] as SimulatedNode;
    const {status, reason, message} = this.#health(name, node);
    return {
      metadata: {name, labels: node.labels, annotations: node.annotations},
      spec: {taints: node.taints, ...(node.unschedulable === true ? {unschedulable: true} : {})},
      status: {nodeInfo: {kubeletVersion: node.version}, conditions: [{type: 'Ready', status, reason, message, lastTransitionTime: node.since}]},
    };
  }
}

interface Patch {
  readonly metadata?: {readonly labels?: Readonly<Record<string, string | null>>; readonly annotations?: Readonly<Record<string, string | null>>};
  readonly spec?: {readonly taints?: readonly TaintObject[]; readonly unschedulable?: boolean | null};
}

/** RFC 7386: null removes a key. */
function mergeMap(base: Readonly<Record<string, string>>, patch: Readonly<Record<string, string | null>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries({...base, ...patch}).filter((entry): entry is [string, string] => entry[1] !== null));
}

function refuse(status: number, message: string): Answer {
  return {status, body: {kind: 'Status', status: 'Failure', message}};
}
