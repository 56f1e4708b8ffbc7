// Who we are to the API server: certificates, tokens, plugins. Read when needed, kept while valid, and fetched anew when the server refuses them.
import {readFile} from 'node:fs/promises';
import {digestOfValue} from '../kernel/digest.ts';
import {TriremeError} from '../kernel/errors.ts';
import type {Redactor} from '../kernel/redact.ts';
import type {Environment} from '../kernel/proxy.ts';
import {runExecPlugin, type ExecCredential} from './exec-plugin.ts';
import {loadTarget, type LoadOptions, type Target, type UserEntry} from './load-kubeconfig.ts';

export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
}

/** What a request is sent with. Another object means that it changed. */
export interface Identity {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: TlsIdentity;
  /** Equal for identities that can share connections: a new token needs no new one. */
  readonly connection: string;
  /** When to ask again, in ms since 1970. */
  readonly validUntil: number;
}

/** A token's file is read again after so long, in ms, as client-go does: kubelet renews a pod's token well before its end. */
const tokenFileLife = 60_000;
/** A credential is taken for expired so long before its end, in ms. */
const leeway = 10_000;

export interface CredentialOptions extends LoadOptions {
  readonly env: Environment;
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  warn(message: string): void;
}

export class Credentials {
  #target: Target;
  readonly #options: CredentialOptions;
  #identity: Identity | undefined;
  #exec: ExecCredential | undefined;
  #running: Promise<Identity> | undefined;

  constructor(target: Target, options: CredentialOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** For messages: `certificate`, `exec plugin aws`, ... */
  get kind(): string {
    return kindOf(this.#target.user);
  }

  get target(): Target {
    return this.#target;
  }

  /** What to send now; runs the exec plugin or reads files where that's due. Throws `api.unauthorized`, `kubeconfig.invalid`. */
  async current(): Promise<Identity> {
    // while somebody asks all wait: who asked first is sent first, and none with what was just refused
    if (this.#running === undefined && this.#identity !== undefined && Date.now() < this.#identity.validUntil) return this.#identity;
    return this.#make(false);
  }

  /** After a refusal of `refused`: reads and asks for everything anew. True when there's something else to try. */
  async renew(refused: Identity): Promise<boolean> {
    if (this.#identity !== refused && this.#identity !== undefined) return true; // somebody renewed meanwhile
    return isOther(refused, await this.#make(true));
  }

  #make(anew: boolean): Promise<Identity> {
    // many requests may find it expired at once: one renews, all take its result
    this.#running ??= this.#build(anew).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #build(anew: boolean): Promise<Identity> {
    if (anew) await this.#reload();
    const {cluster, user} = this.#target;
    const ca = cluster.ca ?? (cluster.caFile === undefined ? undefined : await this.#read(cluster.caFile, 'certificate-authority'));
    let cert = user.cert ?? (user.certFile === undefined ? undefined : await this.#read(user.certFile, 'client-certificate'));
    let key = user.key ?? (user.keyFile === undefined ? undefined : await this.#read(user.keyFile, 'client-key'));
    let validUntil = Number.POSITIVE_INFINITY;
    let token = user.token;
    if (user.tokenFile !== undefined) {
      token = (await this.#read(user.tokenFile, 'tokenFile')).trim();
      validUntil = Date.now() + tokenFileLife;
    }
    if (user.exec !== undefined) {
      const exec = await this.#runExec(anew);
      token = exec.token ?? token;
      cert = exec.cert ?? cert;
      key = exec.key ?? key;
      validUntil = exec.expires === undefined ? validUntil : exec.expires - leeway;
    }
    if (user.oidc !== undefined) {
      const {oidcToken} = await import('./oidc.ts');
      const oidc = await oidcToken(user.oidc, {...this.#options, anew});
      token = oidc.token;
      validUntil = oidc.expires === undefined ? validUntil : oidc.expires - leeway;
    }
    for (const secret of [token, key, user.password]) this.#options.redactor.add(secret);
    const tls: TlsIdentity = {
      ...(ca === undefined ? {} : {ca}),
      ...(cert === undefined ? {} : {cert}),
      ...(key === undefined ? {} : {key}),
      ...(cluster.tlsServerName === undefined ? {} : {servername: cluster.tlsServerName}),
      rejectUnauthorized: !cluster.insecure,
    };
    const next: Identity = {headers: {...authorizationOf(user, token), ...impersonationOf(user)}, tls, connection: digestOfValue(tls), validUntil};
    // connections are kept by identity: the same one is handed out again while nothing changed
    this.#identity = this.#identity !== undefined && !isOther(this.#identity, next) ? Object.assign(this.#identity, {validUntil}) : next;
    return this.#identity;
  }

  async #runExec(anew: boolean): Promise<ExecCredential> {
    const known = this.#exec;
    if (!anew && known !== undefined && (known.expires === undefined || Date.now() < known.expires - leeway)) return known;
    this.#exec = await runExecPlugin(this.#target, this.#options);
    return this.#exec;
  }

  /** Somebody may have signed in again, or renewed the certificate in the kubeconfig itself. */
  async #reload(): Promise<void> {
    try {
      const next = await loadTarget({...this.#options, context: this.#target.context === 'in-cluster' ? undefined : this.#target.context} as LoadOptions);
      // never follow the file to another server in the middle of the work
      if (next.cluster.server === this.#target.cluster.server) this.#target = next;
    } catch (error) {
      if (!(error instanceof TriremeError)) throw error;
      this.#options.warn(`The kubeconfig can't be read again, so the credentials stay as they were: ${error.message}`);
    }
  }

  async #read(path: string, what: string): Promise<string> {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      throw new TriremeError('kubeconfig.invalid', `The ${what} ${path} can't be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`, {
        cause: error,
        hints: [`The kubeconfig ${this.#target.place} names it for the context ${this.#target.context}.`],
      });
    }
  }
}

function kindOf(user: UserEntry): string {
  if (user.exec !== undefined) return `the exec plugin ${user.exec.command}`;
  if (user.oidc !== undefined) return 'an OpenID Connect token';
  if (user.tokenFile !== undefined) return `the token in ${user.tokenFile}`;
  if (user.token !== undefined) return 'a token';
  if (user.username !== undefined) return 'a user name and password';
  if (user.cert !== undefined || user.certFile !== undefined) return 'a client certificate';
  return 'no credentials';
}

function authorizationOf(user: UserEntry, token: string | undefined): Readonly<Record<string, string>> {
  if (token !== undefined) return {authorization: `Bearer ${token}`};
  if (user.username === undefined) return {};
  return {authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`};
}

function impersonationOf(user: UserEntry): Readonly<Record<string, string | readonly string[]>> {
  const {impersonate} = user;
  if (impersonate === undefined) return {};
  return {
    ...(impersonate.user === undefined ? {} : {'impersonate-user': impersonate.user}),
    ...(impersonate.uid === undefined ? {} : {'impersonate-uid': impersonate.uid}),
    ...(impersonate.groups.length === 0 ? {} : {'impersonate-group': impersonate.groups}),
    ...Object.fromEntries(Object.entries(impersonate.extra).map(([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, values])),
  };
}

function isOther(a: Identity, b: Identity): boolean {
  return a.connection !== b.connection || JSON.stringify(a.headers) !== JSON.stringify(b.headers);
}
