import {generateKeyPairSync, X509Certificate} from 'node:crypto';
import {connect, createServer} from 'node:tls';
import type {AddressInfo} from 'node:net';
import {describe, expect, it} from 'vitest';
import {selfSignedServer} from '../../../src/kernel/certificate.ts';

describe("a server's certificate", () => {
  const {privateKey} = generateKeyPairSync('rsa', {modulusLength: 2048});
  const now = Date.now();
  const make = (dnsNames: readonly string[]) =>
    selfSignedServer({commonName: 'hook', dnsNames, key: privateKey, notBefore: new Date(now - 1000), notAfter: new Date(now + 86_400_000)});

  it('names every DNS name, is for servers, and is no authority', () => {
    const certificate = new X509Certificate(make(['hook.lab.svc', 'hook.lab.svc.cluster.local']));
    expect(certificate.subjectAltName).toBe('DNS:hook.lab.svc, DNS:hook.lab.svc.cluster.local');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkPrivateKey(privateKey)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });

  it('is trusted by a client that has it as its authority, for its names only', async () => {
    const cert = make(['localhost']);
    const server = createServer({cert, key: privateKey.export({type: 'pkcs8', format: 'pem'})});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const {port} = server.address() as AddressInfo;
    const reach = (servername: string) =>
      new Promise<string>((resolve) => {
        const socket = connect({port, host: '127.0.0.1', servername, ca: cert}, () => {
          socket.end();
          resolve('trusted');
        });
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      });
    expect(await reach('localhost')).toBe('trusted');
    expect(await reach('elsewhere.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    await new Promise((resolve) => server.close(resolve));
  });
});
