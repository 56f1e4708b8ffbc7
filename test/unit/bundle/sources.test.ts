import {describe, expect, it} from 'vitest';
import {readPublishedChecksum} from '../../../src/bundle/checksum.ts';
import {fileSourcesOf, imagesOf, neededImages} from '../../../src/bundle/sources.ts';

describe('sources', () => {
  it('names the public addresses of v1.36.3', () => {
    expect(fileSourcesOf('v1.36.3', 'arm64').map((source) => [source.url, source.checksumUrl.replace(/.*\//, '')])).toEqual([
      ['https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubeadm', 'kubeadm.sha256'],
      ['https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubelet', 'kubelet.sha256'],
      ['https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubectl', 'kubectl.sha256'],
      [
        'https://github.com/containerd/containerd/releases/download/v2.4.2/containerd-2.4.2-linux-arm64.tar.gz',
        'containerd-2.4.2-linux-arm64.tar.gz.sha256sum',
      ],
      ['https://github.com/opencontainers/runc/releases/download/v1.5.2/runc.arm64', 'runc.sha256sum'],
      [
        'https://github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-arm64-v1.9.1.tgz',
        'cni-plugins-linux-arm64-v1.9.1.tgz.sha256',
      ],
      ['https://github.com/kubernetes-sigs/cri-tools/releases/download/v1.36.0/crictl-v1.36.0-linux-arm64.tar.gz', 'crictl-v1.36.0-linux-arm64.tar.gz.sha256'],
    ]);
  });

  it.each([
    ['v1.34.1', 'v1.12.1', '3.6.4-0', '3.10.1'],
    ['v1.34.2', 'v1.12.1', '3.6.5-0', '3.10.1'],
    ['v1.35.4', 'v1.13.1', '3.6.6-0', '3.10.1'],
    ['v1.36.3', 'v1.14.2', '3.6.8-0', '3.10.2'],
  ])("has the tags that kubeadm %s's constants have", (version, coredns, etcd, pause) => {
    expect(imagesOf(version).slice(4)).toEqual([
      `registry.k8s.io/coredns/coredns:${coredns}`,
      `registry.k8s.io/etcd:${etcd}`,
      `registry.k8s.io/pause:${pause}`,
    ]);
    expect(imagesOf(version)[0]).toBe(`registry.k8s.io/kube-apiserver:${version}`);
  });

  it.each(['v1.33.9', 'v1.99.0', 'v2.0.0', '1.36.3', 'v1.36.3-rc.1'])('refuses %s, and says what it knows', (version) => {
    const refused = expect.objectContaining({code: 'bundle.version-unsupported', message: expect.stringContaining('v1.34, v1.35, v1.36') as string}) as Error;
    expect(() => fileSourcesOf(version, 'amd64')).toThrow(refused);
    expect(() => imagesOf(version)).toThrow(refused);
  });

  it('lists an image once, however it is written', () => {
    expect(neededImages('v1.36.3', ['nginx', 'docker.io/library/nginx:latest', 'registry.k8s.io/pause:3.10.2'])).toHaveLength(8);
  });
});

describe('published checksums', () => {
  const hex = '0123456789abcdef'.repeat(4);
  const other = 'f'.repeat(64);

  it.each([
    ['bare digits', hex],
    ['bare digits and a newline', `${hex}\n`],
    ['capitals', hex.toUpperCase()],
    ['a line with two spaces', `${hex}  runc.amd64\n`],
    ['a line in binary mode', `${other} *runc.arm64\n${hex} *runc.amd64\n`],
    ['a folder before the name', `${hex}  ./bin/runc.amd64`],
    ['a signed text', `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${other}  runc.arm64\n${hex}  runc.amd64\n-----BEGIN PGP SIGNATURE-----\nabc\n`],
  ])('are read from %s', (_form, text) => {
    expect(readPublishedChecksum(text, 'runc.amd64', 'https://x/sum')).toBe(`sha256:${hex}`);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html>not found</html>'],
    ['another file only', `${hex}  runc.arm64`],
    ['a shorter digest', `${hex.slice(2)}  runc.amd64`],
    ['a name that only ends alike', `${hex}  other-runc.amd64`],
  ])('are refused when the text is %s', (_form, text) => {
    expect(() => readPublishedChecksum(text, 'runc.amd64', 'https://x/sum')).toThrow(expect.objectContaining({code: 'bundle.source-failed'}) as Error);
  });
});
