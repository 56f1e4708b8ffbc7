// Label and field selectors.
import type {KubeObject} from '../../kube/object.ts';
import {badRequest} from './failure.ts';

export type Matcher = (object: KubeObject) => boolean;

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k` as a question to an object. */
export function labelMatcher(selector: string | undefined): Matcher | undefined {
  if (selector === undefined || selector.trim() === '') return undefined;
  const requirements = splitOutsideBrackets(selector).map(requirementOf);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((matches) => matches(labels));
  };
}

type Labels = Readonly<Record<string, string>>;

function requirementOf(text: string): (labels: Labels) => boolean {
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((one) => one.trim()));
    return operator === 'in'
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const pair = /^\s*([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)\s*$/.exec(text);
  if (pair !== null) {
    const [, key = '', operator, value = ''] = pair;
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = /^\s*(!?)\s*([^\s=!()]+)\s*$/.exec(text);
  if (exists === null) throw badRequest(`unable to parse requirement: found '${text}'`);
  const [, not, key = ''] = exists;
  return not === '!' ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
}

function splitOutsideBrackets(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

/** Fields that some kinds can be selected by, besides their name and namespace. */
const selectable: Readonly<Record<string, readonly string[]>> = {
  Event: ['involvedObject.kind', 'involvedObject.name', 'involvedObject.namespace', 'involvedObject.uid', 'reason', 'type'],
  Pod: ['spec.nodeName', 'spec.schedulerName', 'status.phase', 'status.podIP'],
  Secret: ['type'],
};

export function fieldMatcher(selector: string | undefined, kind: string): Matcher | undefined {
  if (selector === undefined || selector.trim() === '') return undefined;
  const tests = selector.split(',').map((text) => {
    const [, field = '', operator, value = ''] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? [];
    if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${text}'`);
    if (field !== 'metadata.name' && field !== 'metadata.namespace' && selectable[kind]?.includes(field) !== true)
      throw badRequest(`field label not supported: ${field}`);
    const path = field.split('.');
    return (object: KubeObject) => (String(valueAt(object, path) ?? '') === value) !== (operator === '!=');
  });
  return (object) => tests.every((matches) => matches(object));
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object);
}

/** Both selectors as one; undefined when everything matches. */
export function matcherOf(query: URLSearchParams, kind: string): Matcher | undefined {
  const labels = labelMatcher(query.get('labelSelector') ?? undefined);
  const fields = fieldMatcher(query.get('fieldSelector') ?? undefined, kind);
  if (labels === undefined) return fields;
  return fields === undefined ? labels : (object) => labels(object) && fields(object);
}
