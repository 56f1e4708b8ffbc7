// Which programs the test bed has, at which versions, and where they lie in the cache.
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {basename, join} from 'node:path';

const here = import.meta.dirname;

export const cache = process.env.TESTBED ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'trireme-testbed');
export const defaultKubernetes = 'v1.36.3';

/** The version of `module` that `go/<folder>/go.mod` pins, such as `v2.4.2`. */
const pinned = (folder, module) => {
  const line = readFileSync(join(here, 'go', folder, 'go.mod'), 'utf8').match(new RegExp(`^(?:require)?\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm'));
  if (!line) throw new Error(`go/${folder}/go.mod doesn't require ${module}`);
  return line[1];
};

export const versions = {
  containerd: pinned('containerd', 'github.com/containerd/containerd/v2'),
  runc: pinned('runc', 'github.com/opencontainers/runc'),
  cniPlugins: pinned('cni-plugins', 'github.com/containernetworking/plugins'),
  crictl: pinned('crictl', 'sigs.k8s.io/cri-tools'),
  etcd: pinned('etcd', 'go.etcd.io/etcd/server/v3'),
  coredns: pinned('coredns', 'github.com/coredns/coredns'),
  flannel: pinned('flannel', 'github.com/flannel-io/flannel'),
  flannelCniPlugin: pinned('flannel-cni-plugin', 'github.com/containernetworking/plugins'),
  kubeVip: pinned('kube-vip', 'github.com/kube-vip/kube-vip'),
  clusterApi: pinned('cluster-api', 'sigs.k8s.io/cluster-api'),
  certManager: pinned('cert-manager', 'github.com/cert-manager/cert-manager'),
  helm: pinned('helm', 'helm.sh/helm/v4'),
  registry: pinned('registry', 'github.com/distribution/distribution/v3'),
};

/** The tag that flannel v0.28.10's own manifest gives its CNI plugin's image. */
export const flannelCniPluginTag = 'v1.9.1-flannel3';

/** The images of Cluster API's managers, by program, as the releases' components name them. */
export const managerImages = {
  'core-manager': `registry.k8s.io/cluster-api/cluster-api-controller:${versions.clusterApi}`,
  'bootstrap-manager': `registry.k8s.io/cluster-api/kubeadm-bootstrap-controller:${versions.clusterApi}`,
  'control-plane-manager': `registry.k8s.io/cluster-api/kubeadm-control-plane-controller:${versions.clusterApi}`,
  'in-memory-manager': `gcr.io/k8s-staging-cluster-api/capd-manager:${versions.clusterApi}`,
};

/** The images that cert-manager's chart names, by program. */
export const certManagerImages = Object.fromEntries(['controller', 'webhook', 'cainjector'].map(program => [program, `quay.io/jetstack/cert-manager-${program}:${versions.certManager}`]));

/** Is a part built, with this program? */
export const isBuilt = (part, version, program) => existsSync(join(cache, 'bin', part, version, program));

/** The folder of a part's programs; throws with the command to run when it isn't built. */
export const programs = (part, version) => {
  const folder = join(cache, 'bin', part, version);
  if (!existsSync(folder)) throw new Error(`${part} ${version} isn't built. Try: test/testbed/build.sh`);
  return folder;
};

/** Where the sources of a module lie that `go/<folder>/go.mod` requires: with a provider's come its CRDs, templates and webhooks. Downloaded when missing. */
export const moduleFolder = (folder, module) => JSON.parse(execFileSync('go', ['mod', 'download', '-json', module], {cwd: join(here, 'go', folder), encoding: 'utf8', env: {...process.env, GOFLAGS: '-mod=readonly'}})).Dir;

/** The Kubernetes versions that are built. */
export const kubernetesVersions = () =>
  ['v1.35.4', defaultKubernetes].filter(version => existsSync(join(cache, 'bin', 'kubernetes', version, 'kubectl')));

/** The images that this version's kubeadm asks for, by their last path segment: `etcd` -> `registry.k8s.io/etcd:3.6.8-0`. */
export const kubeadmImages = version => {
  const list = execFileSync(join(programs('kubernetes', version), 'kubeadm'), ['config', 'images', 'list', `--kubernetes-version=${version}`], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
  return new Map(list.trim().split('\n').map(reference => [basename(reference).split(':')[0], reference]));
};
