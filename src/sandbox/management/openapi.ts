// As much of OpenAPI v3 as kubectl asks for before it writes: that every kind can be patched, and that the server validates fields by itself.
import {apiVersionOf, type KindRegistry} from './kinds.ts';

const prefixOf = ({group, version}: {readonly group: string; readonly version: string}) => (group === '' ? `api/${version}` : `apis/${group}/${version}`);

/** `/openapi/v3` and `/openapi/v3/apis/GROUP/VERSION`; undefined for any other path. */
export function openapiAnswer(path: readonly string[], kinds: KindRegistry): unknown {
  if (path[0] !== 'openapi' || path[1] !== 'v3') return undefined;
  const wanted = path.slice(2).join('/');
  if (wanted === '') {
    const prefixes = new Set(kinds.all.map(prefixOf));
    return {paths: Object.fromEntries([...prefixes].map((prefix) => [prefix, {serverRelativeURL: `/openapi/v3/${prefix}`}]))};
  }
  const served = kinds.all.filter((kind) => prefixOf(kind) === wanted);
  if (served.length === 0) return undefined;
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({name, in: 'query', schema: {type: 'string'}}));
  const paths = served.map((kind) => {
    const place = `/${wanted}/${kind.namespaced ? 'namespaces/{namespace}/' : ''}${kind.plural}/{name}`;
    const patch = {
      operationId: `patch${kind.kind}`,
      parameters,
      responses: {200: {description: 'OK'}},
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': {group: kind.group, version: kind.version, kind: kind.kind},
    };
    return [place, {patch}] as const;
  });
  return {
    openapi: '3.0.0',
    info: {title: `SIMULATED ${apiVersionOf(served[0] ?? {group: '', version: 'v1'})}`, version: 'v0'},
    paths: Object.fromEntries(paths),
  };
}
