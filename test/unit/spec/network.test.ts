import {describe, expect, test} from 'vitest';
import {addressNumber, contains, formatAddress, isSameAddress, type Network, overlaps, parseNetwork} from '../../../src/spec/network.ts';

function network(text: string): Network {
  const read = parseNetwork(text);
  if (!('network' in read)) throw new Error(`${text} ${read.problem}`);
  return read.network;
}

test.each([
  ['10.0.0.1', 0x0a_00_00_01n],
  ['255.255.255.255', 0xff_ff_ff_ffn],
  ['::', 0n],
  ['::1', 1n],
  ['fd00::1', (0xfd00n << 112n) | 1n],
  ['1:2:3:4:5:6:7:8', 0x0001_0002_0003_0004_0005_0006_0007_0008n],
  ['::ffff:10.0.0.1', 0xffff_0a00_0001n],
])('reads the address %s', (text, expected) => {
  expect(addressNumber(text)).toBe(expected);
});

test.each(['10.0.0', '10.0.0.256', 'fe80::1%eth0', 'name', '', '1:2:3'])('knows that %j is no address', (text) => {
  expect(addressNumber(text)).toBeUndefined();
});

test.each(['10.1.2.3', '::', '::1', 'fd00::1', 'fd00:10:244::', '1:2:3:4:5:6:7:8', 'fd00:0:1::1'])('writes %s as it was read', (text) => {
  expect(formatAddress(addressNumber(text) ?? 0n, text.includes(':') ? 'IPv6' : 'IPv4')).toBe(text);
});

test.each([
  ['10.0.0.0/8', '10.255.0.0/16', true],
  ['10.0.0.0/16', '10.1.0.0/16', false],
  ['0.0.0.0/0', '192.168.0.0/24', true],
  ['fd00::/48', 'fd00:0:0:1::/64', true],
  ['fd00::/64', 'fd00:0:0:1::/64', false],
  ['0.0.0.0/0', '::/0', false],
])('%s and %s overlap: %s', (a, b, expected) => {
  expect(overlaps(network(a), network(b))).toBe(expected);
  expect(overlaps(network(b), network(a))).toBe(expected);
});

describe('networks that are none', () => {
  test('tell what was meant when bits are set after the prefix', () => {
    expect(parseNetwork('fd00:1::5/64')).toMatchObject({meant: 'fd00:1::/64'});
    expect(parseNetwork('10.1.2.3/8')).toMatchObject({meant: '10.0.0.0/8'});
  });
  test.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'x/8', 'fd00::/129', '10.0.0.0/-1'])('%s', (text) => {
    expect(parseNetwork(text)).toHaveProperty('problem');
  });
});

test('an address is in its network only', () => {
  expect(contains(network('10.244.0.0/16'), '10.244.255.255')).toBe(true);
  expect(contains(network('10.244.0.0/16'), '10.245.0.0')).toBe(false);
  expect(contains(network('::/0'), '10.244.0.1')).toBe(false);
});

test('two ways of writing an address are the same', () => {
  expect(isSameAddress('fd00::1', 'fd00:0:0::1')).toBe(true);
  expect(isSameAddress('Host.example', 'host.EXAMPLE')).toBe(true);
  expect(isSameAddress('0.0.0.1', '::1')).toBe(false);
});
