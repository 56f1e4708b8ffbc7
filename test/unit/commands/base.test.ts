import {Errors} from '@oclif/core';
import {describe, expect, it} from 'vitest';
import {askedFor} from '../../../src/commands/base-command.ts';
import {parseDuration} from '../../../src/commands/base-flags.ts';
import {usageErrorOf} from '../../../src/commands/base-usage.ts';

describe('the global flags read by hand', () => {
  it.each([
    [['-o', 'json'], 'json'],
    [['-ojson'], 'json'],
    [['--output=ndjson'], 'ndjson'],
    [['--output', 'yaml', '--blub'], 'yaml'],
    [['--', '-o', 'json'], 'text'],
    [['-o', 'cheese'], 'text'],
    [[], 'text'],
  ])('%j asks for %s', (argv, format) => {
    expect(askedFor(argv, {}).format).toBe(format);
  });

  it('count from the environment too, and the flag wins', () => {
    expect(askedFor([], {TRIREME_OUTPUT: 'json', TRIREME_VERBOSE: 'true'})).toMatchObject({format: 'json', verbose: true});
    expect(askedFor(['-o', 'yaml'], {TRIREME_OUTPUT: 'json'}).format).toBe('yaml');
  });
});

describe("oclif's complaints", () => {
  it('name the flag that was meant', () => {
    const error = Object.assign(new Errors.CLIError('Nonexistent flag: --limt\nSee more help with --help'), {flags: ['--limt']});
    const told = usageErrorOf(error, {id: 'apply', flags: {limit: {}}, baseFlags: {}} as never);
    expect(told).toMatchObject({
      code: 'usage.invalid',
      exit: 2,
      message: "There's no flag --limt in trireme apply.",
      hints: ['Did you mean --limit?', 'Read: trireme apply --help'],
    });
  });

  it('name the flags that are missing', () => {
    const said = (text: string) => usageErrorOf(new Errors.CLIError(`${text}\nSee more help with --help`)).message;
    expect(said('The following error occurred:\n  \u001B[2mMissing required flag to\u001B[22m')).toBe('--to is missing.');
    expect(said('The following errors occurred:\n  Missing required flag to\n  Missing required flag from')).toBe('--to is missing.\n  --from is missing.');
  });
});

it('reads durations, and says what one looks like', () => {
  expect([parseDuration('90s', 't'), parseDuration('10m', 't'), parseDuration('1h', 't')]).toEqual([90_000, 600_000, 3_600_000]);
  expect(() => parseDuration('ten minutes', 'timeout')).toThrow('--timeout takes a duration such as 90s, 10m or 1h, not ten minutes.');
});
