import {describe, expect, it} from 'vitest';
import {normalizeReference, parseReference} from '../../../src/bundle/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('image references', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest'],
    ['registry.k8s.io/coredns/coredns:v1.14.2', 'registry.k8s.io/coredns/coredns:v1.14.2'],
    ['localhost:5000/a/b', 'localhost:5000/a/b:latest'],
    ['localhost/a', 'localhost/a:latest'],
    ['10.0.0.1:5000/a:v1', '10.0.0.1:5000/a:v1'],
    [`ghcr.io/o/r:v1@${digest}`, `ghcr.io/o/r@${digest}`],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
  ])('reads %s as %s', (text, full) => {
    expect(normalizeReference(text)).toBe(full);
    expect(normalizeReference(full)).toBe(full);
  });

  it.each(['', 'Upper/case', 'a//b', 'ghcr.io/', 'ghcr.io/o/r@sha256:short', 'ghcr.io/o/r@md5:abc', 'a b', 'ghcr.io/o/r:bad tag', '-a'])(
    'refuses "%s"',
    (text) => {
      expect(() => parseReference(text)).toThrow(expect.objectContaining({code: 'usage.invalid'}) as Error);
    },
  );
});
