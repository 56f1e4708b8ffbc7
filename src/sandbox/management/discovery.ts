// What the API says of itself: version, groups, resources.
import {noSuchPath} from './failure.ts';
import {apiVersionOf, type KindRegistry, type ServedKind} from './kinds.ts';

/** What it claims to be; clients see by the build metadata that it is not. */
export const gitVersion = 'v1.36.3+simulated';
/** On every answer: how clients know that nothing here is real, whatever version is claimed. */
export const simulatedHeader = 'trireme-simulated';

export const versionAnswer = {
  major: '1',
  minor: '36',
  gitVersion,
  gitCommit: '0000000000000000000000000000000000000000',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'simulated/simulated',
};

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

const reviews: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'authorization.k8s.io': [
    ['SelfSubjectAccessReview', 'selfsubjectaccessreviews'],
    ['SelfSubjectRulesReview', 'selfsubjectrulesreviews'],
  ],
  'authentication.k8s.io': [['SelfSubjectReview', 'selfsubjectreviews']],
};

function entriesOf(kind: ServedKind): readonly Readonly<Record<string, unknown>>[] {
  const main = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs,
    ...(kind.shortNames.length === 0 ? {} : {shortNames: kind.shortNames}),
    ...(kind.categories.length === 0 ? {} : {categories: kind.categories}),
    storageVersionHash: Buffer.from(`${kind.plural}.${kind.group}`).toString('base64').slice(0, 11).concat('='),
  };
  const below = {singularName: '', namespaced: kind.namespaced, verbs: ['get', 'patch', 'update']};
  return [
    main,
    ...(kind.hasStatus ? [{name: `${kind.plural}/status`, kind: kind.kind, ...below}] : []),
    ...(kind.scale === undefined ? [] : [{name: `${kind.plural}/scale`, group: 'autoscaling', version: 'v1', kind: 'Scale', ...below}]),
  ];
}

/** `/api`, `/apis`, `/api/v1`, `/apis/GROUP`, `/apis/GROUP/VERSION`; undefined for any other path. */
export function discoveryAnswer(path: readonly string[], kinds: KindRegistry): unknown {
  const [root, group, version] = path;
  if (root === 'api') {
    if (path.length === 1) return {kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: []};
    if (path.length === 2 && group === 'v1') return resourceList('', 'v1', kinds);
    return undefined;
  }
  if (root !== 'apis' || path.length > 3) return undefined;
  const groups = groupVersions(kinds);
  if (group === undefined) return {kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups].map(([name, versions]) => groupAnswer(name, versions))};
  const versions = groups.get(group);
  if (versions === undefined) throw noSuchPath();
  if (version === undefined) return {kind: 'APIGroup', apiVersion: 'v1', ...groupAnswer(group, versions)};
  if (!versions.includes(version)) throw noSuchPath();
  return resourceList(group, version, kinds);
}

function groupVersions(kinds: KindRegistry): Map<string, string[]> {
  const groups = new Map<string, string[]>(Object.keys(reviews).map((group) => [group, ['v1']]));
  for (const kind of kinds.all) {
    if (kind.group === '') continue;
    const versions = groups.get(kind.group) ?? [];
    if (!versions.includes(kind.version)) versions.push(kind.version);
    groups.set(kind.group, versions);
  }
  return groups;
}

function groupAnswer(name: string, versions: readonly string[]) {
  const named = versions.map((version) => ({groupVersion: `${name}/${version}`, version}));
  return {name, versions: named, preferredVersion: named[0]};
}

function resourceList(group: string, version: string, kinds: KindRegistry) {
  const resources = kinds.all.filter((kind) => kind.group === group && kind.version === version).flatMap(entriesOf);
  const asked = (reviews[group] ?? []).map(([kind, name]) => ({name, singularName: kind.toLowerCase(), namespaced: false, kind, verbs: ['create']}));
  return {kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({group, version}), resources: [...resources, ...asked]};
}
