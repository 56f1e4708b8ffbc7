import {expect, it} from 'vitest';
import {scriptOf, type WordsOptions} from '../../../src/commands/base-script.ts';

const of = {
  command: 'host maintain',
  document: {metadata: {name: 'harbour'}, spec: {mode: 'agent', agent: {hosts: [{name: 'h1'}, {name: 'h2'}]}}},
} as unknown as WordsOptions;

it('takes one word for a script, and several as they are', () => {
  expect(scriptOf(['apt-get update && reboot'], of)).toBe('apt-get update && reboot\n');
  expect(scriptOf(['echo', "it's", 'h1'], of)).toBe(String.raw`exec echo 'it'\''s' h1` + '\n');
});

it('runs no host', () => {
  expect(() => scriptOf([], of)).toThrow(expect.objectContaining({code: 'usage.invalid', message: "There's no command to run."}) as Error);
  expect(() => scriptOf(['h2'], of)).toThrow(
    expect.objectContaining({code: 'usage.invalid', hints: ['Choose hosts by --limit: trireme host maintain --limit h2 -- uptime']}) as Error,
  );
  expect(() => scriptOf(['h2', 'apt-get', '-y', 'upgrade'], of)).toThrow(
    expect.objectContaining({hints: ['Choose hosts by --limit: trireme host maintain --limit h2 -- apt-get -y upgrade']}) as Error,
  );
});
