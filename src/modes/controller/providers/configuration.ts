// clusterctl.yaml, read where clusterctl reads it: providers, image overrides, variables, cert-manager, overridesFolder.
import {stat} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import {isMap, isScalar} from 'yaml';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Complaint} from '../../../spec/complaint.ts';
import {refuseFiles} from '../../../spec/complaint.ts';
import {readSource, Source} from '../../../spec/source.ts';
import {locate, parseYaml, type Path, type YamlDocument} from '../../../spec/yaml-text.ts';
import {substitute, type Lookup} from '../templates/substitute.ts';
import {knownProviders} from './known.ts';
import {compareProviders, isSameProvider, type ProviderSource, type ProviderType, providerTypes} from './provider.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What takes the place of parts of an image's name. */
export interface ImageOverride {
  readonly repository?: string;
  readonly name?: string;
  readonly tag?: string;
}

export interface CertManagerSettings {
  readonly url: string;
  readonly version: string;
  /** In ms. */
  readonly timeout: number;
  /** Somebody else installs it: we only wait for it. */
  readonly external: boolean;
}

export interface Configuration {
  /** The file; absent when there is none. */
  readonly file?: string;
  /** Built-in ones and the file's, which go first. In the order in which providers are installed. */
  readonly providers: readonly ProviderSource[];
  /** By component (`all`, `cert-manager`, a provider's label) or component/image. */
  readonly images: Readonly<Record<string, ImageOverride>>;
  readonly certManager: CertManagerSettings;
  /** `FOLDER/LABEL/VERSION/FILE` is read before the repository's. */
  readonly overridesFolder: string;
  /** Values of `${VARIABLES}`: what was given by hand, then the environment, then the file. */
  readonly lookup: Lookup;
}

/** What clusterctl v1.14 installs. */
export const defaultCertManager = {
  version: 'v1.21.1',
  url: 'https://github.com/cert-manager/cert-manager/releases/v1.21.1/cert-manager.yaml',
  timeout: 600_000,
} as const;

export interface ConfigurationOptions {
  /** Of --config. */
  readonly file?: string;
  /** Values given by hand: they go first. */
  readonly values?: Readonly<Record<string, string>>;
  readonly env?: Environment;
}

/** Reads the configuration. Without a file there are the built-in providers and the environment. Throws `file.not-found`, `file.invalid`. */
export async function readConfiguration(options: ConfigurationOptions = {}): Promise<Configuration> {
  const env = options.env ?? process.env;
  const folders = configFolders(env);
  const file = options.file ?? (await firstFile(folders.map((folder) => join(folder, 'clusterctl.yaml'))));
  if (file === undefined) return configurationOf(undefined, options, env, folders);
  const read = await readSource(file, resolve(file));
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  return configurationOf(read.source, options, env, folders);
}

/** In clusterctl's order. */
function configFolders(env: Environment): readonly string[] {
  const home = env['HOME'] || homedir();
  return [join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'cluster-api'), join(home, '.cluster-api')];
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await stat(path).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function configurationOf(
  source: Source | undefined,
  options: ConfigurationOptions,
  env: Environment,
  folders: readonly string[],
): Promise<Configuration> {
  const complaints: Complaint[] = [];
  const yaml = source === undefined ? undefined : documentOf(source, complaints);
  const reader = new Reader(yaml, env, complaints);
  const own = reader.providers();
  const variables = reader.variables();
  const images = reader.images();
  const certManager = reader.certManager();
  const named = reader.text(['overridesFolder']) ?? env['OVERRIDESFOLDER'];
  if (complaints.length > 0) throw refuseFiles(complaints);
  const candidates = folders.map((folder) => join(folder, 'overrides'));
  const found = named ?? (await firstFolder(candidates)) ?? (candidates[0] as string);
  const values = options.values ?? {};
  return {
    ...(source === undefined ? {} : {file: source.file}),
    providers: [...own, ...knownProviders.filter((known) => !own.some((one) => isSameProvider(one, known)))].toSorted(compareProviders),
    images,
    certManager,
    overridesFolder: found,
    // viper's order and spelling: a key is looked up in capitals in the environment, and the file's keys know no case
    lookup: (name) => values[name] ?? env[name.toUpperCase().replaceAll('-', '_')] ?? variables.get(name.toLowerCase()),
  };
}

async function firstFolder(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return path;
  }
  return undefined;
}

function documentOf(source: Source, complaints: Complaint[]): YamlDocument | undefined {
  const {documents, complaints: found} = parseYaml(source);
  complaints.push(...found);
  const [first, second] = documents;
  if (second !== undefined) complaints.push(source.complain(locate(second, []), {rule: 'clusterctl.documents', message: 'clusterctl.yaml is one document.'}));
  if (first !== undefined && found.length === 0 && !isMap(first.document.contents)) {
    complaints.push(source.complain(locate(first, []), {rule: 'clusterctl.type', message: 'clusterctl.yaml is a map of settings and variables.'}));
    return undefined;
  }
  return first;
}

const settings = new Set(['providers', 'images', 'cert-manager', 'overridesfolder']);

/** Looks into the file, and complains with its positions. */
class Reader {
  readonly #yaml: YamlDocument | undefined;
  readonly #env: Environment;
  readonly #complaints: Complaint[];

  constructor(yaml: YamlDocument | undefined, env: Environment, complaints: Complaint[]) {
    this.#yaml = yaml;
    this.#env = env;
    this.#complaints = complaints;
  }

  providers(): readonly ProviderSource[] {
    const found: ProviderSource[] = [];
    for (const index of this.#items(['providers'])) {
      const path = ['providers', index];
      const [name, type] = [this.text([...path, 'name']), this.text([...path, 'type'])];
      const url = this.#url([...path, 'url']);
      if (name === undefined || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) this.#complain([...path, 'name'], 'A provider has a name in lower case.');
      else if (url === undefined || url === '') this.#complain([...path, 'url'], `The provider ${name} has no url.`);
      else if (!providerTypes.includes(type as ProviderType))
        this.#complain([...path, 'type'], `The type of ${name} is none that Cluster API knows.`, `There are ${providerTypes.join(', ')}.`);
      else if ((name === 'cluster-api') !== (type === 'CoreProvider'))
        this.#complain([...path, 'type'], 'cluster-api is the name of the core provider, and of no other.');
      else found.push({name, type: type as ProviderType, url, from: this.#yaml?.source.file ?? ''});
    }
    // of two with the same name the last counts, as with clusterctl
    return found.filter((one, index) => !found.some((other, at) => at > index && isSameProvider(one, other)));
  }

  images(): Readonly<Record<string, ImageOverride>> {
    const found: Record<string, ImageOverride> = {};
    for (const component of this.#keys(['images'])) {
      const path = ['images', component];
      const [repository, name, tag] = [this.text([...path, 'repository']), this.text([...path, 'name']), this.text([...path, 'tag'])];
      found[component] = {
        ...(repository === undefined ? {} : {repository}),
        ...(name === undefined ? {} : {name}),
        ...(tag === undefined ? {} : {tag}),
      };
    }
    return found;
  }

  certManager(): CertManagerSettings {
    const url = this.#url(['cert-manager', 'url']);
    const version = this.text(['cert-manager', 'version']);
    const timeout = this.text(['cert-manager', 'timeout']);
    const external = this.text(['cert-manager', 'externallyProvisioned'])?.toLowerCase();
    const ms = timeout === undefined ? defaultCertManager.timeout : goDuration(timeout);
    if (ms === undefined) this.#complain(['cert-manager', 'timeout'], `${timeout} isn't a duration such as 10m or 90s.`);
    return {
      version: version ?? defaultCertManager.version,
      url: url ?? defaultCertManager.url,
      timeout: ms ?? defaultCertManager.timeout,
      external: external === 'true' || external === '1',
    };
  }

  /** All other keys. */
  variables(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const key of this.#keys([])) {
      const value = settings.has(key.toLowerCase()) ? undefined : this.text([key]);
      if (value !== undefined) found.set(key.toLowerCase(), value);
    }
    return found;
  }

  /** A scalar as it is written: 1.20 stays 1.20. */
  text(path: Path): string | undefined {
    const node = this.#yaml?.document.getIn(path, true);
    if (!isScalar(node) || node.value === null) return undefined;
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }

  /** An address, in which the environment's variables are filled in. */
  #url(path: Path): string | undefined {
    const url = this.text(path);
    if (url === undefined) return undefined;
    const {text, missing} = substitute(new Source('', '/', url), (name) => this.#env[name]);
    for (const name of missing) this.#complain(path, `The environment has no ${name}, which this address needs.`);
    // told already: not a second time for being empty
    return missing.length === 0 ? text : url;
  }

  #keys(path: Path): readonly string[] {
    const node = path.length === 0 ? this.#yaml?.document.contents : this.#yaml?.document.getIn(path, true);
    if (isMap(node)) return node.items.map(({key}) => String(isScalar(key) ? key.value : key));
    if (node !== undefined && node !== null && !(isScalar(node) && node.value === null)) this.#complain(path, `${path.join('.')} is a map.`);
    return [];
  }

  #items(path: Path): readonly number[] {
    const value = this.#yaml?.document.getIn(path) as {items?: unknown[]} | null | undefined;
    if (value === undefined || value === null) return [];
    const node: unknown = this.#yaml?.document.getIn(path, true);
    if (!Array.isArray((node as {items?: unknown}).items) || isMap(node)) {
      this.#complain(path, `${path.join('.')} is a list.`);
      return [];
    }
    return (node as {items: unknown[]}).items.map((_, index) => index);
  }

  #complain(path: Path, message: string, hint?: string): void {
    if (this.#yaml === undefined) return;
    this.#complaints.push(this.#yaml.source.complain(locate(this.#yaml, path), {rule: 'clusterctl.value', message, ...(hint === undefined ? {} : {hint})}));
  }
}

/** `10m`, `1h30m`, `90s` in ms, as Go's time.ParseDuration reads it. */
export function goDuration(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = {h: 3_600_000, m: 60_000, s: 1000, ms: 1};
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return undefined;
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (units[unit as string] as number), 0);
}

/** Values of `--set NAME=VALUE`. Throws `usage.invalid`. */
export function valuesOf(pairs: readonly string[], flag = '--set'): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new TriremeError('usage.invalid', `${flag} takes NAME=VALUE.`, {hints: [`For example: ${flag} EXP_MACHINE_POOL=true`]});
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
