import {describe, expect, it} from 'vitest';
import {addressNumber, formatIpv6, isSameAddress, networksOverlap, parseNetworkText} from '../../../src/hosts/parse/addresses.ts';

describe('networks', () => {
  it.each([
    ['10.244.0.0/16', '10.244.3.0/24', true],
    ['10.244.3.7/24', '10.244.0.0/16', true],
    ['10.244.0.0/16', '10.245.0.0/16', false],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['fd00::/8', 'fd12:3456::1/64', true],
    ['fd00::/64', 'fd00:0:0:1::/64', false],
    ['10.0.0.0/8', '::a00:0/104', false],
    ['localhost', '127.0.0.1', false],
    ['10.0.0.0/33', '10.0.0.0/8', false],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(networksOverlap(a, b)).toBe(expected);
    expect(networksOverlap(b, a)).toBe(expected);
  });

  it('know an address in every way of writing', () => {
    expect(isSameAddress('fd00:0:0::0001/64', 'FD00::1')).toBe(true);
    expect(isSameAddress('::ffff:10.0.0.1', '::ffff:a00:1')).toBe(true);
    expect(isSameAddress('10.0.0.1', '10.0.0.10')).toBe(false);
    expect(addressNumber('h1.example')).toBeUndefined();
    expect(parseNetworkText('10.0.0.9/30')).toEqual({family: 4, first: 167_772_168n, last: 167_772_171n});
  });
});

it.each([
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['fd000000000000000000000000000001', 'fd00::1'],
  ['20010db8000000010000000000000000', '2001:db8:0:1::'],
  ['20010db8000100020003000400050006', '2001:db8:1:2:3:4:5:6'],
])('writes the IPv6 address %s as %s', (hex, text) => {
  expect(formatIpv6(hex)).toBe(text);
});
