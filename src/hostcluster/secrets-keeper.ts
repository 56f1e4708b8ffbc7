// Where a cluster's secrets are while a program works: on the control planes, and in this process's memory.
import {TriremeError} from '../kernel/errors.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {HostRunner} from '../ssh/runner.ts';
import {agentPaths, type Secrets} from './protocol.ts';
import {clusterIdOf, makeBootstrapToken, makeSecrets, parseSecrets, redactSecrets} from './secrets.ts';
import {rootedPath} from './shell.ts';

/** In ms. */
const deadline = 30_000;

const path = rootedPath(agentPaths.secrets);
const readScript = `p=${path}; [ ! -e "$p" ] || cat "$p"`;
// Never replaces: of two who make them at once, the second reads the first one's back.
const writeScript = `
p=${path}
mkdir -p "\${p%/*}" || exit 1
umask 077
t="$p.$$"
cat >"$t" || { rm -f "$t"; exit 1; }
sync "$t" 2>/dev/null || sync
ln "$t" "$p" 2>/dev/null
rm -f "$t"
sync "\${p%/*}" 2>/dev/null || sync
cat "$p"
`;

export interface SecretsKeeperOptions {
  readonly redactor: Redactor;
  runner(host: string): Promise<HostRunner>;
}

/** Reads the secrets once for a run, or makes them. Whatever it reads is registered for redaction before anybody sees it. */
export class SecretsKeeper {
  readonly #options: SecretsKeeperOptions;
  #secrets: Secrets | undefined;

  constructor(options: SecretsKeeperOptions) {
    this.#options = options;
  }

  /** The secrets from the first of these hosts that has them; undefined when all that answer have none. Throws when nobody answers. */
  async read(hosts: readonly string[]): Promise<Secrets | undefined> {
    if (this.#secrets !== undefined) return this.#secrets;
    let failure: unknown;
    let answered = false;
    for (const host of hosts) {
      try {
        const found = await this.#run(host, readScript);
        answered = true;
        if (found !== undefined) return this.#keep(found);
      } catch (error) {
        failure = error;
      }
    }
    if (!answered && failure !== undefined) throw failure;
    return undefined;
  }

  /** Makes the secrets and writes them, 0600, to this host before anything else is done with them. */
  async make(host: string): Promise<Secrets> {
    return this.#store(host, await makeSecrets());
  }

  /** Writes a backup's keys to this host in place of new ones, with a token that nobody has had before. */
  async restore(host: string, kept: Omit<Secrets, 'bootstrapToken'>): Promise<Secrets> {
    const runner = await this.#options.runner(host);
    // first of all: with the keys alone this host would start an empty cluster under the old one's name
    const marked = await runner.run(`umask 077; mkdir -p ${rootedPath(agentPaths.restore)} && : >${rootedPath(`${agentPaths.restore}/expected`)} && sync`, {
      root: true,
      deadline,
      repeatable: true,
    });
    if (marked.code !== 0) throw new TriremeError('host.command-failed', `${agentPaths.restore} can't be written on ${host}: ${marked.stderr.trim()}`, {host});
    return this.#store(host, {...kept, bootstrapToken: makeBootstrapToken()});
  }

  async #store(host: string, secrets: Secrets): Promise<Secrets> {
    const stored = await this.#run(host, writeScript, `${JSON.stringify(this.#redacting(secrets))}\n`);
    if (stored === undefined)
      throw new TriremeError('host.command-failed', `The cluster's secrets can't be read back from ${host}.`, {
        host,
        hints: [`Look at ${agentPaths.secrets} on the host.`],
      });
    return this.#keep(stored);
  }

  /** The secrets that were read or made in this run. Throws `cluster.not-made` before that. */
  require(): Secrets {
    if (this.#secrets === undefined)
      throw new TriremeError('cluster.not-made', "The cluster's secrets haven't been made yet.", {hints: ['Make the cluster: trireme apply']});
    return this.#secrets;
  }

  get clusterId(): string {
    return clusterIdOf(this.require());
  }

  #keep(secrets: Secrets): Secrets {
    this.#secrets = this.#redacting(secrets);
    return secrets;
  }

  #redacting(secrets: Secrets): Secrets {
    redactSecrets(this.#options.redactor, secrets);
    return secrets;
  }

  async #run(host: string, script: string, stdin?: string): Promise<Secrets | undefined> {
    const runner = await this.#options.runner(host);
    const result = await runner.run(script, {root: true, deadline, repeatable: true, ...(stdin === undefined ? {} : {stdin})});
    if (result.code !== 0)
      throw new TriremeError(
        'host.command-failed',
        `Can't reach the cluster's secrets on ${host}: ${result.stderr.trim().split('\n').at(-1) ?? `exit code ${result.code}`}`,
        {host},
      );
    return parseSecrets(result.stdout);
  }
}
