// Image references as people write them, and in full.
import {TriremeError} from '../kernel/errors.ts';

export interface ImageReference {
  /** Host, with a port where one is written: `registry.k8s.io`, `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:HEX`; it wins over the tag. */
  readonly digest?: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);

/** Reads `nginx`, `ghcr.io/o/r:tag`, `host:5000/r@sha256:...` with the defaults that container runtimes have; throws `usage.invalid`. */
export function parseReference(text: string): ImageReference {
  const bad = (why: string) =>
    new TriremeError('usage.invalid', `"${text}" isn't an image reference: ${why}.`, {
      hints: ['Write it as REGISTRY/REPOSITORY:TAG, for example registry.k8s.io/pause:3.10.2.'],
    });
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) throw bad('the part after @ must be sha256: and 64 hexadecimal digits');
  let rest = at === -1 ? text : text.slice(0, at);
  const tag = /:([A-Za-z0-9_][A-Za-z0-9._-]{0,127})$/.exec(rest)?.[1];
  // a port's colon is followed by a slash, so it's never taken for a tag's
  if (tag !== undefined) rest = rest.slice(0, -tag.length - 1);
  const slash = rest.indexOf('/');
  const first = slash === -1 ? '' : rest.slice(0, slash);
  const named = first !== '' && (first.includes('.') || first.includes(':') || first === 'localhost');
  const registry = named ? first : 'docker.io';
  let repository = named ? rest.slice(slash + 1) : rest;
  if (!named && slash === -1) repository = `library/${repository}`;
  if (!repositoryPattern.test(repository)) throw bad(repository === '' ? 'the repository is missing' : `"${repository}" isn't a repository's name`);
  const normalRegistry = registry === 'index.docker.io' ? 'docker.io' : registry;
  if (digest !== undefined) return {registry: normalRegistry, repository, ...(tag === undefined ? {} : {tag}), digest};
  return {registry: normalRegistry, repository, tag: tag ?? 'latest'};
}

/** The reference in full, as container runtimes name images: with a digest the tag is dropped. */
export function formatReference(reference: ImageReference): string {
  const base = `${reference.registry}/${reference.repository}`;
  return reference.digest === undefined ? `${base}:${reference.tag ?? 'latest'}` : `${base}@${reference.digest}`;
}

/** The same image always under the same name: `nginx` becomes `docker.io/library/nginx:latest`. */
export function normalizeReference(text: string): string {
  return formatReference(parseReference(text));
}
