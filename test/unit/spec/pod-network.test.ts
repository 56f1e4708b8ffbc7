// Hosts as they are typed, and the pod network that is written for those who have none.
import {describe, expect, it} from 'vitest';
import {parse, parseAllDocuments} from 'yaml';
import {hostAnswer, hostText, placeAnswer, profileVariableAnswer} from '../../../src/spec/answers.ts';
import {networkFiles, networkFilesOf, profileOf} from '../../../src/spec/pod-network.ts';

describe('a host as it is typed', () => {
  it.each([
    ['h1=10.0.0.11', {name: 'h1', address: '10.0.0.11'}],
    ['h1=gate.example:2222', {name: 'h1', address: 'gate.example', port: 2222}],
    ['h1=ops@gate.example:2222/10.0.0.11', {name: 'h1', address: 'gate.example', port: 2222, user: 'ops', nodeAddress: '10.0.0.11'}],
    ['h1=fd00::11', {name: 'h1', address: 'fd00::11'}],
    ['h1=ops@[fd00::11]:2222', {name: 'h1', address: 'fd00::11', port: 2222, user: 'ops'}],
  ])('%s is read, and written the same', (text, host) => {
    expect(hostAnswer(text)).toEqual(host);
    expect(hostText(host)).toBe(text);
  });

  it.each(['h1=', '=10.0.0.11', 'h1', 'h1=a b', 'h1=a@b@c', 'h1=[fd00::1', 'h1=x/y/z'])('%s is no host', (text) => {
    expect(() => hostAnswer(text)).toThrow(/is no host/);
  });

  it('has no place in what is none', () => {
    expect([placeAnswer(''), placeAnswer('a:b')]).toEqual([undefined, undefined]);
  });
});

describe('the network that is written', () => {
  const manifest = (pods?: readonly string[]) =>
    networkFilesOf({cni: 'flannel', ...(pods === undefined ? {} : {pods: [...pods]})}).get(networkFiles.manifest) ?? '';
  const network = (text: string) => {
    const map = parseAllDocuments(text).map((one) => one.toJS() as {kind: string; data?: Record<string, string>});
    return JSON.parse(map.find(({kind}) => kind === 'ConfigMap')?.data?.['net-conf.json'] ?? '{}') as object;
  };

  it('is flannel over the networks of the pods, one or two', () => {
    expect(network(manifest())).toEqual({Network: '10.244.0.0/16', EnableNFTables: false, Backend: {Type: 'vxlan'}});
    expect(network(manifest(['10.9.0.0/16', 'fd00:9::/56']))).toMatchObject({Network: '10.9.0.0/16', EnableIPv6: true, IPv6Network: 'fd00:9::/56'});
    expect(network(manifest(['fd00:9::/56']))).toMatchObject({EnableIPv4: false, IPv6Network: 'fd00:9::/56'});
  });

  it('gives way to a profile of one’s own, and to none', () => {
    expect(networkFilesOf({cni: 'flannel', profile: 'mine.yaml'}).size).toBe(0);
    expect(networkFilesOf({cni: 'none'}).size).toBe(0);
    expect(profileOf({cni: 'none'}, parse)).toBeUndefined();
    expect(profileOf({cni: 'flannel'}, parse)).toEqual({file: 'flannel/profile.yaml'});
  });

  it('takes variables, and secrets only by their source', () => {
    expect(profileOf({profile: 'p.yaml', profileVariable: ['size=3', 'token=env:TOKEN', 'key=file:key.pem']}, parse)).toEqual({
      file: 'p.yaml',
      variables: {size: 3, token: {fromEnv: 'TOKEN'}, key: {fromFile: 'key.pem'}},
    });
    expect(() => profileVariableAnswer('=x', parse)).toThrow(/no variable/);
  });
});
