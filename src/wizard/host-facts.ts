// What the wizard learns of hosts: names in ssh_config, keys, and what a first connection shows. Only reads, but for a key that a person trusts.
import {access, readdir, readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {createServer, type AddressInfo} from 'node:net';
import {join, resolve} from 'node:path';
import type {HostFacts} from '../hosts/facts.ts';
import {mapPool} from '../kernel/pool.ts';
import {problemOf, type Problem} from '../kernel/problem.ts';
import {placeAnswer, type Answers} from '../spec/answers.ts';
import type {SshContext} from '../ssh/context.ts';
import type {HostTarget} from '../ssh/target.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A host as it was typed, `[NAME=][USER@]ADDRESS[:PORT][/NODE-ADDRESS]`, and what was seen of it. */
export type Look = {readonly entry: string; readonly facts: HostFacts} | {readonly entry: string; readonly problem: Problem; readonly target: HostTarget};

export interface HostFactsOptions {
  readonly env: Environment;
  /** Where relative paths begin. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Learns a sudo password that was read. */
  redact(secret: string): void;
  readonly askSecret?: (question: string) => Promise<string>;
}

export class HostLooks {
  readonly #options: HostFactsOptions;
  /** Hosts that were seen, by what they were reached with: nobody waits twice. */
  readonly #seen = new Map<string, Look>();
  #context: SshContext | undefined;
  #port: number | undefined;
  #sudo: string | undefined;

  constructor(options: HostFactsOptions) {
    this.#options = options;
  }

  get home(): string {
    return this.#options.env['HOME'] || homedir();
  }

  async sshHosts(sshConfig: string | undefined): Promise<readonly string[]> {
    const {listHostNames} = await import('../ssh/ssh-config.ts');
    return listHostNames({home: this.home, configFile: sshConfig === undefined ? undefined : this.path(sshConfig)});
  }

  /** The login name that ssh would take, and whether ssh_config names it. */
  async loginName(entry: string, answers: Answers): Promise<{readonly user: string; readonly isConfigured: boolean}> {
    const {resolveTarget} = await import('../ssh/target.ts');
    const target = this.#target(entry, answers);
    const {USER: _user, LOGNAME: _logname, ...env} = this.#options.env;
    // with another local user the answer differs unless ssh_config, or the host's own answer, says it
    const [here, elsewhere] = await Promise.all([
      resolveTarget(target, this.#options.env),
      resolveTarget(target, {...env, USER: 'nobody-else', LOGNAME: 'nobody-else'}),
    ]);
    return {user: here.user, isConfigured: here.user === elsewhere.user};
  }

  /** Private keys in ~/.ssh that have a public half beside them. */
  async keys(): Promise<readonly string[]> {
    const files: readonly string[] = await readdir(join(this.home, '.ssh')).catch(() => []);
    return files.filter((file) => files.includes(`${file}.pub`)).map((file) => `~/.ssh/${file}`);
  }

  exists(path: string): Promise<boolean> {
    return access(this.path(path)).then(
      () => true,
      () => false,
    );
  }

  path(path: string): string {
    return path === '~' || path.startsWith('~/') ? resolve(this.home, path.slice(2)) : resolve(this.#options.folder, path);
  }

  /** Connects to each host and reads its facts; those that were seen aren't asked again. */
  async look(entries: readonly string[], answers: Answers, {askSudo}: {readonly askSudo: boolean}): Promise<readonly Look[]> {
    const context = await this.#ssh();
    const sudoPassword = askSudo ? await this.#askSudo() : await this.#sudoPassword(answers);
    const outcomes = await mapPool(entries, 8, (entry) => this.#lookAt(entry, answers, {context, sudoPassword}));
    this.#options.signal.throwIfAborted();
    return outcomes.map((outcome, index) =>
      outcome.status === 'fulfilled'
        ? outcome.value
        : {entry: entries[index] ?? '', problem: problemOf(outcome.reason), target: this.#target(entries[index] ?? '', answers)},
    );
  }

  async #lookAt(
    entry: string,
    answers: Answers,
    {context, sudoPassword}: {readonly context: SshContext; readonly sudoPassword: string | undefined},
  ): Promise<Look> {
    const target: HostTarget = {...this.#target(entry, answers), ...(sudoPassword === undefined ? {} : {sudoPassword})};
    const {sudoPassword: _secret, ...plain} = target;
    const key = JSON.stringify([{...plain, host: ''}, answers.sudoPasswordEnv, answers.sudoPasswordFile]);
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const [{openRunner}, {gatherFacts}] = await Promise.all([import('../ssh/ssh-runner.ts'), import('../hosts/gather-facts.ts')]);
    const runner = await openRunner(target, context);
    try {
      const agent = {program: '', seen: '', lock: '', content: '', socket: ''};
      const [observation] = await gatherFacts([target], {
        open: async () => runner,
        script: {agent},
        concurrency: 1,
        signal: this.#options.signal,
        deadline: 60_000,
      });
      if (observation !== undefined && 'problem' in observation && observation.problem.code === 'host.sudo-password-wrong') this.#sudo = undefined;
      if (observation === undefined || 'problem' in observation)
        return {entry, problem: observation?.problem ?? problemOf(new Error('no facts came')), target: plain};
      const look: Look = {entry, facts: observation.facts};
      this.#seen.set(key, look);
      return look;
    } finally {
      await runner.close();
    }
  }

  /** What is known of a host that was looked at in this session. */
  seen(entry: string): HostFacts | undefined {
    const found = [...this.#seen.values()].findLast((look) => placeIn(look.entry) === placeIn(entry));
    return found !== undefined && 'facts' in found ? found.facts : undefined;
  }

  async #ssh(): Promise<SshContext> {
    const {createSshContext} = await import('../ssh/context.ts');
    const {askSecret, env} = this.#options;
    this.#context ??= createSshContext({
      env,
      connectDeadline: 10_000,
      ...(askSecret === undefined ? {} : {askPassphrase: (path) => askSecret(`Passphrase of ${path}:`)}),
    });
    return this.#context;
  }

  #target(entry: string, answers: Answers): HostTarget {
    const {sshUser, sshPort, identityFile, sshConfig, jump} = answers;
    const split = entry.indexOf('=');
    const place = placeAnswer(entry.slice(split + 1)) ?? {address: entry.slice(split + 1)};
    const user = place.user ?? sshUser;
    const port = place.port ?? sshPort;
    return {
      host: split < 1 ? place.address : entry.slice(0, split),
      address: place.address,
      ...(user === undefined ? {} : {user}),
      ...(port === undefined ? {} : {port}),
      ...(identityFile === undefined ? {} : {identityFile: this.path(identityFile)}),
      ...(sshConfig === undefined ? {} : {configFile: sshConfig === 'none' ? 'none' : this.path(sshConfig)}),
      ...(jump === undefined || jump.length === 0 ? {} : {jump}),
    };
  }

  async #sudoPassword({sudoPasswordEnv, sudoPasswordFile}: Answers): Promise<string | undefined> {
    const secret =
      sudoPasswordEnv !== undefined
        ? this.#options.env[sudoPasswordEnv]
        : sudoPasswordFile !== undefined
          ? (await readFile(this.path(sudoPasswordFile), 'utf8').catch(() => '')).replace(/\r?\n$/, '')
          : undefined;
    if (secret === undefined || secret === '') return undefined;
    this.#options.redact(secret);
    return secret;
  }

  /** Asked once a session, and again when it was wrong. */
  async #askSudo(): Promise<string | undefined> {
    this.#sudo ??= await this.#options.askSecret?.('Password for sudo on the hosts:');
    if (this.#sudo !== undefined) this.#options.redact(this.#sudo);
    return this.#sudo === '' ? undefined : this.#sudo;
  }

  /** A TCP port that is free on this computer now, the same one for the whole session: simulated clusters are served there. */
  async freePort(): Promise<number> {
    if (this.#port !== undefined) return this.#port;
    const server = createServer();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    this.#port = (server.address() as AddressInfo).port;
    await new Promise<void>((closed) => server.close(() => closed()));
    return this.#port;
  }
}

/** What follows the name. */
const placeIn = (entry: string) => entry.slice(entry.indexOf('=') + 1);

/** The host in a line: `Debian GNU/Linux 13, 4 CPUs, 8.0 GiB, 10.0.0.11`. */
export function describeFacts({os, cpus, memory, defaultRoute}: HostFacts): string {
  return [
    os.name,
    `${cpus} CPU${cpus === 1 ? '' : 's'}`,
    `${(memory.total / 1024).toFixed(1)} GiB`,
    ...(defaultRoute === undefined ? [] : [defaultRoute.address]),
  ].join(', ');
}

/** The host's own name as a node can have it; undefined when nothing fits. */
export function nodeNameOf({hostname}: Pick<HostFacts, 'hostname'>): string | undefined {
  const short = (hostname.split('.')[0] ?? '').toLowerCase();
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(short) && short !== 'localhost' ? short : undefined;
}
