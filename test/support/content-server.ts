// The public download places and registries with small made-up content, in process, and with the faults that networks have.
import {createHash, randomBytes} from 'node:crypto';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Architecture} from '../../src/bundle/content.ts';
import {fileSourcesOf, imagesOf} from '../../src/bundle/sources.ts';

export const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A fault is used up by one request, unless `times` says otherwise. */
export type Fault =
  | {readonly kind: 'status'; readonly status: number}
  | {readonly kind: 'cut'; readonly after: number}
  | {readonly kind: 'flip'}
  | {readonly kind: 'no-range'};

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly status: number;
}

export interface ContentServerOptions {
  readonly version?: string;
  readonly architectures?: readonly Architecture[];
  readonly images?: readonly string[];
  /** Registries want a token; with a password the token is only given to whoever has it. */
  readonly auth?: {readonly scheme: 'bearer' | 'basic'; readonly password?: string};
  /** Says Docker's media types instead of OCI's. */
  readonly isDocker?: boolean;
  /** Bytes of each file; default 20 000. */
  readonly fileSize?: number;
}

export class ContentServer {
  readonly files = new Map<string, Buffer>();
  readonly requests: SeenRequest[] = [];
  readonly manifests = new Map<string, {readonly bytes: Buffer; readonly type: string}>();
  readonly blobs = new Map<string, Buffer>();
  readonly #faults: {match: string; fault: Fault; times: number}[] = [];
  readonly #options: ContentServerOptions;
  readonly #server: Server;
  readonly #token = randomBytes(12).toString('hex');

  constructor(options: ContentServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** For `spec.bundle.sources`. */
  get sources(): Record<string, string> {
    return Object.fromEntries(['dl.k8s.io', 'github.com', 'registry.k8s.io', 'ghcr.io', 'docker.io'].map((host) => [host, `${this.url}/${host}`]));
  }

  /** Lets requests whose path ends so fail. */
  fail(match: string, fault: Fault, times = 1): void {
    this.#faults.push({match, fault, times});
  }

  /** GET and HEAD requests of paths that end so. */
  seen(match: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.path.endsWith(match));
  }

  putBlob(bytes: Buffer): string {
    const digest = `sha256:${sha256(bytes)}`;
    this.blobs.set(digest, bytes);
    return digest;
  }

  /** Publishes an image for these architectures under an index; returns the index's digest. */
  putImage(reference: string, architectures: readonly Architecture[], seed = ''): string {
    const isDocker = this.#options.isDocker === true;
    const types = isDocker
      ? {
          index: 'application/vnd.docker.distribution.manifest.list.v2+json',
          manifest: 'application/vnd.docker.distribution.manifest.v2+json',
          config: 'application/vnd.docker.container.image.v1+json',
          layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
        }
      : {
          index: 'application/vnd.oci.image.index.v1+json',
          manifest: 'application/vnd.oci.image.manifest.v1+json',
          config: 'application/vnd.oci.image.config.v1+json',
          layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
        };
    const [repository, tag] = splitReference(reference);
    const manifests = architectures.map((architecture) => {
      const layer = Buffer.from(`layer of ${reference} ${architecture} ${seed} `.repeat(100));
      const config = Buffer.from(JSON.stringify({architecture, os: 'linux', seed, reference}));
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: types.manifest,
          config: {mediaType: types.config, digest: this.putBlob(config), size: config.length},
          layers: [{mediaType: types.layer, digest: this.putBlob(layer), size: layer.length}],
        }),
      );
      const digest = `sha256:${sha256(manifest)}`;
      this.manifests.set(`${repository}@${digest}`, {bytes: manifest, type: types.manifest});
      return {mediaType: types.manifest, digest, size: manifest.length, platform: {architecture, os: 'linux'}};
    });
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: types.index,
        manifests: [...manifests, {mediaType: types.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 7, platform: {architecture: 'unknown', os: 'unknown'}}],
      }),
    );
    const digest = `sha256:${sha256(index)}`;
    this.manifests.set(`${repository}@${digest}`, {bytes: index, type: types.index});
    this.manifests.set(`${repository}:${tag}`, {bytes: index, type: types.index});
    return digest;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://x').pathname;
    response.on('close', () => this.requests.push({method: request.method ?? '', path, range: request.headers.range, status: response.statusCode}));
    if (path === '/token') return this.#giveToken(request, response);
    const registry = /^\/([^/]+)\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
    if (registry === null) return this.#send(request, response, path, this.files.get(path.slice(1)), 'application/octet-stream');
    if (!this.#isAllowed(request)) {
      const challenge =
        this.#options.auth?.scheme === 'basic'
          ? 'Basic realm="registry"'
          : `Bearer realm="${this.url}/token",service="made-up",scope="repository:${registry[2]}:pull"`;
      response.writeHead(401, {'www-authenticate': challenge}).end('{"errors":[]}');
      return;
    }
    const [, host = '', repository = '', kind = '', name = ''] = registry;
    if (kind === 'blobs') return this.#send(request, response, path, this.blobs.get(name), 'application/octet-stream');
    const manifest = this.manifests.get(`${host}/${repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`);
    this.#send(request, response, path, manifest?.bytes, manifest?.type ?? '');
  }

  #isAllowed(request: IncomingMessage): boolean {
    const {auth} = this.#options;
    if (auth === undefined) return true;
    return request.headers.authorization === (auth.scheme === 'basic' ? basic(auth.password ?? '') : `Bearer ${this.#token}`);
  }

  #giveToken(request: IncomingMessage, response: ServerResponse): void {
    const password = this.#options.auth?.password;
    const isGood = password === undefined || request.headers.authorization === basic(password);
    response.writeHead(isGood ? 200 : 401, {'content-type': 'application/json'}).end(isGood ? JSON.stringify({token: this.#token}) : '{}');
  }

  #send(request: IncomingMessage, response: ServerResponse, path: string, whole: Buffer | undefined, type: string): void {
    const at = request.method === 'GET' ? this.#faults.findIndex((entry) => path.endsWith(entry.match) && entry.times > 0) : -1;
    const fault = this.#faults[at]?.fault;
    if (at !== -1) (this.#faults[at] as {times: number}).times -= 1;
    if (fault?.kind === 'status') return void response.writeHead(fault.status).end('no');
    if (whole === undefined) return void response.writeHead(404).end('not here');
    const bytes = Buffer.from(whole);
    if (fault?.kind === 'flip') bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    const start = fault?.kind === 'no-range' ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start >= bytes.length) return void response.writeHead(416).end();
    response.writeHead(start > 0 ? 206 : 200, {
      'content-type': type,
      'content-length': bytes.length - start,
      ...(start > 0 ? {'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`} : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    if (fault?.kind === 'cut') return void response.write(bytes.subarray(start, start + fault.after), () => setImmediate(() => response.destroy()));
    response.end(bytes.subarray(start));
  }
}

const basic = (password: string) => `Basic ${Buffer.from(`captain:${password}`).toString('base64')}`;

function splitReference(reference: string): readonly [string, string] {
  const colon = reference.lastIndexOf(':');
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}

/** A server with all that a Kubernetes version needs, small and made up. */
export async function startContentServer(options: ContentServerOptions = {}): Promise<ContentServer> {
  const server = new ContentServer(options);
  const version = options.version ?? 'v1.36.3';
  const architectures = options.architectures ?? ['amd64', 'arm64'];
  const lines = new Map<string, string[]>();
  for (const architecture of architectures) {
    for (const source of fileSourcesOf(version, architecture)) {
      const bytes = Buffer.from(`${source.name} ${source.version} ${architecture}\n`.repeat(2000)).subarray(0, options.fileSize ?? 20_000);
      const path = source.url.replace('https://', '');
      server.files.set(path, bytes);
      const sum = source.checksumUrl.replace('https://', '');
      const isBare = sum.endsWith('.sha256') && !path.endsWith('.tgz');
      lines.set(sum, [...(lines.get(sum) ?? []), isBare ? sha256(bytes) : `${sha256(bytes)} ${source.name === 'runc' ? '*' : ' '}${path.split('/').at(-1)}`]);
    }
  }
  for (const [path, text] of lines) server.files.set(path, Buffer.from(`${text.join('\n')}\n`));
  for (const reference of [...imagesOf(version), ...(options.images ?? [])]) server.putImage(reference, architectures);
  return server.listen();
}
