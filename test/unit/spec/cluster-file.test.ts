import {expect, test} from 'vitest';
import {requireAnswers} from '../../../src/spec/answers.ts';
import {renderClusterFile} from '../../../src/spec/cluster-file.ts';

const hosts = {name: 'berth', controlPlane: ['h1=10.0.0.11', 'h2=10.0.0.12', 'h3=10.0.0.13']};
const endpointIn = (more: Partial<Parameters<typeof requireAnswers>[0]>) =>
  /^ {2}endpoint: .*$/m.exec(renderClusterFile(requireAnswers({...hosts, endpoint: '10.0.0.100', ...more})))?.[0];

test('says who serves the endpoint only where the control planes do', () => {
  expect(endpointIn({endpointType: 'vip'})).toBe('  endpoint: {host: 10.0.0.100, port: 6443, type: vip}');
  expect(endpointIn({endpointType: 'external'})).toBe('  endpoint: {host: 10.0.0.100, port: 6443}');
  expect(endpointIn({})).toBe('  endpoint: {host: 10.0.0.100, port: 6443}');
});
