import {generateKeyPairSync} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {readCertificates} from '../../../src/agentd/distributions/kubeadm/certificate-files.ts';
import {isDue, parseGoDuration, renewalOf, noteRenewal, renewsAt, requestRenewal, validityOf} from '../../../src/agentd/distributions/renewal.ts';
import {selfSignedAuthority} from '../../../src/kernel/certificate.ts';
import {targetFixture, wantedFixture, type TargetFixture} from './agentd-fixture.ts';

const day = 24 * 60 * 60 * 1000;
const at = (days: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + days * day).toISOString();
const certificate = (life: number, renewedBy: 'agent' | 'kubelet' | 'nobody' = 'agent') => ({notBefore: at(0), notAfter: at(life), renewedBy});

describe('when a certificate is renewed', () => {
  it('is 30 days before its end', () => {
    expect(renewsAt(certificate(365), 365 * day)).toBe('2026-12-02T00:00:00Z');
  });

  it('is when a third is left where new ones live for less than 90 days: else they would be due again at once', () => {
    expect(Date.parse(renewsAt(certificate(20), 20 * day) as string)).toBe(Date.parse(at(20)) - (20 * day) / 3);
  });

  it('is now for one that lives for 20 days where new ones live for a year', () => {
    const renews = renewsAt(certificate(20), 365 * day) as string;
    expect(isDue({renewsAt: renews}, Date.parse(at(0)))).toBe(true);
  });

  it("is late for the kubelet's, which renews its own; and never for an authority", () => {
    expect(Date.parse(renewsAt(certificate(100, 'kubelet'), 365 * day) as string)).toBe(Date.parse(at(98)));
    expect(renewsAt(certificate(3650, 'nobody'), 365 * day)).toBeUndefined();
  });

  it("follows kubeadm's setting, a duration of Go", () => {
    const kubeadm = (value: unknown) => ({configuration: {...wantedFixture().configuration, kubeadm: {certificateValidityPeriod: value}}});
    expect(validityOf(kubeadm('480h0m0s'))).toBe(20 * day);
    expect(validityOf(kubeadm(undefined))).toBe(365 * day);
    expect([parseGoDuration('1m30s'), parseGoDuration('1.5h'), parseGoDuration('20 days'), parseGoDuration('')]).toEqual([
      90_000,
      5_400_000,
      undefined,
      undefined,
    ]);
  });
});

describe('certificates on a host', () => {
  let fixture: TargetFixture;
  const put = async (path: string, text: string) => {
    await mkdir(dirname(join(fixture.root, path)), {recursive: true});
    await writeFile(join(fixture.root, path), text);
  };
  const signed = (commonName: string, days: number) =>
    selfSignedAuthority({
      commonName,
      key: generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey,
      notBefore: new Date(),
      notAfter: new Date(Date.now() + days * day),
    });
  beforeAll(async () => {
    fixture = await targetFixture();
  });
  afterAll(() => fixture.remove());

  it('are found in PEM and in kubeconfigs, with their ends; what is none is passed over', async () => {
    await put('/etc/kubernetes/pki/ca.crt', signed('kubernetes', 3650));
    await put('/etc/kubernetes/pki/apiserver.crt', signed('kube-apiserver', 20));
    await put('/etc/kubernetes/pki/etcd/server.crt', 'half a file');
    const user = {'client-certificate-data': Buffer.from(signed('kubernetes-admin', 365)).toString('base64'), 'client-key-data': 'bm9uZQ=='};
    await put('/etc/kubernetes/admin.conf', stringify({users: [{name: 'admin', user}]}));
    const found = await readCertificates(fixture.target);
    expect(found.map((one) => [one.name, one.kind, one.subject, isDue(one)])).toEqual([
      ['ca', 'authority', 'kubernetes', false],
      ['apiserver', 'certificate', 'kube-apiserver', true],
      ['admin.conf', 'certificate', 'kubernetes-admin', false],
    ]);
    expect(found[0]?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });

  it('are read anew when a file changes', async () => {
    await put('/etc/kubernetes/pki/apiserver.crt', `${signed('kube-apiserver', 365)}\n`);
    expect((await readCertificates(fixture.target)).find((one) => one.name === 'apiserver')?.renewsAt).not.toBeUndefined();
    expect((await readCertificates(fixture.target)).some((one) => isDue(one))).toBe(false);
  });

  it('are asked for once: what is done is remembered, another request counts anew', async () => {
    expect(renewalOf(fixture.target)).toBeUndefined();
    await requestRenewal(fixture.target, '2026-11-25T00:00:00Z');
    expect(renewalOf(fixture.target)).toEqual({at: '2026-11-25T00:00:00Z', done: false});
    await noteRenewal(fixture.target, '2026-11-25T00:00:00Z');
    expect(renewalOf(fixture.target)?.done).toBe(true);
    await requestRenewal(fixture.target, '2026-11-26T00:00:00Z');
    expect(renewalOf(fixture.target)?.done).toBe(false);
  });
});
