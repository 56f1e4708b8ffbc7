// OpenID Connect: a token that's kept in the kubeconfig, and renewed with the refresh token beside it.
import {readFile} from 'node:fs/promises';
import {request as httpsRequest} from 'node:https';
import {TriremeError} from '../kernel/errors.ts';
import type {Redactor} from '../kernel/redact.ts';

export interface OidcToken {
  readonly token: string;
  /** In ms since 1970. */
  readonly expires?: number;
}

export interface OidcOptions {
  readonly redactor: Redactor;
  readonly signal: AbortSignal;
  /** The server refused the token that we have: get another, valid or not. */
  readonly anew: boolean;
  warn(message: string): void;
}

/** In ms. */
const leeway = 10_000;

/** The auth-provider's id token, renewed when it's over. Throws `api.unauthorized`. */
export async function oidcToken(config: Readonly<Record<string, string>>, options: OidcOptions): Promise<OidcToken> {
  const known = config['id-token'] ?? '';
  const expires = expiryOf(known);
  if (known !== '' && !options.anew && (expires === undefined || Date.now() < expires - leeway))
    return {token: known, ...(expires === undefined ? {} : {expires})};
  const {'idp-issuer-url': issuer, 'client-id': client, 'client-secret': secret = '', 'refresh-token': refresh} = config;
  if (!issuer || !client || !refresh) {
    if (known !== '' && options.anew) return {token: known, ...(expires === undefined ? {} : {expires})};
    throw new TriremeError('api.unauthorized', 'The OpenID Connect token has expired, and the kubeconfig has no refresh token.', {hints: ['Sign in again.']});
  }
  for (const value of [secret, refresh]) options.redactor.add(value);
  const ca = await authorityOf(config);
  const {token_endpoint: endpoint} = await fetchJson(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`, undefined, ca, options.signal);
  if (typeof endpoint !== 'string') throw refused(issuer, 'names no token endpoint');
  const form = new URLSearchParams({grant_type: 'refresh_token', refresh_token: refresh, client_id: client, ...(secret === '' ? {} : {client_secret: secret})});
  const {id_token: token, refresh_token: next} = await fetchJson(endpoint, form.toString(), ca, options.signal);
  if (typeof token !== 'string') throw refused(issuer, 'gives no new id token');
  if (typeof next === 'string' && next !== refresh) {
    options.redactor.add(next);
    options.warn(`${issuer} gave a new refresh token, and the kubeconfig still has the old one: sign in again when kubectl is refused.`);
  }
  const until = expiryOf(token);
  return {token, ...(until === undefined ? {} : {expires: until})};
}

async function authorityOf(config: Readonly<Record<string, string>>): Promise<string | undefined> {
  const data = config['idp-certificate-authority-data'];
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  const file = config['idp-certificate-authority'];
  return file ? readFile(file, 'utf8') : undefined;
}

function expiryOf(token: string): number | undefined {
  try {
    const {exp} = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {readonly exp?: unknown};
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

function refused(issuer: string, why: string): TriremeError {
  return new TriremeError('api.unauthorized', `The OpenID Connect issuer ${issuer} ${why}.`, {hints: ['Sign in again.']});
}

function fetchJson(address: string, form: string | undefined, ca: string | undefined, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const url = new URL(address);
  if (url.protocol !== 'https:') throw refused(url.origin, "isn't reached by https");
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      url,
      {
        method: form === undefined ? 'GET' : 'POST',
        signal,
        timeout: 10_000,
        ...(ca === undefined ? {} : {ca}),
        headers: {
          accept: 'application/json',
          ...(form === undefined ? {} : {'content-type': 'application/x-www-form-urlencoded', 'content-length': form.length}),
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(refused(url.origin, `answers ${response.statusCode}`));
          try {
            resolve(JSON.parse(text) as Readonly<Record<string, unknown>>);
          } catch (error) {
            reject(error as Error);
          }
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
    request.on('error', (error) => reject(signal.aborted ? signal.reason : refused(url.origin, `can't be reached: ${error.message}`)));
    request.end(form);
  });
}
