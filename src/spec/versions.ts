// Versions of Kubernetes: order, which are supported, and which steps are allowed. Pure.
// The rules are those of https://kubernetes.io/releases/version-skew-policy/ and of `kubeadm upgrade`.

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** After a dash: `rc.1`; empty for a release. */
  readonly preRelease: string;
}

/** Minors that this release of Trireme sets up with kubeadm, lowest first. */
export const supportedMinors = ['v1.34', 'v1.35', 'v1.36'] as const;

/** Reads `v1.36.3`, `1.36.3` or `v1.36.3-rc.1`; undefined for anything else. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  if (match === null) return undefined;
  return {major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), preRelease: match[4] ?? ''};
}

/** Below zero when `a` is older; a pre-release is older than its release. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePreRelease(a.preRelease, b.preRelease);
}

function comparePreRelease(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const left = a.split('.');
  const right = b.split('.');
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const one = left[index];
    const other = right[index];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const numbers = /^\d+$/.test(one) && /^\d+$/.test(other);
    const order = numbers ? Number(one) - Number(other) : one < other ? -1 : one > other ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

/** `v1.36`. */
export function minorOf(version: Version): string {
  return `v${version.major}.${version.minor}`;
}

export function isSupported(version: Version): boolean {
  return supportedMinors.some((minor) => minor === minorOf(version));
}

/** What a new file asks for. */
export const newestVersion = 'v1.36.3';

export interface SkewProblem {
  readonly rule: 'version.downgrade' | 'version.minor-skipped' | 'version.kubelet-newer' | 'version.kubelet-too-old' | 'version.major';
  readonly message: string;
}

/** Whether a control plane may go from one version to another: no downgrade, no minor skipped. */
export function upgradeProblem(from: string, to: string): SkewProblem | undefined {
  const a = required(from);
  const b = required(to);
  if (a.major !== b.major) return {rule: 'version.major', message: `From ${from} to ${to} the major version changes; there is no way between them.`};
  if (compareVersions(b, a) < 0) return {rule: 'version.downgrade', message: `${to} is older than the ${from} that runs; Kubernetes can't go back.`};
  if (b.minor > a.minor + 1)
    return {rule: 'version.minor-skipped', message: `From ${from} to ${to} a minor version is skipped; go to v${a.major}.${a.minor + 1} first.`};
  return undefined;
}

/** Whether a kubelet may run with an API server: not newer, at most three minors older. */
export function kubeletProblem(kubelet: string, apiServer: string): SkewProblem | undefined {
  const node = required(kubelet);
  const server = required(apiServer);
  if (node.major !== server.major)
    return {rule: 'version.major', message: `A kubelet ${kubelet} and an API server ${apiServer} have different major versions.`};
  if (node.minor > server.minor) return {rule: 'version.kubelet-newer', message: `The kubelet ${kubelet} is newer than the API server ${apiServer}.`};
  if (server.minor - node.minor > 3)
    return {rule: 'version.kubelet-too-old', message: `The kubelet ${kubelet} is more than three minor versions older than the API server ${apiServer}.`};
  return undefined;
}

function required(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new RangeError(`${text} is no version; check it with parseVersion first`);
  return version;
}
