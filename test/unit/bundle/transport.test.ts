import {describe, expect, it} from 'vitest';
import {proxyFor} from '../../../src/kernel/proxy.ts';
import {parseChallenge} from '../../../src/bundle/registry-auth.ts';
import {createTransport} from '../../../src/bundle/transport.ts';

describe('mirrors', () => {
  const transport = createTransport({
    env: {},
    folder: '/srv/fleet',
    sources: {
      'dl.k8s.io': 'http://127.0.0.1:8080/dl.k8s.io/',
      'github.com': 'mirror/github',
      'registry.k8s.io': 'http://127.0.0.1:8080',
      'ghcr.io': 'https://harbor.example/v2/ghcr',
      'quay.io': 'https://m.example/quay',
      'ftp.example': 'ftp://x',
    },
  });

  it('takes the place of the host, with the path kept', () => {
    expect(transport.locate('https://dl.k8s.io/release/v1/kubeadm')).toEqual({kind: 'http', url: 'http://127.0.0.1:8080/dl.k8s.io/release/v1/kubeadm'});
    expect(transport.locate('https://example.com/a')).toEqual({kind: 'http', url: 'https://example.com/a'});
    expect(transport.locate('https://github.com/a/b.tgz')).toEqual({kind: 'file', path: '/srv/fleet/mirror/github/a/b.tgz'});
  });

  it.each([
    ['registry.k8s.io', 'http://127.0.0.1:8080/v2'],
    ['ghcr.io', 'https://harbor.example/v2/ghcr'],
    ['quay.io', 'https://m.example/quay/v2'],
    ['docker.io', 'https://registry-1.docker.io/v2'],
    ['registry.example:5000', 'https://registry.example:5000/v2'],
    ['127.0.0.1:5000', 'http://127.0.0.1:5000/v2'],
    ['localhost:5000', 'http://localhost:5000/v2'],
  ])('reads the registry %s at %s', (registry, api) => {
    expect(transport.locateRegistry(registry).api).toBe(api);
  });

  it('refuses addresses that cannot be read, and a folder for a registry', () => {
    expect(() => transport.locate('https://ftp.example/a')).toThrow(expect.objectContaining({code: 'file.invalid'}) as Error);
    expect(() => transport.locateRegistry('github.com')).toThrow(expect.objectContaining({code: 'file.invalid'}) as Error);
  });
});

describe('proxies of the environment', () => {
  const env = {https_proxy: 'http://proxy:3128', HTTP_PROXY: 'plain:80', NO_PROXY: 'example.com,.corp.example,10.0.0.0/8,mirror:8443,2001:db8::/32,192.0.2.7'};
  it.each([
    ['https://dl.k8s.io/a', 'http://proxy:3128/'],
    ['http://dl.k8s.io/a', 'http://plain/'],
    ['https://example.com/', undefined],
    ['https://a.example.com/', undefined],
    ['https://notexample.com/', 'http://proxy:3128/'],
    ['https://x.corp.example/', undefined],
    ['https://10.1.2.3/', undefined],
    ['https://11.1.2.3/', 'http://proxy:3128/'],
    ['https://192.0.2.7/', undefined],
    ['https://mirror:8443/', undefined],
    ['https://mirror/', 'http://proxy:3128/'],
    ['https://[2001:db8::1]/', undefined],
    ['https://127.0.0.1:5000/', undefined],
    ['http://localhost/', undefined],
  ])('for %s give %s', (url, proxy) => {
    expect(proxyFor(new URL(url), env)?.href).toBe(proxy);
  });

  it('are none without variables, and none at all for *', () => {
    expect(proxyFor(new URL('https://dl.k8s.io'), {})).toBeUndefined();
    expect(proxyFor(new URL('https://dl.k8s.io'), {...env, NO_PROXY: '*'})).toBeUndefined();
  });
});

describe('challenges', () => {
  it('are read with quoted commas and without quotes', () => {
    expect(parseChallenge('Bearer realm="https://auth.example/token",service=reg,scope="repository:a/b:pull,push"')).toEqual({
      scheme: 'bearer',
      parameters: {realm: 'https://auth.example/token', service: 'reg', scope: 'repository:a/b:pull,push'},
    });
    expect(parseChallenge('BASIC realm="x \\"y\\""')).toEqual({scheme: 'basic', parameters: {realm: 'x "y"'}});
    expect(parseChallenge('Negotiate')).toBeUndefined();
    expect(parseChallenge(undefined)).toBeUndefined();
  });
});
