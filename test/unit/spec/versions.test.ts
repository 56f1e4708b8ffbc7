import {expect, test} from 'vitest';
import {compareVersions, isSupported, kubeletProblem, parseVersion, upgradeProblem, type Version} from '../../../src/spec/versions.ts';

const version = (text: string) => parseVersion(text) as Version;

test.each(['1.36', 'v1', 'v1.36.x', '', 'latest', 'v1.36.3.4'])('%j is no version', (text) => {
  expect(parseVersion(text)).toBeUndefined();
});

test('versions are ordered by number, a pre-release before its release', () => {
  const ordered = ['v1.9.9', 'v1.34.0', 'v1.36.0-alpha.2', 'v1.36.0-alpha.10', 'v1.36.0-rc.1', 'v1.36.0', 'v1.36.3', 'v1.36.10'];
  expect(ordered.toReversed().toSorted((a, b) => compareVersions(version(a), version(b)))).toEqual(ordered);
});

test.each([
  ['v1.35.4', 'v1.36.3', undefined],
  ['v1.36.3', 'v1.36.3', undefined],
  ['v1.36.3', 'v1.36.4', undefined],
  ['v1.34.0', 'v1.36.3', 'version.minor-skipped'],
  ['v1.36.3', 'v1.36.2', 'version.downgrade'],
  ['v1.36.3', 'v1.35.9', 'version.downgrade'],
  ['v1.36.3', 'v2.0.0', 'version.major'],
])('the step from %s to %s: %s', (from, to, rule) => {
  expect(upgradeProblem(from, to)?.rule).toBe(rule);
});

test.each([
  ['v1.36.3', 'v1.36.0', undefined],
  ['v1.33.0', 'v1.36.0', undefined],
  ['v1.32.9', 'v1.36.0', 'version.kubelet-too-old'],
  ['v1.37.0', 'v1.36.9', 'version.kubelet-newer'],
])('a kubelet %s with an API server %s: %s', (kubelet, server, rule) => {
  expect(kubeletProblem(kubelet, server)?.rule).toBe(rule);
});

test('three minors are supported', () => {
  expect(['v1.33.9', 'v1.34.0', 'v1.35.4', 'v1.36.3', 'v1.37.0'].map((text) => isSupported(version(text)))).toEqual([false, true, true, true, false]);
});
