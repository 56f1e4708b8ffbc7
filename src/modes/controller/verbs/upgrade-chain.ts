// Which versions an upgrade goes through. Pure; the same choice as Cluster API makes (v1.14, exp/topology/desiredstate/upgrade_plan.go).
import {listAt, textAt, type KubeObject} from '../../../kube/object.ts';
import {compareVersions, minorOf, parseVersion, type SkewProblem, type Version} from '../../../spec/versions.ts';
import {refuse} from './verb-plan.ts';

export interface ChainQuestion {
  readonly from: string;
  readonly to: string;
  /** Set when minors are skipped between the two. */
  readonly skipped: SkewProblem | undefined;
  readonly clusterClass?: KubeObject;
  readonly hasTopology: boolean;
}

/**
 * The versions on the way, `to` last. Minors are skipped only where the class lists the versions between (then they are gone through) or an
 * extension plans the way. Throws `plan.refused`.
 */
export function upgradeChain({from, to, skipped, clusterClass, hasTopology}: ChainQuestion): readonly string[] {
  const listed = listAt(clusterClass, 'spec', 'kubernetesVersions').filter((one): one is string => typeof one === 'string');
  const name = clusterClass?.metadata.name ?? '';
  if (listed.length > 0 && !listed.includes(to))
    throw refuse(`The class ${name} doesn't allow ${to}; it allows ${listed.join(', ')}.`, [], {rule: 'version.not-in-class', allowed: listed});
  if (skipped === undefined) return [to];
  if (textAt(clusterClass, 'spec', 'upgrade', 'external', 'generateUpgradePlanExtension') !== undefined) return [to];
  if (listed.length === 0)
    throw refuse(
      skipped.message,
      hasTopology ? [`Several minors in one go need a class that lists its versions (spec.kubernetesVersions${name === '' ? '' : ` of ${name}`}).`] : [],
      {rule: skipped.rule},
    );
  const chain = newestOfEachMinor(listed, from, to);
  const gap = gapIn([from, ...chain]);
  if (gap !== undefined)
    throw refuse(`From ${from} to ${to} the class ${name} lists no version of ${gap}, and no minor can be skipped.`, [], {rule: skipped.rule});
  return chain;
}

function newestOfEachMinor(listed: readonly string[], from: string, to: string): readonly string[] {
  const start = parseVersion(from);
  const end = parseVersion(to);
  if (start === undefined || end === undefined) return [to];
  const between = listed
    .flatMap((text) => {
      const version = parseVersion(text);
      return version !== undefined && compareVersions(version, start) > 0 && compareVersions(version, end) <= 0 ? [{text, version}] : [];
    })
    .toSorted((a, b) => compareVersions(a.version, b.version));
  const byMinor = new Map<string, {readonly text: string; readonly version: Version}>();
  // patches of the minor that runs are gone past: the way starts with the next one
  for (const one of between) if (minorOf(one.version) !== minorOf(start) || minorOf(start) === minorOf(end)) byMinor.set(minorOf(one.version), one);
  return [...byMinor.values()].map((one) => one.text);
}

function gapIn(texts: readonly string[]): string | undefined {
  const versions = texts.flatMap((text) => parseVersion(text) ?? []);
  for (const [index, version] of versions.entries()) {
    const next = versions[index + 1];
    if (next !== undefined && next.minor > version.minor + 1) return `v${version.major}.${version.minor + 1}`;
  }
  return undefined;
}
