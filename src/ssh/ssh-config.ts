// What ssh_config says of one host: Include, Host, Match. The parser is a package's; what applies is decided here, as ssh_config(5) says.
import {readdir, readFile} from 'node:fs/promises';
import {dirname, isAbsolute, join} from 'node:path';
import {TriremeError} from '../kernel/errors.ts';
import {expandHome, expandTokens, matchesPattern, matchesPatterns} from './tokens.ts';

export interface ConfigQuestion {
  /** The host as the person wrote it. */
  readonly alias: string;
  readonly home: string;
  readonly localUser: string;
  /** The user that the cluster's file names. */
  readonly user: string | undefined;
  /** Read instead of the usual files; `none` reads none. */
  readonly configFile: string | undefined;
}

/** The settings that apply to one host. Keywords are in lower case. */
export interface HostConfig {
  first(keyword: string): string | undefined;
  /** Of keywords that exclude each other, the one that comes first in the files. */
  firstOf(keywords: readonly string[]): {readonly key: string; readonly value: string} | undefined;
  /** Every value, for keywords that add up (IdentityFile). */
  all(keyword: string): readonly string[];
  /** The words of the first value. */
  list(keyword: string): readonly string[] | undefined;
  readonly warnings: readonly string[];
}

interface Line {
  readonly param: string;
  readonly value: string | readonly {readonly val: string; readonly separator: string; readonly quoted?: boolean}[];
  readonly config?: readonly Line[];
}

interface Setting {
  readonly key: string;
  readonly text: string;
  readonly words: readonly string[];
}

/** Files within files, as deep as ssh goes. */
const deepest = 16;

/** Reads ssh_config for one host. A file that isn't there is empty; one that can't be read throws `file.invalid`. */
export async function readHostConfig(question: ConfigQuestion): Promise<HostConfig> {
  const settings: Setting[] = [];
  const warnings = new Set<string>();
  const {configFile, home} = question;
  const files = configFile === undefined ? [join(home, '.ssh/config'), '/etc/ssh/ssh_config'] : configFile === 'none' ? [] : [expandHome(configFile, home)];
  const trees: {readonly lines: readonly Line[]; readonly folder: string}[] = [];
  for (const file of files) {
    const lines = await readLines(file, configFile !== undefined);
    if (lines !== undefined)
      trees.push({lines, folder: file === '/etc/ssh/ssh_config' ? '/etc/ssh' : configFile === undefined ? join(home, '.ssh') : dirname(file)});
  }
  const reader = new Reader(question, settings, warnings);
  for (const tree of trees) await reader.walk(tree.lines, tree.folder, 0);
  if (reader.wantsFinal) {
    reader.isFinal = true;
    for (const tree of trees) await reader.walk(tree.lines, tree.folder, 0);
  }
  const find = (keyword: string) => settings.find((setting) => setting.key === keyword);
  if (['no', 'off', 'accept-new'].includes(find('stricthostkeychecking')?.text.toLowerCase() ?? ''))
    warnings.add(`ssh_config turns StrictHostKeyChecking off for ${question.alias}; Trireme verifies host keys always.`);
  return {
    first: (keyword) => find(keyword)?.text,
    firstOf: (keywords) => {
      const setting = settings.find(({key}) => keywords.includes(key));
      return setting === undefined ? undefined : {key: setting.key, value: setting.text};
    },
    all: (keyword) => [...new Set(settings.filter(({key}) => key === keyword).map(({text}) => text))],
    list: (keyword) => find(keyword)?.words,
    warnings: [...warnings],
  };
}

/** The names after `Host`, patterns left out: hosts that a person has written down. Files that can't be read count as empty. */
export async function listHostNames({home, configFile}: Pick<ConfigQuestion, 'home' | 'configFile'>): Promise<readonly string[]> {
  const names = new Set<string>();
  const walkFile = async (file: string, depth: number): Promise<void> => walk((await readLines(file, false).catch(() => undefined)) ?? [], depth);
  const walk = async (lines: readonly Line[], depth: number): Promise<void> => {
    for (const line of lines) {
      if (typeof line.param !== 'string') continue;
      const words = (typeof line.value === 'string' ? [line.value] : line.value.map(({val}) => val)).flatMap((word) => word.split(/\s+/));
      if (line.param.toLowerCase() === 'host') for (const word of words) if (!/[*?!]/.test(word) && word !== '') names.add(word);
      // an Include below a Host line belongs to it for ssh; here its names count all the same
      if (line.config !== undefined) await walk(line.config, depth);
      if (line.param.toLowerCase() !== 'include' || depth >= deepest) continue;
      for (const word of words) {
        const path = expandHome(word, home);
        for (const included of await filesLike(isAbsolute(path) ? path : join(home, '.ssh', path))) await walkFile(included, depth + 1);
      }
    }
  };
  if (configFile !== 'none') await walkFile(configFile === undefined ? join(home, '.ssh/config') : expandHome(configFile, home), 0);
  return [...names];
}

class Reader {
  wantsFinal = false;
  isFinal = false;
  readonly #question: ConfigQuestion;
  readonly #settings: Setting[];
  readonly #warnings: Set<string>;

  constructor(question: ConfigQuestion, settings: Setting[], warnings: Set<string>) {
    this.#question = question;
    this.#settings = settings;
    this.#warnings = warnings;
  }

  async walk(lines: readonly Line[], folder: string, depth: number): Promise<void> {
    for (const line of lines) {
      if (typeof line.param !== 'string' || line.param === '') continue;
      const key = line.param.toLowerCase();
      const words = typeof line.value === 'string' ? [line.value] : line.value.map(({val}) => val);
      if (key === 'host') {
        // the parser keeps a single pattern as text
        if (
          matchesPatterns(
            words.flatMap((word) => word.split(/\s+/)),
            this.#question.alias,
          )
        )
          await this.walk(line.config ?? [], folder, depth);
      } else if (key === 'match') {
        if (this.#applies(words)) await this.walk(line.config ?? [], folder, depth);
      } else if (key === 'include') {
        await this.#include(words, folder, depth);
      } else {
        this.#settings.push({key, text: textOf(line, key), words});
      }
    }
  }

  async #include(patterns: readonly string[], folder: string, depth: number): Promise<void> {
    if (depth >= deepest)
      throw new TriremeError('file.invalid', `The ssh_config files include each other more than ${deepest} deep.`, {
        hints: [`Look at the Include lines in ${folder}.`],
      });
    for (const pattern of patterns) {
      const path = expandHome(expandTokens(pattern, {d: this.#question.home, u: this.#question.localUser}), this.#question.home);
      for (const file of await filesLike(isAbsolute(path) ? path : join(folder, path))) {
        const lines = await readLines(file, false);
        if (lines !== undefined) await this.walk(lines, folder, depth + 1);
      }
    }
  }

  /** Whether a Match line applies: all of its criteria hold. */
  #applies(words: readonly string[]): boolean {
    let applies = words.length > 0;
    for (let at = 0; at < words.length; at += 1) {
      const [, negation, criterion = ''] = /^(!?)([a-z]+)$/i.exec(words[at] ?? '') ?? [];
      const keyword = criterion.toLowerCase();
      let holds: boolean;
      if (keyword === 'all') holds = true;
      else if (keyword === 'final' || keyword === 'canonical') {
        // names aren't made canonical here, so both mean the second reading
        this.wantsFinal = true;
        holds = this.isFinal;
      } else {
        at += 1;
        holds = this.#holds(keyword, words[at] ?? '');
      }
      if (holds === (negation === '!')) applies = false;
    }
    return applies;
  }

  #holds(keyword: string, pattern: string): boolean {
    const patterns = pattern.split(',');
    const {alias, user, localUser} = this.#question;
    const found = (key: string) => this.#settings.find((setting) => setting.key === key)?.text;
    switch (keyword) {
      case 'host':
        return matchesPatterns(patterns, expandTokens(found('hostname') ?? alias, {h: alias, n: alias}));
      case 'originalhost':
        return matchesPatterns(patterns, alias);
      case 'user':
        return matchesPatterns(patterns, user ?? found('user') ?? localUser);
      case 'localuser':
        return matchesPatterns(patterns, localUser);
      case 'exec':
        this.#warnings.add(`ssh_config has "Match exec" for ${alias}: Trireme runs no programs of ssh_config's conditions, so that part doesn't apply.`);
        return false;
      default:
        this.#warnings.add(`ssh_config has "Match ${keyword}", which Trireme doesn't know, so that part doesn't apply to ${alias}.`);
        return false;
    }
  }
}

/** A command keeps its quotes, for the shell; of other lists the first word counts. */
function textOf(line: Line, key: string): string {
  if (typeof line.value === 'string') return line.value;
  if (key !== 'proxycommand') return line.value[0]?.val ?? '';
  return line.value
    .map(({val, separator, quoted}) => `${separator}${quoted === true ? `"${val.replaceAll('"', String.raw`\"`)}"` : val}`)
    .join('')
    .trim();
}

async function readLines(file: string, isRequired: boolean): Promise<readonly Line[] | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (!isRequired && (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES')) return undefined;
    throw new TriremeError('file.not-found', `Can't read the ssh_config file ${file}.`, {cause: error});
  }
  const {default: SSHConfig} = await import('ssh-config');
  try {
    return SSHConfig.parse(text) as unknown as readonly Line[];
  } catch (error) {
    throw new TriremeError('file.invalid', `Can't understand the ssh_config file ${file}: ${(error as Error).message}`, {
      cause: error,
      hints: [`Check it with: ssh -G -F ${file} localhost`],
    });
  }
}

/** The files that a path with `*` and `?` stands for, sorted. */
async function filesLike(pattern: string): Promise<readonly string[]> {
  let found: readonly string[] = ['/'];
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    if (!/[*?]/.test(part)) {
      found = found.map((folder) => join(folder, part));
      continue;
    }
    const lists = await Promise.all(
      found.map(async (folder) =>
        (await readdir(folder).catch(() => []))
          .filter((name) => matchesPattern(part, name) && (!name.startsWith('.') || part.startsWith('.')))
          .map((name) => join(folder, name)),
      ),
    );
    found = lists.flat().toSorted();
  }
  return found;
}
