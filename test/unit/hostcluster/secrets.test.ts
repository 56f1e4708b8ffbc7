import {createPrivateKey, createPublicKey, sign, verify, X509Certificate} from 'node:crypto';
import {beforeAll, describe, expect, it} from 'vitest';
import {clusterIdOf, makeSecrets, parseSecrets, redactSecrets, secretsForRole} from '../../../src/hostcluster/secrets.ts';
import type {Secrets} from '../../../src/hostcluster/protocol.ts';
import {Redactor} from '../../../src/kernel/redact.ts';

describe("a cluster's secrets", () => {
  let secrets: Secrets;
  beforeAll(async () => {
    secrets = await makeSecrets();
  });

  it.each(['ca', 'etcdCa', 'frontProxyCa'] as const)(
    'have an authority %s that signs itself, has its key, and is valid on hosts whose clock is behind',
    (name) => {
      const certificate = new X509Certificate(secrets[name]?.certificate ?? '');
      expect(certificate.ca).toBe(true);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(secrets[name]?.key ?? ''))).toBe(true);
      expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - 30 * 60 * 1000);
      expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 9 * 365 * 24 * 3600 * 1000);
      expect(certificate.serialNumber).toMatch(/^[0-9A-F]{10,40}$/);
    },
  );

  it('have a service-account key whose two halves belong together', () => {
    const message = Buffer.from('token');
    const signature = sign('sha256', message, createPrivateKey(secrets.serviceAccount?.key ?? ''));
    expect(verify('sha256', message, createPublicKey(secrets.serviceAccount?.certificate ?? ''), signature)).toBe(true);
  });

  it('have a token by the rule of bootstrap tokens', () => {
    expect(secrets.bootstrapToken).toMatch(/^[a-z0-9]{6}\.[a-z0-9]{16}$/);
  });

  it('go to a worker without any key', () => {
    const forWorker = secretsForRole(secrets, 'worker');
    expect(JSON.stringify(forWorker)).not.toContain('PRIVATE KEY');
    expect(forWorker.ca.certificate).toBe(secrets.ca.certificate);
    expect(secretsForRole(secrets, 'control-plane')).toBe(secrets);
  });

  it('give the cluster an id that does not change when they are read back', () => {
    const again = parseSecrets(JSON.stringify(secrets)) as Secrets;
    expect(clusterIdOf(again)).toBe(clusterIdOf(secrets));
    expect(clusterIdOf(secrets)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("are not taken from a worker's file, nor from half a file", () => {
    expect(parseSecrets(JSON.stringify(secretsForRole(secrets, 'worker')))).toBeUndefined();
    expect(parseSecrets(JSON.stringify(secrets).slice(0, -20))).toBeUndefined();
  });

  it('are redacted, as a whole and line by line', () => {
    const redactor = new Redactor();
    redactSecrets(redactor, secrets);
    const line = secrets.ca.key?.split('\n')[3] ?? '';
    const text = redactor.text(`${secrets.bootstrapToken} ${JSON.stringify(secrets)} ${line}`);
    expect(text).not.toContain(secrets.bootstrapToken);
    expect(text).not.toContain(line);
    expect(text).not.toContain('BEGIN PRIVATE KEY');
  });
});
