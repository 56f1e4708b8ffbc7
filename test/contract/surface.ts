// The command surface, read from the command classes themselves, and what is wrong with it.
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {z} from 'zod';
import {projectFolder} from './sources.ts';

interface FlagShape {
  readonly type: 'boolean' | 'option';
  readonly char?: string;
  readonly env?: string;
  readonly summary?: string;
  readonly options?: readonly string[];
  readonly multiple?: boolean;
  readonly required?: boolean;
}

interface ArgShape {
  readonly required?: boolean;
  readonly ignoreStdin?: boolean;
  readonly description?: string;
}

export interface CommandClass {
  readonly summary?: string;
  readonly examples?: readonly string[];
  readonly baseFlags?: Readonly<Record<string, FlagShape>>;
  readonly flags?: Readonly<Record<string, FlagShape>>;
  readonly args?: Readonly<Record<string, ArgShape>>;
  readonly strict?: boolean;
  readonly resultSchema?: () => z.ZodType | Promise<z.ZodType>;
}

/** Every command of ours, by id: `host list`. */
export async function readCommands(): Promise<ReadonlyMap<string, CommandClass>> {
  const folder = join(projectFolder, 'src', 'commands');
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts') && !name.split('/').at(-1)?.startsWith('base-'));
  const loaded = await Promise.all(
    names.toSorted().map(
      async (name) =>
        [
          name
            .replace(/\.ts$/, '')
            .replaceAll('/', ' ')
            .replace(/ index$/, ''),
          ((await import(pathToFileURL(join(folder, name)).href)) as {default: CommandClass}).default,
        ] as const,
    ),
  );
  return new Map(loaded);
}

/** What a command lacks. */
export function findCommandFaults(id: string, command: CommandClass): readonly string[] {
  const flags = {...command.baseFlags, ...command.flags};
  const faults: string[] = [];
  if (!command.summary?.endsWith('.')) faults.push('a summary that is a sentence');
  if (command.examples === undefined || command.examples.length === 0) faults.push('an example');
  if (command.examples?.some((example) => !String(example).includes(`<%= config.bin %> ${id}`))) faults.push(`examples with <%= config.bin %> ${id}`);
  if (command.resultSchema === undefined) faults.push('static resultSchema');
  for (const [name, flag] of Object.entries(flags)) {
    const env = `TRIREME_${name.replaceAll('-', '_').toUpperCase()}`;
    if (flag.env !== env) faults.push(`the environment variable ${env} for --${name}`);
    if (flag.summary === undefined || flag.summary === '') faults.push(`a summary for --${name}`);
  }
  for (const [name, arg] of Object.entries(command.args ?? {})) {
    if (arg.description === undefined) faults.push(`a description for ${name.toUpperCase()}`);
    // oclif otherwise waits for standard input when the argument is absent and there is no terminal.
    if (arg.ignoreStdin !== true) faults.push(`ignoreStdin for ${name.toUpperCase()}`);
  }
  const chars = Object.values(flags).flatMap((flag) => flag.char ?? []);
  if (new Set(chars).size !== chars.length) faults.push('letters of its own for its flags');
  return faults.map((fault) => `trireme ${id} lacks ${fault}.`);
}

/** What a script can rely on, in a form that is compared with surface.json. */
export function surfaceOf(commands: ReadonlyMap<string, CommandClass>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...commands].map(([id, command]) => [
      id,
      {
        args: Object.entries(command.args ?? {}).map(([name, arg]) => (arg.required === true ? name.toUpperCase() : `[${name.toUpperCase()}]`)),
        flags: Object.entries({...command.baseFlags, ...command.flags})
          .map(
            ([name, flag]) =>
              `${flag.char === undefined ? '' : `-${flag.char} `}--${name}${flag.type === 'boolean' ? '' : `=${flag.options?.join('|') ?? 'VALUE'}`}${flag.multiple === true ? '...' : ''}${flag.required === true ? ' (required)' : ''}`,
          )
          .toSorted(),
      },
    ]),
  );
}
