import {describe, expect, it} from 'vitest';
import {scrub} from '../../../src/kernel/scrub.ts';

describe('what looks like a secret', () => {
  it.each([
    ['a key in PEM', '-----BEGIN RSA PRIVATE KEY-----\nMIIcanary\n-----END RSA PRIVATE KEY-----', 'canary'],
    ['a key in PEM within JSON', String.raw`{"key": "-----BEGIN PRIVATE KEY-----\nMIIcanary\n-----END PRIVATE KEY-----\n"}`, 'canary'],
    ['a key that was cut off', '-----BEGIN PRIVATE KEY-----\nMIIcanary', 'canary'],
    ["a kubeconfig's key", '    client-key-data: Y2FuYXJ5Y2FuYXJ5', 'Y2FuYXJ5'],
    ['a password in a setting', 'password = "canary-1"', 'canary'],
    ['a token in JSON', '{"token":"canary-token"}', 'canary'],
    ['a header', 'Authorization: Bearer canarycanarycanary', 'canary'],
    ['a bootstrap token', 'kubeadm join --token abcdef.0123456789canary', '0123456789canary'],
    ['an age key', 'AGE-SECRET-KEY-1CANARYCANARYCANARYCANARY', 'CANARY'],
    ['a password in an address', 'http://user:canary@proxy:3128', 'canary'],
    ['a service-account token', 'eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.c2lnbmF0dXJl', 'eyJjYW5hcnkiOjF9'],
  ])('is taken out: %s', (_what, text, canary) => {
    expect(scrub(text)).not.toContain(canary);
    expect(scrub(text)).toContain('[redacted]');
  });

  it.each([
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
    'https://registry.k8s.io/etcd:3.6.8-0',
    'Keep the bootstrap token valid',
    'cp1: 3 of 3 done',
  ])('leaves the rest alone: %s', (text) => expect(scrub(text)).toBe(text));
});
