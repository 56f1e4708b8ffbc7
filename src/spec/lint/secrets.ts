// Secrets don't belong into the file. Looks at the document as it stands, so it works on a file with other mistakes too.
import type {Report} from './report.ts';

const secretWord =
  /(^|[^a-z])(password|passwd|passphrase|secret|token|apikey|api_key|api-key|privatekey|private_key|private-key|secretkey|secret-key|secret_key|accesskey|access-key|access_key|credential|credentials)$/;

/** Values that are secrets wherever they stand. */
const secretValues: readonly {readonly form: RegExp; readonly what: string}[] = [
  {form: /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, what: 'a private key'},
  {form: /^[a-z0-9]{6}\.[a-z0-9]{16}$/, what: 'a bootstrap token'},
  {form: /^(AKIA|ASIA)[0-9A-Z]{16}$/, what: 'an access key'},
  {form: /^gh[pousr]_[A-Za-z0-9]{36,}$/, what: 'an access token'},
  {form: /^\$ANSIBLE_VAULT;/, what: 'an encrypted secret'},
];

/** Below these keys the words have another meaning: names of labels, taints, variables' declarations. */
const harmless = new Set(['labels', 'annotations', 'taints', 'metadata', 'apiVersion', 'kind', 'fromEnv', 'fromFile', 'description', 'regex', 'layers']);

/** Refuses secrets in the text; returns their values, so that no excerpt shows them. */
export function lintSecrets(value: unknown, report: Report): readonly string[] {
  const found: string[] = [];
  const refuse = (path: readonly (string | number)[], text: string, what: string) => {
    found.push(text);
    report.error({
      path,
      rule: 'secret.inline',
      message: `${what} stands in the file itself, where everybody who reads the file reads it.`,
      hint: 'Write {fromEnv: NAME} or {fromFile: PATH} where a secret is asked for; elsewhere put it into a file on the host.',
    });
  };
  const walk = (at: unknown, path: readonly (string | number)[]): void => {
    if (typeof at === 'string') {
      const known = secretValues.find(({form}) => form.test(at));
      if (known !== undefined) return refuse(path, at, known.what[0]?.toUpperCase() + known.what.slice(1));
      const key = path.findLast((segment) => typeof segment === 'string');
      if (typeof key === 'string' && typeof path.at(-1) === 'string' && at !== '' && isSecretKey(key)) refuse(path, at, `The ${words(key)}`);
      return undefined;
    }
    if (typeof at === 'number' && typeof path.at(-1) === 'string' && isSecretKey(String(path.at(-1))))
      return refuse(path, String(at), `The ${words(String(path.at(-1)))}`);
    if (Array.isArray(at)) return at.forEach((item, index) => walk(item, [...path, index]));
    if (at === null || typeof at !== 'object') return undefined;
    const map = at as Record<string, unknown>;
    // extraArgs are lists of {name, value}
    if (typeof map['name'] === 'string' && typeof map['value'] === 'string' && map['value'] !== '' && isSecretKey(map['name']))
      return refuse([...path, 'value'], map['value'], `The ${words(map['name'])}`);
    for (const [key, item] of Object.entries(map)) {
      if (!harmless.has(key)) walk(item, [...path, key]);
    }
    return undefined;
  };
  walk(value, []);
  return found;
}

/** `sudoPassword`, `oidc-client-secret`, `token`; not `tokenTTL` or `service-account-private-key-file`. */
export function isSecretKey(key: string): boolean {
  return secretWord.test(key.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase());
}

function words(key: string): string {
  return key.slice(0, 60);
}
