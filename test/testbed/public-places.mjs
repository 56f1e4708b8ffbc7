#!/usr/bin/env node
// The public download places and registries, on loopback, made from the test bed's programs.
//   public-places.mjs build                      lays out $TESTBED/public (and builds the images)
//   public-places.mjs serve [--port P] [--address A] [--tokens] [--redirects] [--flip PATH] [--cut PATH] [--unavailable PATH=N]
//
// Files: /dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubeadm and so on. Registries: /registry.k8s.io/v2/..., /v2/...?ns=registry.k8s.io, or plain
// /v2/... where only one registry has the name. A PATH is a request's path, or the end of one.
import {createHash} from 'node:crypto';
import {copyFileSync, createReadStream, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {dirname, join, normalize, sep} from 'node:path';
import {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {parseArgs} from 'node:util';
import {gzipSync} from 'node:zlib';
import {buildImages} from './images.mjs';
import {cache, isBuilt, kubernetesVersions, programs, versions} from './parts.mjs';
import {tar} from './tar.mjs';

const publicRoot = join(cache, 'public');
const imagesRoot = join(cache, 'images');
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

// ---- laying out ----------------------------------------------------------------------------------------------------------

/** Lays out the files; returns the folder. What is there and not older than its programs stays. */
export const buildPublicPlaces = (report = () => {}) => {
  buildImages(report);
  for (const version of kubernetesVersions()) {
    for (const name of ['kubeadm', 'kubelet', 'kubectl']) {
      place(`dl.k8s.io/release/${version}/bin/linux/amd64/${name}`, [join(programs('kubernetes', version), name)], path => link(join(programs('kubernetes', version), name), path), {'.sha256': hex => hex}, report);
    }
  }
  const archive = (url, folder, names, prefix, sums) => {
    const sources = names.map(name => join(folder, name));
    const entries = () => [...(prefix ? [{name: prefix}] : []), ...names.map((name, at) => ({name: prefix + name, content: readFileSync(sources[at])}))];
    place(url, sources, path => writeFileSync(path, gzipSync(tar(entries()), {level: 1})), sums, report);
  };
  const line = name => hex => `${hex}  ${name}\n`;
  const number = versions.containerd.slice(1);
  const containerd = `containerd-${number}-linux-amd64.tar.gz`;
  archive(`github.com/containerd/containerd/releases/download/${versions.containerd}/${containerd}`, programs('containerd', versions.containerd), ['containerd', 'containerd-shim-runc-v2', 'ctr'], 'bin/', {'.sha256sum': line(containerd)});
  const runc = join(programs('runc', versions.runc), 'runc');
  const runcFolder = `github.com/opencontainers/runc/releases/download/${versions.runc}`;
  place(`${runcFolder}/runc.amd64`, [runc], path => link(runc, path), {}, report);
  atomically(join(publicRoot, runcFolder, 'runc.sha256sum'), runcSums(sha256(readFileSync(runc))));
  const plugins = `cni-plugins-linux-amd64-${versions.cniPlugins}.tgz`;
  const pluginsBin = programs('cni-plugins', versions.cniPlugins);
  archive(`github.com/containernetworking/plugins/releases/download/${versions.cniPlugins}/${plugins}`, pluginsBin, readdirSync(pluginsBin).filter(name => !name.includes('.')).toSorted(), './', {'.sha256': line(plugins)});
  const crictl = `crictl-${versions.crictl}-linux-amd64.tar.gz`;
  archive(`github.com/kubernetes-sigs/cri-tools/releases/download/${versions.crictl}/${crictl}`, programs('crictl', versions.crictl), ['crictl'], '', {'.sha256': hex => `${hex}\n`});
  const helm = `helm-${versions.helm}-linux-amd64.tar.gz`;
  if (isBuilt('helm', versions.helm, 'helm')) archive(`get.helm.sh/${helm}`, programs('helm', versions.helm), ['helm'], 'linux-amd64/', {'.sha256sum': line(helm)});
  const manifest = readFileSync(join(import.meta.dirname, 'flannel/kube-flannel.yaml'));
  atomically(join(publicRoot, `github.com/flannel-io/flannel/releases/download/${versions.flannel}/kube-flannel.yml`), manifest);
  return publicRoot;
};

/** Like runc's own: several architectures' lines in a clear-signed text. The signature is none: it only has the shape of one. */
const runcSums = hex =>
  ['-----BEGIN PGP SIGNED MESSAGE-----', 'Hash: SHA512', '', `${hex}  runc.amd64`, ...['arm64', 'armel', 'ppc64le', 'riscv64', 's390x'].map(name => `${sha256(name)}  runc.${name}`),
    `${sha256('source')}  runc-${versions.runc.slice(1)}.tar.xz`, '-----BEGIN PGP SIGNATURE-----', '', Buffer.from('the test bed signs nothing').toString('base64'), '-----END PGP SIGNATURE-----', ''].join('\n');

const link = (from, to) => {
  rmSync(to, {force: true});
  try { linkSync(from, to); } catch { copyFileSync(from, to); }
};
const atomically = (path, content) => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
};
const place = (url, sources, write, sums, report) => {
  const path = join(publicRoot, url);
  const newest = Math.max(...sources.map(source => statSync(source).mtimeMs));
  const all = [path, ...Object.keys(sums).map(suffix => path + suffix)];
  if (all.every(file => existsSync(file) && statSync(file).mtimeMs >= newest)) return;
  mkdirSync(dirname(path), {recursive: true});
  write(`${path}.part`);
  renameSync(`${path}.part`, path);
  const hex = sha256(readFileSync(path));
  for (const [suffix, text] of Object.entries(sums)) atomically(path + suffix, text(hex));
  report(`${url}: laid out`);
};

// ---- serving -------------------------------------------------------------------------------------------------------------

const manifestTypes = /^application\/vnd\.(oci\.image|docker\.distribution)\.(index|manifest)(\.list)?\.v\d\+json$/;

/** Every image layout below a folder: {registry, name, tag, folder, top, blobs: Map(digest -> {path, type, size})}. */
const readImages = root => {
  const images = [];
  const visit = (folder, segments) => {
    if (existsSync(join(folder, 'index.json'))) {
      const top = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).manifests[0];
      const blobs = new Map();
      const blob = ({digest, mediaType, size}) => {
        const path = join(folder, 'blobs/sha256', digest.slice(7));
        blobs.set(digest, {path, size, type: mediaType});
        if (!manifestTypes.test(mediaType)) return;
        const {manifests = [], layers = [], config} = JSON.parse(readFileSync(path, 'utf8'));
        for (const child of [...manifests, ...layers, ...(config ? [config] : [])]) blob(child);
      };
      blob(top);
      images.push({registry: segments[0], name: segments.slice(1, -1).join('/'), tag: segments.at(-1), folder, top: top.digest, blobs});
      return;
    }
    for (const entry of readdirSync(folder, {withFileTypes: true})) if (entry.isDirectory() && !entry.name.endsWith('.part')) visit(join(folder, entry.name), [...segments, entry.name]);
  };
  if (existsSync(root)) visit(root, []);
  return images;
};

/**
 * Serves files and registries over HTTP; see the .d.mts beside for the options. Everything but `close` may be used while requests run.
 * `misbehave` rules are looked up per request: the first whose `path` is the request's path or its end.
 */
export const servePublicPlaces = async ({port = 0, address = '127.0.0.1', files = publicRoot, images: imageRoots = imagesRoot, tokens = [], redirects = false, misbehave = []} = {}) => {
  const images = [imageRoots].flat().flatMap(readImages);
  const registries = new Set(images.map(({registry}) => registry));
  const rules = misbehave.map(rule => ({...rule}));
  const requests = [];
  const token = sha256(`${process.pid} ${performance.now()}`);

  const fail = (response, status, code, headers = {}) => {
    response.writeHead(status, {'content-type': 'application/json', ...headers});
    response.end(JSON.stringify({errors: [{code, message: code.toLowerCase().replaceAll('_', ' ')}]}));
  };

  /** Sends a file or a part of it, wrong in the ways that the rule says. */
  const send = async (request, response, {path, size, headers}, rule) => {
    let start = 0;
    let end = size - 1;
    let status = 200;
    const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '');
    if (range && (range[1] || range[2])) {
      if (range[1]) { start = Number(range[1]); if (range[2]) end = Math.min(end, Number(range[2])); } else start = Math.max(0, size - Number(range[2]));
      if (start > end) return fail(response, 416, 'RANGE_INVALID', {'content-range': `bytes */${size}`});
      status = 206;
    }
    response.writeHead(status, {'content-length': end - start + 1, 'accept-ranges': 'bytes', ...(status === 206 && {'content-range': `bytes ${start}-${end}/${size}`}), ...headers});
    if (request.method === 'HEAD' || size === 0) return response.end();
    if (rule?.times !== undefined) rule.times -= 1;
    const flipAt = rule?.kind === 'flip' ? Math.min(rule.at ?? Math.floor(size / 2), size - 1) : -1;
    const cutAt = rule?.kind === 'cut' ? Math.min(rule.at ?? Math.floor(size / 2), size - 1) : Infinity;
    let at = start;
    const wrong = new Transform({
      transform(chunk, _encoding, done) {
        let bytes = chunk;
        if (flipAt >= at && flipAt < at + bytes.length) { bytes = Buffer.from(bytes); bytes[flipAt - at] ^= 1; }
        if (at + bytes.length > cutAt) { this.push(bytes.subarray(0, Math.max(0, cutAt - at))); at = cutAt; setImmediate(() => response.socket?.destroySoon()); return; }
        at += bytes.length;
        done(null, bytes);
      },
    });
    await pipeline(createReadStream(path, {start, end}), wrong, response).catch(() => response.destroy());
  };

  const registry = (host, rest, search, request, response, rule) => {
    const origin = `http://${request.headers.host}`;
    const ns = host ?? search.get('ns') ?? undefined;
    const match = /^(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(rest);
    const name = match?.[1];
    const found = images.filter(image => image.name === name && (ns === undefined || image.registry === ns));
    const owner = ns ?? found[0]?.registry;
    if (tokens.includes(owner) && request.headers.authorization !== `Bearer ${token}`) {
      return fail(response, 401, 'UNAUTHORIZED', {'www-authenticate': `Bearer realm="${origin}/token",service="${owner}",scope="repository:${name ?? ''}:pull"`});
    }
    if (rest === '') { response.writeHead(200, {'content-type': 'application/json', 'docker-distribution-api-version': 'registry/2.0'}); return response.end('{}'); }
    if (!match || found.length === 0 || new Set(found.map(image => image.registry)).size > 1) return fail(response, 404, 'NAME_UNKNOWN');
    const [, , kind, reference] = match;
    if (kind === 'tags') { response.writeHead(200, {'content-type': 'application/json'}); return response.end(JSON.stringify({name, tags: found.map(image => image.tag).toSorted()})); }
    const digest = kind === 'manifests' ? (found.find(image => image.tag === reference)?.top ?? reference) : reference;
    const blob = found.map(image => image.blobs.get(digest)).find(Boolean);
    if (!blob || (kind === 'manifests') !== manifestTypes.test(blob.type)) return fail(response, 404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN');
    if (kind === 'blobs' && redirects && !search.has('stored')) {
      response.writeHead(307, {location: `${origin}/${owner}/v2/${rest}?stored=1`});
      return response.end();
    }
    return send(request, response, {...blob, headers: {'content-type': kind === 'manifests' ? blob.type : 'application/octet-stream', 'docker-content-digest': digest, etag: `"${digest}"`}}, rule);
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const path = decodeURIComponent(url.pathname);
    requests.push({method: request.method, path, range: request.headers.range});
    if (request.method !== 'GET' && request.method !== 'HEAD') return fail(response, 405, 'UNSUPPORTED');
    const rule = rules.find(({path: end, times}) => path.endsWith(end) && times !== 0);
    if (rule?.kind === 'unavailable') {
      if (rule.times !== undefined) rule.times -= 1;
      return fail(response, rule.status ?? 503, 'UNAVAILABLE', {'retry-after': '1'});
    }
    if (path === '/token') { response.writeHead(200, {'content-type': 'application/json'}); return response.end(JSON.stringify({token, expires_in: 300})); }
    const api = /^(?:\/([^/]+))?\/v2(?:\/(.*))?$/.exec(path);
    if (api && (api[1] === undefined || registries.has(api[1]))) return void registry(api[1], api[2] ?? '', url.searchParams, request, response, rule);
    const stored = path.startsWith('/stored/');
    const file = normalize(join(files, stored ? path.slice('/stored'.length) : path));
    const stat = file.startsWith(files + sep) ? statSync(file, {throwIfNoEntry: false}) : undefined;
    if (!stat?.isFile() || file.endsWith('.part')) return fail(response, 404, 'NOT_FOUND');
    if (redirects && !stored) { response.writeHead(302, {location: `http://${request.headers.host}/stored${url.pathname}`}); return response.end(); }
    void send(request, response, {path: file, size: stat.size, headers: {'content-type': 'application/octet-stream', 'last-modified': stat.mtime.toUTCString()}}, rule);
  });
  await new Promise((resolve, reject) => { server.once('error', reject); server.listen(port, address, resolve); });
  return {
    port: server.address().port,
    url: `http://${address.includes(':') ? `[${address}]` : address}:${server.address().port}`,
    images: images.map(image => `${image.registry}/${image.name}:${image.tag}`),
    requests,
    misbehave: rule => { rules.unshift({...rule}); },
    behave: () => { rules.length = 0; },
    close: () => new Promise(resolve => { server.close(() => resolve()); server.closeAllConnections(); }),
  };
};

if (process.argv[1] === import.meta.filename) {
  const [verb, ...args] = process.argv.slice(2);
  if (verb === 'build') console.log(buildPublicPlaces(console.log));
  else if (verb === 'serve') {
    const list = {type: 'string', multiple: true, default: []};
    const {values} = parseArgs({args, options: {port: {type: 'string', default: '5080'}, address: {type: 'string', default: '127.0.0.1'}, tokens: {type: 'boolean'}, redirects: {type: 'boolean'}, flip: list, cut: list, unavailable: list}});
    const misbehave = [
      ...values.flip.map(path => ({kind: 'flip', path})),
      ...values.cut.map(path => ({kind: 'cut', path})),
      ...values.unavailable.map(text => ({kind: 'unavailable', path: text.replace(/=\d+$/, ''), times: Number(/=(\d+)$/.exec(text)?.[1] ?? 1)})),
    ];
    const served = await servePublicPlaces({port: Number(values.port), address: values.address, tokens: values.tokens ? ['ghcr.io'] : [], redirects: values.redirects ?? false, misbehave});
    console.log(`${served.url} serves ${publicRoot} and ${served.images.length} images`);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void served.close().then(() => process.exit(0)));
  } else {
    console.error('usage: public-places.mjs build | serve [--port P] [--address A] [--tokens] [--redirects] [--flip PATH] [--cut PATH] [--unavailable PATH=N]');
    process.exitCode = 2;
  }
}
