#!/usr/bin/env node
// Builds from the test bed's programs an OCI image layout for each image that kubeadm wants, for flannel's, for Cluster API's and cert-manager's, and for
// our own probe.
//   images.mjs [build]      for every Kubernetes version that is built      images.mjs list
// Result: $TESTBED/images/<registry>/<repository>/<tag>/{oci-layout,index.json,blobs/sha256/...}, about 15 s, nothing when all is there.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {cache, certManagerImages, flannelCniPluginTag, isBuilt, kubeadmImages, kubernetesVersions, managerImages, programs, versions} from './parts.mjs';
import {tar} from './tar.mjs';

const recipe = '2'; // raise it when what is written below changes
const root = join(cache, 'images');
const digestOf = bytes => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

// The real places serve both families of media types, so do we: etcd and pause come in Docker's.
const oci = {index: 'application/vnd.oci.image.index.v1+json', manifest: 'application/vnd.oci.image.manifest.v1+json', config: 'application/vnd.oci.image.config.v1+json', layer: 'application/vnd.oci.image.layer.v1.tar+gzip'};
const docker = {index: 'application/vnd.docker.distribution.manifest.list.v2+json', manifest: 'application/vnd.docker.distribution.manifest.v2+json', config: 'application/vnd.docker.container.image.v1+json', layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip'};

/** The root file system that kube-proxy and flannel need: nft, iptables, conntrack, ip, cp. Made once by mmdebstrap, without a shell run in it. */
const networkRoot = () => {
  const packages = 'nftables,iptables,conntrack,kmod,iproute2,coreutils';
  const path = join(cache, `image-root-${digestOf(`${recipe} ${packages}`).slice(7, 19)}.tar`);
  if (!existsSync(path)) {
    // what the packages' own scripts would link by update-alternatives
    const names = ['iptables', 'iptables-save', 'iptables-restore', 'ip6tables', 'ip6tables-save', 'ip6tables-restore'];
    const links = names.map(name => `--extract-hook=ln -sf xtables-nft-multi "$1/usr/sbin/${name}"`);
    execFileSync('mmdebstrap', ['--format=tar', '--variant=extract', '--skip=output/dev', `--include=${packages}`, ...links, '--extract-hook=rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/var/lib/apt "$1"/var/cache', 'bookworm', `${path}.part`], {stdio: ['ignore', 'ignore', 'pipe']});
    renameSync(`${path}.part`, path);
  }
  return path;
};

/** What to build: reference -> layers, each a tar on disk or a list of tar entries made from programs. */
const wanted = () => {
  const images = new Map();
  const program = (path, name) => ({name, from: path});
  for (const version of kubernetesVersions()) {
    const names = kubeadmImages(version);
    const bin = programs('kubernetes', version);
    for (const name of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) images.set(names.get(name), {layers: [[program(join(bin, name), `usr/local/bin/${name}`)]]});
    images.set(names.get('kube-proxy'), {base: true, layers: [[program(join(bin, 'kube-proxy'), 'usr/local/bin/kube-proxy')]]});
    const etcd = programs('etcd', versions.etcd);
    images.set(names.get('etcd'), {types: docker, layers: [['etcd', 'etcdctl', 'etcdutl'].map(name => program(join(etcd, name), `usr/local/bin/${name}`))]});
    images.set(names.get('coredns'), {entrypoint: ['/coredns'], layers: [[program(join(programs('coredns', versions.coredns), 'coredns'), 'coredns')]]});
    images.set(names.get('pause'), {types: docker, entrypoint: ['/pause'], layers: [[program(join(programs('programs', '1'), 'pause'), 'pause')]]});
  }
  const flannel = programs('flannel', versions.flannel);
  images.set(`ghcr.io/flannel-io/flannel:${versions.flannel}`, {base: true, entrypoint: ['/opt/bin/flanneld'], layers: [['flanneld', 'install-conf'].map(name => program(join(flannel, name), `opt/bin/${name}`))]});
  images.set(`ghcr.io/flannel-io/flannel-cni-plugin:${flannelCniPluginTag}`, {base: true, layers: [[program(join(programs('flannel-cni-plugin', versions.flannelCniPlugin), 'flannel'), 'flannel')]]});
  // as in its own image the program lies in the root, and nothing is beside it
  if (isBuilt('kube-vip', versions.kubeVip, 'kube-vip')) images.set(`ghcr.io/kube-vip/kube-vip:${versions.kubeVip}`, {entrypoint: ['/kube-vip'], layers: [[program(join(programs('kube-vip', versions.kubeVip), 'kube-vip'), 'kube-vip')]]});
  // where these are built: only the suites on providers need them. Their pods mustn't run as root, and some leave it to the image to say as whom instead
  for (const [name, reference] of Object.entries(managerImages)) {
    if (isBuilt('cluster-api', versions.clusterApi, name)) images.set(reference, {entrypoint: ['/manager'], ...(name !== 'in-memory-manager' && {user: '65532'}), layers: [[program(join(programs('cluster-api', versions.clusterApi), name), 'manager')]]});
  }
  for (const [name, reference] of Object.entries(certManagerImages)) {
    const path = `app/cmd/${name}/${name}`;
    if (isBuilt('cert-manager', versions.certManager, name)) images.set(reference, {entrypoint: [`/${path}`], user: '1000', layers: [[program(join(programs('cert-manager', versions.certManager), name), path)]]});
  }
  // not an index, as an image that was built for one platform only
  images.set('ghcr.io/trireme/testbed-probe:1', {single: true, entrypoint: ['/probe'], command: ['serve'], layers: [[program(join(programs('programs', '1'), 'probe'), 'probe')]]});
  // where it is built: only the suite on storage needs it
  if (isBuilt('programs', '1', 'provisioner')) images.set('ghcr.io/trireme/testbed-provisioner:1', {single: true, entrypoint: ['/provisioner'], layers: [[program(join(programs('programs', '1'), 'provisioner'), 'provisioner')]]});
  return images;
};

const folderOf = reference => {
  const colon = reference.lastIndexOf(':');
  return join(root, reference.slice(0, colon), reference.slice(colon + 1));
};

const keyOf = ({base, layers, types, entrypoint, command, single, user}) =>
  digestOf(JSON.stringify([recipe, base ? networkRoot() : '', types?.index, entrypoint, command, single, ...(user ? [user] : []), layers.flat().map(({name, from}) => [name, from, statSync(from).size, statSync(from).mtimeMs])]));

/** Writes one layout folder, whole or not at all. */
const build = (reference, image, key, shared) => {
  const folder = folderOf(reference);
  const part = `${folder}.part`;
  const types = image.types ?? oci;
  rmSync(part, {recursive: true, force: true});
  mkdirSync(join(part, 'blobs/sha256'), {recursive: true});
  const put = (bytes, mediaType) => {
    const digest = digestOf(bytes);
    writeFileSync(join(part, 'blobs/sha256', digest.slice(7)), bytes);
    return {mediaType, digest, size: bytes.length};
  };
  const json = value => Buffer.from(JSON.stringify(value));
  const layer = raw => ({diff: digestOf(raw), descriptor: put(gzipSync(raw, {level: 1}), types.layer)});
  const baseLayer = () => {
    // the same blob in several images: compressed once, hard-linked
    shared.base ??= (({diff, descriptor}) => ({diff, descriptor, path: join(folder, 'blobs/sha256', descriptor.digest.slice(7))}))(layer(readFileSync(networkRoot())));
    const path = join(part, 'blobs/sha256', shared.base.descriptor.digest.slice(7));
    if (!existsSync(path)) linkSync(shared.base.path, path);
    return shared.base;
  };
  const manifest = (architecture, layers) => {
    const config = {
      created: '1970-01-01T00:00:00Z', architecture, os: 'linux',
      config: {Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...(image.entrypoint && {Entrypoint: image.entrypoint}), ...(image.command && {Cmd: image.command}), ...(image.user && {User: image.user})},
      rootfs: {type: 'layers', diff_ids: layers.map(({diff}) => diff)},
    };
    return put(json({schemaVersion: 2, mediaType: types.manifest, config: put(json(config), types.config), layers: layers.map(({descriptor}) => descriptor)}), types.manifest);
  };
  const own = image.layers.map(files => {
    const folders = new Set(['tmp/']);
    for (const {name} of files) for (let up = dirname(name); up !== '.'; up = dirname(up)) folders.add(`${up}/`);
    const missing = image.base ? [] : [...folders].toSorted((a, b) => a.length - b.length).map(name => ({name, mode: name === 'tmp/' ? 0o1777 : 0o755}));
    return layer(tar([...missing, ...files.map(({name, from}) => ({name, content: readFileSync(from)}))]));
  });
  let top = manifest('amd64', [...(image.base ? [baseLayer()] : []), ...own]);
  if (!image.single) {
    // another platform comes first, so that who takes the first one gets nothing that runs
    const other = manifest('arm64', [layer(tar([{name: 'only-for-arm64', content: Buffer.from('nothing\n'), mode: 0o644}]))]);
    top = put(json({schemaVersion: 2, mediaType: types.index, manifests: [{...other, platform: {architecture: 'arm64', os: 'linux', variant: 'v8'}}, {...top, platform: {architecture: 'amd64', os: 'linux'}}]}), types.index);
  }
  const annotations = {'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1), 'dev.trireme.testbed.key': key};
  writeFileSync(join(part, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(part, 'index.json'), json({schemaVersion: 2, mediaType: oci.index, manifests: [{...top, annotations}]}));
  rmSync(folder, {recursive: true, force: true});
  renameSync(part, folder);
};

/** Builds what is missing or older than its programs; returns `reference -> layout folder` of all. */
export const buildImages = (report = () => {}) => {
  const built = new Map();
  const shared = {};
  for (const [reference, image] of wanted()) {
    const folder = folderOf(reference);
    const key = keyOf(image);
    const index = join(folder, 'index.json');
    const current = existsSync(index) && JSON.parse(readFileSync(index, 'utf8')).manifests[0].annotations['dev.trireme.testbed.key'] === key;
    if (!current) {
      const started = performance.now();
      build(reference, image, key, shared);
      report(`${reference}: built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }
    built.set(reference, folder);
  }
  return built;
};

if (process.argv[1] === import.meta.filename) {
  const verb = process.argv[2] ?? 'build';
  if (verb === 'build') buildImages(console.log);
  else if (verb === 'list') console.log([...wanted().keys()].join('\n'));
  else { console.error('usage: images.mjs [build | list]'); process.exitCode = 2; }
}
