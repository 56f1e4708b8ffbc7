// Redaction by shape, for texts whose secrets nobody has registered: what looks like a secret is taken out. It goes with the redactor, never in its place.
import {redacted} from './redact.ts';

const shapes: readonly (readonly [RegExp, string])[] = [
  // keys in PEM, also as one JSON string with \n in it, and cut ones
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
  // what a kubeconfig carries
  [/((?:client-key-data|token|password|passwd|secret|api[-_]?key|access[-_]?key|passphrase)["']?\s*[:=]\s*["']?)([^\s"',}]{4,})/gi, `$1${redacted}`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g, `$1 ${redacted}`],
  // tokens that let hosts join: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, redacted],
  [/\bAGE-SECRET-KEY-[A-Z0-9-]{20,}/g, redacted],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, redacted],
  // user and password in an address
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:"']+:[^\s/@"']+@/gi, `$1${redacted}@`],
];

/** The text without what looks like a key, a token or a password. */
export function scrub(text: string): string {
  return shapes.reduce((result, [shape, instead]) => result.replace(shape, instead), text);
}
