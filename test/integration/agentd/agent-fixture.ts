// Real agent processes, of the bundled file, on simulated hosts: each a folder in the temporary directory.
import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {generateKeyPairSync, randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {agentPaths, protocol, type AgentState, type PutWanted, type Secrets, type Wanted} from '../../../src/hostcluster/protocol.ts';
import {waitFor} from '../../../src/kernel/retry.ts';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
export const program = join(repository, 'dist', 'agent', 'trireme-agent.mjs');

/** Bundles the agent as it is now. */
export async function bundleAgent(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(repository, 'scripts', 'bundle-agent.mjs')]);
}

/** Secrets of the right shape; the simulated distribution uses only the token. */
export function fakeSecrets(): Secrets {
  const {publicKey, privateKey} = generateKeyPairSync('ed25519');
  const pair = {certificate: String(publicKey.export({type: 'spki', format: 'pem'})), key: String(privateKey.export({type: 'pkcs8', format: 'pem'}))};
  return {
    ca: pair,
    etcdCa: pair,
    frontProxyCa: pair,
    serviceAccount: pair,
    bootstrapToken: `${randomBytes(3).toString('hex')}.${randomBytes(8).toString('hex')}`,
  };
}

export function wantedFor(host: Pick<Wanted, 'role' | 'bootstrap'> & {readonly name: string; readonly port: number}, over: Partial<Wanted> = {}): Wanted {
  return {
    protocol,
    program: '0.1.0',
    cluster: {name: 'berth', id: '0011223344556677'},
    distribution: 'simulated',
    kubernetesVersion: 'v1.36.3',
    role: host.role,
    bootstrap: host.bootstrap,
    node: {name: host.name, addresses: ['127.0.0.1'], labels: {}},
    endpoint: {host: '127.0.0.1', port: host.port, ...(host.role === 'control-plane' ? {vip: {image: 'ghcr.io/kube-vip/kube-vip:v1.0.0'}} : {})},
    network: {pods: ['10.244.0.0/16'], services: ['10.96.0.0/12'], dnsDomain: 'cluster.local'},
    configuration: {
      kubelet: {},
      apiServer: {},
      controllerManager: {},
      scheduler: {},
      etcd: {},
      kubeProxy: {},
      kubeadm: {},
      containerd: {},
      sysctls: {'net.core.somaxconn': '4096'},
    },
    proxy: {},
    files: [{path: '/etc/motd', content: 'all aboard\n', mode: '0644', owner: 'root:root'}],
    content: [],
    layers: host.role === 'control-plane' ? [{name: 'flannel', kind: 'cni', manifest: 'kind: ConfigMap\n'}] : [],
    drift: {files: 'repair', sysctls: 'repair', modules: 'repair', runtime: 'repair', kubelet: 'repair', node: 'repair'},
    ...over,
  };
}

/** One simulated host with its agent's process. */
export class SimulatedAgent {
  readonly name: string;
  readonly root: string;
  #child: ChildProcess | undefined;

  private constructor(name: string, root: string) {
    this.name = name;
    this.root = root;
  }

  static async make(name: string): Promise<SimulatedAgent> {
    // short: a unix socket's path has some hundred characters
    const agent = new SimulatedAgent(name, await mkdtemp(join(tmpdir(), 'tr-')));
    await agent.start();
    return agent;
  }

  get env(): NodeJS.ProcessEnv {
    return {...process.env, TRIREME_ROOT: this.root, TRIREME_SIMULATED_PACE: '10', NOTIFY_SOCKET: undefined};
  }

  path(absolute: string): string {
    return join(this.root, absolute);
  }

  async start(): Promise<void> {
    this.#child = spawn(process.execPath, [program, 'run'], {env: this.env, stdio: ['ignore', 'inherit', 'inherit']});
    await this.until('answers', async () => this.get('/v1/state').catch(() => undefined));
  }

  /** A power cut. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<number | null> {
    const child = this.#child as ChildProcess;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = (await ended) as [number | null];
    return code;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.root, {recursive: true, force: true});
  }

  send(method: string, path: string, body?: unknown): Promise<{readonly status: number; readonly text: string}> {
    return new Promise((resolve, reject) => {
      const sent = request({socketPath: this.path(agentPaths.socket), method, path}, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString()}));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async get(path: string): Promise<string> {
    return (await this.send('GET', path)).text;
  }

  async state(): Promise<AgentState> {
    return JSON.parse(await this.get('/v1/state')) as AgentState;
  }

  put(body: PutWanted): Promise<{readonly status: number; readonly text: string}> {
    return this.send('PUT', '/v1/wanted', body);
  }

  /** Looks until the state is as described; fails with the state that it saw last. */
  async untilState(what: string, look: (state: AgentState) => boolean): Promise<AgentState> {
    let last: AgentState | undefined;
    try {
      return await this.until(what, async () => {
        last = await this.state();
        return look(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(
        `${(error as Error).message}: ${JSON.stringify(last?.reconcilers.filter((one) => one.status !== 'done'))} ${JSON.stringify(last?.nodes)}`,
        {cause: error},
      );
    }
  }

  async until<T>(what: string, look: () => Promise<T | undefined>, timeout = 20_000): Promise<T> {
    const found = await waitFor(look, {timeout, interval: 50});
    if (found === undefined) throw new Error(`${this.name}: waited ${timeout / 1000} s in vain until it ${what}`);
    return found;
  }

  read(path: string): Promise<string> {
    return readFile(this.path(path), 'utf8');
  }
}
