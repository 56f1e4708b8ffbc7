// Who still uses APIs that the next version doesn't serve any more: the API servers count requests for deprecated ones, and objects remember by which
// version of the API each of their managers wrote them.
import type {KubernetesAnswer} from './protocol.ts';
import type {HostClusterScope} from './scope.ts';
import {parseVersion} from '../spec/versions.ts';
import {listAt, textAt} from '../kube/object.ts';
import type {Warning} from '../plan/plan.ts';

export interface RemovedApi {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** The minor version that doesn't serve it any more: `1.36`. */
  readonly removedIn: string;
  /** Objects that somebody last wrote by it, and who: `default/web (kubectl)`. */
  readonly objects: readonly string[];
}

const metric = 'apiserver_requested_deprecated_apis{';
/** How many objects of a kind are looked through. */
const looked = 500;

/** What was asked for since the API servers started and is gone in `to`; only reads. */
export async function findRemovedApis(
  scope: Pick<HostClusterScope, 'link'>,
  options: {readonly controlPlanes: readonly string[]; readonly to: string; readonly signal: AbortSignal},
): Promise<readonly RemovedApi[]> {
  const {controlPlanes, to, signal} = options;
  const ask = async (host: string, path: string, more: {readonly own?: boolean; readonly lines?: string; readonly accept?: string} = {}) => {
    const {accept, ...rest} = more;
    return (await scope.link(host)).kubernetes({method: 'GET', path, ...rest, ...(accept === undefined ? {} : {headers: {accept}})}, {signal});
  };
  const answers = await Promise.all(controlPlanes.map((host) => ask(host, '/metrics', {own: true, lines: metric, accept: 'text/plain'})));
  const asked = answers.flatMap((answer) => (answer.status === 200 ? requestedApis(answer.text) : []));
  const gone = asked.filter((one) => isGone(one.removedIn, to));
  const unique = [...new Map(gone.map((one) => [`${one.group}/${one.version}/${one.resource}`, one])).values()];
  const [host] = controlPlanes;
  if (host === undefined) return [];
  return Promise.all(unique.map(async (one) => ({...one, objects: await objectsOf(one, (path, accept) => ask(host, path, {accept}))})));
}

/** The metric's lines as data. */
export function requestedApis(text: string): readonly Omit<RemovedApi, 'objects'>[] {
  return text.split('\n').flatMap((line) => {
    const labels = /^apiserver_requested_deprecated_apis\{([^}]*)\} 1(?:\.0*)?(?:e\+00)?$/.exec(line.trim())?.[1];
    if (labels === undefined) return [];
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    const removedIn = label('removed_release');
    return removedIn === '' ? [] : [{group: label('group'), version: label('version'), resource: label('resource'), removedIn}];
  });
}

function isGone(removedIn: string, to: string): boolean {
  const [major = 0, minor = 0] = removedIn.split('.').map(Number);
  const target = parseVersion(to);
  return target !== undefined && (major < target.major || (major === target.major && minor <= target.minor));
}

/** By the preferred version: asking by the old one would count as its use. */
async function objectsOf(
  {group, version, resource}: Omit<RemovedApi, 'objects'>,
  ask: (path: string, accept: string) => Promise<KubernetesAnswer>,
): Promise<readonly string[]> {
  const root = group === '' ? '/api' : `/apis/${group}`;
  const preferred = group === '' ? 'v1' : textAt(bodyOf(await ask(root, 'application/json')), 'preferredVersion', 'version');
  if (preferred === undefined || preferred === version) return [];
  const list = await ask(`${root}/${preferred}/${resource}?limit=${looked}`, 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
  const old = group === '' ? version : `${group}/${version}`;
  return listAt(bodyOf(list), 'items').flatMap((item) => {
    const managers = listAt(item, 'metadata', 'managedFields').filter((field) => textAt(field, 'apiVersion') === old);
    if (managers.length === 0) return [];
    const namespace = textAt(item, 'metadata', 'namespace');
    const who = [...new Set(managers.map((field) => textAt(field, 'manager') ?? 'somebody'))].join(', ');
    return [`${namespace === undefined ? '' : `${namespace}/`}${textAt(item, 'metadata', 'name') ?? ''} (${who})`];
  });
}

function bodyOf(answer: KubernetesAnswer): unknown {
  if (answer.status !== 200) return undefined;
  try {
    return JSON.parse(answer.text) as unknown;
  } catch {
    return undefined;
  }
}

/** Objects named before the rest is counted. */
const named = 8;

/** A warning for each. */
export function removedApiWarnings(apis: readonly RemovedApi[], to: string): readonly Warning[] {
  return apis.map(({group, version, resource, removedIn, objects}): Warning => {
    const rest = objects.length > named ? ` and ${objects.length - named} more` : '';
    const which =
      objects.length === 0
        ? 'No object says who wrote it by that version; clients asked for it.'
        : `Written by it: ${objects.slice(0, named).join(', ')}${rest}.`;
    return {
      code: 'api.removed',
      message: `${resource} of ${group === '' ? version : `${group}/${version}`} were asked for, and v${removedIn} and so ${to} doesn't serve them any more. ${which}`,
      hints: ['Bring those clients and manifests to a newer version of the API first. The API server counts since its last start.'],
    };
  });
}
