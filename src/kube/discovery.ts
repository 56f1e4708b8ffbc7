// Which kinds the API serves. One request for each group and version that somebody asks for, kept.
import {TriremeError} from '../kernel/errors.ts';
import type {Resource} from './api.ts';
import {groupOf, listAt, textAt, valueAt, versionOf} from './object.ts';
import {groupVersionPath} from './paths.ts';
import type {Rest} from './rest.ts';

export class Discovery {
  readonly #rest: Rest;
  readonly #known = new Map<string, Promise<readonly Resource[]>>();

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  /** Throws `api.kind-unknown`. A kind that isn't there is asked for again: its CRD may have been installed since. */
  async resource({apiVersion, kind}: {readonly apiVersion: string; readonly kind: string}): Promise<Resource> {
    const kept = this.#known.get(apiVersion);
    const before = kept === undefined ? undefined : (await kept).find((one) => one.kind === kind);
    if (before !== undefined) return before;
    const found = (await this.#load(apiVersion)).find((one) => one.kind === kind);
    if (found !== undefined) return found;
    throw new TriremeError('api.kind-unknown', `${this.#rest.server} serves no ${kind} of ${apiVersion}.`, {
      hints: [
        'Is its provider installed? trireme provider list',
        `See what's served: kubectl api-resources${groupOf(apiVersion) === '' ? '' : ` --api-group ${groupOf(apiVersion)}`}`,
      ],
      details: {server: this.#rest.server, apiVersion, kind},
    });
  }

  #load(apiVersion: string): Promise<readonly Resource[]> {
    const loading = this.#fetch(apiVersion);
    this.#known.set(apiVersion, loading);
    // a failure isn't kept
    loading.catch(() => {
      if (this.#known.get(apiVersion) === loading) this.#known.delete(apiVersion);
    });
    return loading;
  }

  async #fetch(apiVersion: string): Promise<readonly Resource[]> {
    const group = groupOf(apiVersion);
    const version = versionOf(apiVersion);
    const path = groupVersionPath(group, version);
    const {status, body} = await this.#rest.json<unknown>({method: 'GET', path, subject: {verb: 'get', resource: path}, repeat: 'repeatable'}, [404]);
    if (status === 404) return [];
    return listAt(body, 'resources').flatMap((entry) => {
      const plural = textAt(entry, 'name') ?? '';
      const kind = textAt(entry, 'kind');
      // subresources stand in the same list: machines/status
      return kind === undefined || plural.includes('/') ? [] : [{group, version, plural, kind, namespaced: valueAt(entry, 'namespaced') === true}];
    });
  }
}
