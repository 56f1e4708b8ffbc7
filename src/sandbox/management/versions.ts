// Kubernetes versions as the rules compare them: pre-releases don't count.
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Without the `v`. */
  readonly text: string;
}

const pattern = /^v?((\d+)\.(\d+)\.(\d+)(?:[-+][0-9A-Za-z.+-]+)?)$/;

export function parseVersion(text: string | undefined): Version | undefined {
  const match = pattern.exec(text ?? '');
  if (match === null) return undefined;
  const [, whole = '', major, minor, patch] = match;
  return {major: Number(major), minor: Number(minor), patch: Number(patch), text: whole};
}

export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** Whether `to` is at least two minor versions ahead of `from`. */
export const skipsMinor = (from: Version, to: Version) => compareVersions(to, {major: from.major, minor: from.minor + 2, patch: 0, text: ''}) >= 0;
