// Where things live on the operator's computer (XDG base directories, on every system).
import {homedir} from 'node:os';
import {join} from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

function folder(env: Environment, name: string, fallback: readonly string[]): string {
  return join(env[name] || join(env['HOME'] || homedir(), ...fallback), 'trireme');
}

/** Runs, locks and the list of known clusters: `$XDG_STATE_HOME/trireme`. */
export const stateFolder = (env: Environment = process.env) => folder(env, 'XDG_STATE_HOME', ['.local', 'state']);
/** Downloads, by digest: `$XDG_CACHE_HOME/trireme`. */
export const cacheFolder = (env: Environment = process.env) => folder(env, 'XDG_CACHE_HOME', ['.cache']);
/** Settings: `$XDG_CONFIG_HOME/trireme`. */
export const configFolder = (env: Environment = process.env) => folder(env, 'XDG_CONFIG_HOME', ['.config']);
