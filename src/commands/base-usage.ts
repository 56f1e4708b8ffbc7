// oclif's complaints about flags and arguments in our own words, with the nearest name.
import type {Command, Errors} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';

interface ParseComplaint {
  readonly flags?: unknown;
  readonly args?: unknown;
}

/** Any error of oclif's parser as `usage.invalid`. */
export function usageErrorOf(error: Errors.CLIError, command?: Pick<Command.Class, 'flags' | 'baseFlags' | 'id'>): TriremeError {
  const complaint = error as unknown as ParseComplaint;
  const name = (command?.id ?? '').replaceAll(':', ' ');
  const help = `Read: trireme ${name === '' ? '' : `${name} `}--help`.replace('  ', ' ');
  if (Array.isArray(complaint.flags)) {
    const known = Object.keys({...command?.baseFlags, ...command?.flags}).map((flag) => `--${flag}`);
    const given = complaint.flags.map(String);
    const hints = given.flatMap((flag) => {
      const near = nearest(flag, known);
      return near === undefined ? [] : [`Did you mean ${near}?`];
    });
    const what = given.length === 1 ? `There's no flag ${given[0]}` : `There are no flags ${given.join(', ')}`;
    return new TriremeError('usage.invalid', name === '' ? `${what}.` : `${what} in trireme ${name}.`, {hints: [...hints, help], cause: error});
  }
  const message = error.message
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Missing (\d+) required args?:/, 'An argument is missing:')
    // oxlint-disable-next-line no-control-regex -- oclif colours parts of its messages
    .replaceAll(/\u001B\[\d*m/g, '')
    .replaceAll(/^(\s*)Missing required flag (\S+)$/gm, '$1--$2 is missing.')
    .trim();
  return new TriremeError('usage.invalid', message, {hints: [help], cause: error});
}
